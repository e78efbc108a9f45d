package io.github.sgpt4j.retrieval.corpus;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/// Named values that describe a document, such as its year or language. They are not embedded, and no
/// words of a query are compared with them; a filter ([io.github.sgpt4j.retrieval.filter.Filter]) does.
///
/// A value is a [String], [Long], [Double] or [Boolean], or a non-empty [java.util.List] of values of one
/// of these kinds, where [Long] and [Double] are one kind: numbers.
///
/// @param asMap values by name, in the order in which they were given; cannot be changed
public record Metadata(Map<String, Object> asMap) {
    /// Most names of one document.
    public static final int MAX_ENTRIES = 256;

    /// Most characters of a name.
    public static final int MAX_NAME_CHARACTERS = 256;

    /// Most characters of all names and values of one document; see [#characters].
    public static final int MAX_CHARACTERS = 1 << 20;

    /// None.
    public static final Metadata EMPTY = new Metadata(Map.of());

    /// As [#of].
    public Metadata {
        Map<String, Object> values = new LinkedHashMap<>();
        long characters = 0;
        for (Map.Entry<String, ?> entry : asMap.entrySet()) {
            String name = MetadataValues.checkName(entry.getKey());
            Object value = MetadataValues.of(name, entry.getValue());
            values.put(name, value);
            characters += name.length() + MetadataValues.characters(value);
            if (values.size() > MAX_ENTRIES) {
                throw new IllegalArgumentException("metadata: expected at most %d names, got more: %s"
                        .formatted(MAX_ENTRIES, MetadataValues.shown(name)));
            }
            if (characters > MAX_CHARACTERS) {
                throw new IllegalArgumentException("metadata %s: expected at most %,d characters up to here, got %,d"
                        .formatted(MetadataValues.shown(name), MAX_CHARACTERS, characters));
            }
        }
        asMap = Collections.unmodifiableMap(values);
    }

    /// Metadata from values of more classes: whole numbers of other sizes become [Long], [Float] becomes
    /// [Double], both exactly; collections and arrays become lists.
    ///
    /// @param values copied, in their order
    /// @throws IllegalArgumentException if a value is null, not finite, empty, or of another class; a list
    ///     contains several kinds; a name is empty; or anything is too long, or no Unicode text. The
    ///     message gives the name
    public static Metadata of(Map<String, ?> values) {
        return values.isEmpty() ? EMPTY : new Metadata(new LinkedHashMap<>(values));
    }

    /// The value of a name.
    public Optional<Object> get(String name) {
        return Optional.ofNullable(asMap.get(Objects.requireNonNull(name, "name")));
    }

    /// Whether there is none.
    public boolean isEmpty() {
        return asMap.isEmpty();
    }

    /// A measure of the memory it needs: characters of all names and strings, and 8 for each other value.
    public long characters() {
        long sum = 0;
        for (Map.Entry<String, Object> entry : asMap.entrySet()) {
            sum += entry.getKey().length() + MetadataValues.characters(entry.getValue());
        }
        return sum;
    }

    /// A JSON object that reads back as the same metadata, such as `{"year":2021,"share":0.5}`: numbers are
    /// exact, and only [Double] ones have a point or an exponent.
    public String toJson() {
        return MetadataJson.of(this);
    }

    /// `{name=value, name=[value, value]}`.
    @Override
    public String toString() {
        return asMap.toString();
    }
}
