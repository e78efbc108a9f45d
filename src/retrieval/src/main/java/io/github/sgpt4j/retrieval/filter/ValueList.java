package io.github.sgpt4j.retrieval.filter;

import java.util.AbstractList;
import java.util.HashSet;
import java.util.List;
import java.util.RandomAccess;
import java.util.Set;

/// The values of an `in`, which finds whether a value equals one of many without comparing it with each.
/// Cannot be changed.
final class ValueList extends AbstractList<Object> implements RandomAccess {
    private final List<Object> values;

    /// By [Values#key].
    private final Set<Object> keys = new HashSet<>();

    private final long characters;

    /// @param values as [Values#check] gave them
    ValueList(List<Object> values) {
        this.values = List.copyOf(values);
        long sum = 0;
        for (Object value : this.values) {
            keys.add(Values.key(value));
            sum += FilterText.valueLength(value);
        }
        characters = sum;
    }

    @Override
    public Object get(int index) {
        return values.get(index);
    }

    @Override
    public int size() {
        return values.size();
    }

    /// Whether a value of a document equals one of these.
    boolean matches(Object value) {
        return keys.contains(Values.key(value));
    }

    /// Characters of all values as text.
    long characters() {
        return characters;
    }
}
