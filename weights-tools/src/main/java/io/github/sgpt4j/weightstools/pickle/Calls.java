package io.github.sgpt4j.weightstools.pickle;

import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Constant;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Dictionary;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Key;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Name;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Sequence;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Storage;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Tensor;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Tuple;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Whole;
import java.util.List;

/// What the functions of the allow-list do, following PyTorch's `torch/_utils.py`.
final class Calls {
    private final PickleInput input;
    private final Budget budget;

    Calls(PickleInput input, Budget budget) {
        this.input = input;
        this.budget = budget;
    }

    PickleValue call(PickleValue callable, PickleValue arguments) {
        if (!(arguments instanceof Tuple tuple)) {
            throw input.bad("expected a tuple of arguments, got " + arguments.kind());
        }
        if (callable instanceof Name(Global.Function function)) {
            return call(function, tuple.items());
        }
        throw input.bad("expected one of the functions that rebuild tensors, got a call of " + callable.kind());
    }

    private PickleValue call(Global.Function function, List<PickleValue> items) {
        return switch (function) {
            case ORDERED_DICT -> orderedDict(items);
            case REBUILD_TENSOR -> tensor(count(function, items, 4, 4));
            case REBUILD_TENSOR_V2 -> {
                requireEmpty("metadata", count(function, items, 6, 7), 6);
                requireEmpty("backward hooks", items, 5);
                yield tensor(items);
            }
            case REBUILD_TENSOR_V3 -> {
                requireEmpty("metadata", count(function, items, 7, 8), 7);
                requireEmpty("backward hooks", items, 5);
                yield tensor(items, elementType(items.get(6)));
            }
            case REBUILD_PARAMETER -> parameter(count(function, items, 3, 3));
            // The fourth argument is attributes of the Python object, which do not affect the numbers.
            case REBUILD_PARAMETER_WITH_STATE -> parameter(count(function, items, 4, 4));
            case SIZE -> size(count(function, items, 1, 1).getFirst());
        };
    }

    private List<PickleValue> count(Global.Function function, List<PickleValue> items, int least, int most) {
        if (items.size() < least || items.size() > most) {
            throw input.bad(
                    "expected %d to %d arguments of %s, got %d".formatted(least, most, function.title(), items.size()));
        }
        return items;
    }

    private Dictionary orderedDict(List<PickleValue> items) {
        budget.spend(Budget.CONTAINER);
        Dictionary dictionary = new Dictionary();
        if (items.isEmpty()) {
            return dictionary;
        }
        // Python 2 wrote the entries as one list of pairs.
        if (items.size() != 1 || !(items.getFirst() instanceof Sequence pairs)) {
            throw input.bad("expected no argument or a list of pairs for collections.OrderedDict");
        }
        for (PickleValue pair : pairs.items()) {
            List<PickleValue> entry = switch (pair) {
                case Sequence list -> list.items();
                case Tuple tuple -> tuple.items();
                default -> throw input.bad("expected pairs for collections.OrderedDict, got " + pair.kind());
            };
            if (entry.size() != 2) {
                throw input.bad("expected pairs for collections.OrderedDict, got " + pair.kind());
            }
            put(dictionary, entry.get(0), entry.get(1));
        }
        return dictionary;
    }

    void put(Dictionary dictionary, PickleValue key, PickleValue value) {
        if (!(key instanceof Key allowed)) {
            throw input.bad("expected a string or an integer as a key, got " + key.kind());
        }
        budget.spend(Budget.ENTRY);
        dictionary.entries().put(allowed, value);
    }

    private void requireEmpty(String what, List<PickleValue> items, int index) {
        if (index >= items.size() || items.get(index) == Constant.NONE) {
            return;
        }
        if (!(items.get(index) instanceof Dictionary dictionary)
                || !dictionary.entries().isEmpty()) {
            throw input.bad("expected a plain tensor, got one with " + what);
        }
    }

    private ElementType elementType(PickleValue value) {
        if (value instanceof Name(Global.TensorElement element)) {
            return element.type();
        }
        throw input.bad("expected an element type such as torch.float32, got " + value.kind());
    }

    private Tensor tensor(List<PickleValue> items) {
        if (items.getFirst() instanceof Storage(StorageView view) && view.type().isPresent()) {
            return tensor(items, view.type().get());
        }
        throw input.bad("expected a storage with an element type, got "
                + items.getFirst().kind());
    }

    private Tensor tensor(List<PickleValue> items, ElementType type) {
        if (!(items.get(0) instanceof Storage(StorageView storage))) {
            throw input.bad("expected a storage, got " + items.get(0).kind());
        }
        if (!(items.get(1) instanceof Whole(long offset))) {
            throw input.bad("expected an integer as a tensor's offset, got "
                    + items.get(1).kind());
        }
        long[] sizes = wholes("sizes", items.get(2));
        long[] strides = wholes("strides", items.get(3));
        budget.spend(Budget.CONTAINER + (long) Long.BYTES * (sizes.length + strides.length));
        try {
            return new Tensor(new TensorView(storage, type, offset, Shape.of(sizes), strides));
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw input.bad("tensor: " + e.getMessage(), e);
        }
    }

    private long[] wholes(String what, PickleValue value) {
        if (!(value instanceof Tuple tuple) || tuple.items().size() > TensorView.MAX_RANK) {
            throw input.bad("expected a tuple of at most %d integers as a tensor's %s, got %s"
                    .formatted(TensorView.MAX_RANK, what, value.kind()));
        }
        long[] numbers = new long[tuple.items().size()];
        for (int i = 0; i < numbers.length; i++) {
            if (!(tuple.items().get(i) instanceof Whole(long number))) {
                throw input.bad("expected integers as a tensor's %s, got %s"
                        .formatted(what, tuple.items().get(i).kind()));
            }
            numbers[i] = number;
        }
        return numbers;
    }

    private PickleValue parameter(List<PickleValue> items) {
        requireEmpty("backward hooks", items, 2);
        if (items.getFirst() instanceof Tensor tensor) {
            return tensor;
        }
        throw input.bad("expected a tensor as a parameter's data, got "
                + items.getFirst().kind());
    }

    private PickleValue size(PickleValue value) {
        if (value instanceof Tuple) {
            return value;
        }
        throw input.bad("expected a tuple for torch.Size, got " + value.kind());
    }
}
