package io.github.sgpt4j.weightstools.pickle;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What a pickle may contain: plain data, and representations of what PyTorch would build. Nothing here
/// runs code.
///
/// Containers can contain each other, and themselves: never traverse them to unknown depth, print them
/// or compare them.
public sealed interface PickleValue {
    /// The value's kind, for messages.
    String kind();

    /// A value that may be a dictionary key: compared by content.
    sealed interface Key extends PickleValue {}

    /// A string, or bytes read as Latin-1.
    record Text(String value) implements Key {
        @Override
        public String kind() {
            return "a string";
        }
    }

    /// An integer of at most eight bytes.
    record Whole(long value) implements Key {
        @Override
        public String kind() {
            return "an integer";
        }
    }

    /// A longer integer, of at most sixteen bytes.
    record Wide(BigInteger value) implements PickleValue {
        @Override
        public String kind() {
            return "a long integer";
        }
    }

    /// A floating-point number.
    record Real(double value) implements PickleValue {
        @Override
        public String kind() {
            return "a floating-point number";
        }
    }

    /// Constants.
    enum Constant implements PickleValue {
        NONE("None"),
        TRUE("True"),
        FALSE("False");

        private final String kind;

        Constant(String kind) {
            this.kind = kind;
        }

        @Override
        public String kind() {
            return kind;
        }
    }

    /// A tuple.
    final class Tuple implements PickleValue {
        private final List<PickleValue> items;

        Tuple(List<PickleValue> items) {
            this.items = List.copyOf(items);
        }

        public List<PickleValue> items() {
            return items;
        }

        @Override
        public String kind() {
            return "a tuple of %d".formatted(items.size());
        }
    }

    /// A list, growing while the pickle is read.
    final class Sequence implements PickleValue {
        private final List<PickleValue> items = new ArrayList<>(0);

        public List<PickleValue> items() {
            return items;
        }

        @Override
        public String kind() {
            return "a list";
        }
    }

    /// A dictionary, plain or ordered, in order of insertion, growing while the pickle is read.
    final class Dictionary implements PickleValue {
        private final Map<Key, PickleValue> entries = new LinkedHashMap<>();

        public Map<Key, PickleValue> entries() {
            return entries;
        }

        @Override
        public String kind() {
            return "a dictionary";
        }
    }

    /// A name from the allow-list.
    record Name(Global global) implements PickleValue {
        @Override
        public String kind() {
            return global.title();
        }
    }

    /// A storage of numbers.
    record Storage(StorageView view) implements PickleValue {
        @Override
        public String kind() {
            return "a storage";
        }
    }

    /// A tensor.
    record Tensor(TensorView view) implements PickleValue {
        @Override
        public String kind() {
            return "a tensor";
        }
    }
}
