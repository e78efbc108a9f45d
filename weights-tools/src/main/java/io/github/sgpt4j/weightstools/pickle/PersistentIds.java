package io.github.sgpt4j.weightstools.pickle;

import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Constant;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Name;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Storage;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Text;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Tuple;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Whole;
import java.util.List;
import java.util.Optional;

/// Reads persistent ids, `('storage', class, key, location, elements)`, before PyTorch 1.6 with one
/// more item: None, or `(key, offset, elements)` for a part. The location (a device) is ignored.
final class PersistentIds {
    private static final String FORM = "expected ('storage', class, key, location, elements) as persistent id";

    private final PickleInput input;
    private final StorageResolver resolver;

    PersistentIds(PickleInput input, StorageResolver resolver) {
        this.input = input;
        this.resolver = resolver;
    }

    Storage load(PickleValue id) {
        if (!(id instanceof Tuple tuple)) {
            throw input.bad("%s, got %s".formatted(FORM, id.kind()));
        }
        List<PickleValue> items = tuple.items();
        if (items.size() < 5
                || items.size() > 6
                || !(items.get(0) instanceof Text(String what))
                || !what.equals("storage")
                || !(items.get(1) instanceof Name(Global.StorageClass type))
                || !(items.get(2) instanceof Text(String key))
                || !(items.get(3) instanceof Text)
                || !(items.get(4) instanceof Whole(long elements))) {
            throw input.bad(FORM + ", got a tuple of another form");
        }
        Optional<StorageResolver.Part> part = items.size() == 6 ? part(items.get(5), type) : Optional.empty();
        long bytes = bytes(elements, type);
        return new Storage(resolver.resolve(new StorageResolver.Request(type, plain(key), bytes, part), input));
    }

    private Optional<StorageResolver.Part> part(PickleValue value, Global.StorageClass type) {
        if (value == Constant.NONE) {
            return Optional.empty();
        }
        if (value instanceof Tuple tuple
                && tuple.items().size() == 3
                && tuple.items().get(1) instanceof Whole(long offset)
                && tuple.items().get(2) instanceof Whole(long elements)) {
            return Optional.of(new StorageResolver.Part(bytes(offset, type), bytes(elements, type)));
        }
        throw input.bad("expected None or (key, offset, elements) as a storage's part, got " + value.kind());
    }

    private long bytes(long elements, Global.StorageClass type) {
        if (elements < 0 || elements > Long.MAX_VALUE / type.elementBytes()) {
            throw input.bad("expected a storage's number of elements, got %d".formatted(elements));
        }
        return elements * type.elementBytes();
    }

    /// A key names an entry of the archive's data folder, so it must not lead outside.
    private String plain(String key) {
        boolean plain = !key.isEmpty()
                && !key.startsWith(".")
                && key.chars().allMatch(c -> c < 128 && (Character.isLetterOrDigit(c) || "._-".indexOf(c) >= 0));
        if (!plain) {
            throw input.bad("expected a plain name as a storage's key, got " + Quoted.of(key));
        }
        return key;
    }
}
