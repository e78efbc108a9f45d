package io.github.sgpt4j.retrieval.filter;

import io.github.sgpt4j.retrieval.corpus.Metadata;
import io.github.sgpt4j.text.Quoted;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/// What in a filter fits no document at all, so that it may be mistaken: names that no document has, and
/// values of another kind than all documents have, such as the number 12 for the string `"12"`.
public final class FilterNotices {
    private FilterNotices() {}

    /// Knows what documents have.
    @FunctionalInterface
    public interface Kinds {
        /// The kinds of the values of a name; empty if no document has it.
        ///
        /// @throws IOException if the documents cannot be read
        Set<ValueKind> of(String name) throws IOException;
    }

    /// One sentence for all names that no document has, and one for each name with values of other kinds.
    ///
    /// @param found what the documents have that are searched
    /// @throws IOException if the documents cannot be read
    public static List<String> of(Filter filter, Kinds found) throws IOException {
        List<String> absent = new ArrayList<>();
        List<String> sentences = new ArrayList<>();
        for (Map.Entry<String, Set<ValueKind>> asked : filter.kinds().entrySet()) {
            Set<ValueKind> kinds = found.of(asked.getKey());
            if (kinds.isEmpty()) {
                absent.add(asked.getKey());
            } else if (Collections.disjoint(kinds, asked.getValue())) {
                sentences.add(otherKind(asked.getKey(), asked.getValue(), kinds));
            }
        }
        if (!absent.isEmpty()) {
            sentences.addFirst(absent(absent));
        }
        return List.copyOf(sentences);
    }

    /// As [#of(Filter, Kinds)], of documents in memory.
    ///
    /// @param documents the metadata of all that are searched
    public static List<String> of(Filter filter, Iterable<Metadata> documents) {
        Map<String, Set<ValueKind>> found = new HashMap<>();
        filter.names().forEach(name -> found.put(name, EnumSet.noneOf(ValueKind.class)));
        for (Metadata metadata : documents) {
            found.forEach((name, kinds) -> metadata.get(name).map(ValueKind::of).ifPresent(kinds::add));
        }
        try {
            return of(filter, name -> found.getOrDefault(name, Set.of()));
        } catch (IOException e) {
            throw new IllegalStateException("nothing is read here", e);
        }
    }

    /// The sentence for names of metadata that no document has.
    ///
    /// @param names at least one
    public static String absent(Iterable<String> names) {
        List<String> quoted = new ArrayList<>();
        names.forEach(name -> quoted.add(Quoted.of(name)));
        return "no document has metadata named " + String.join(", ", quoted);
    }

    private static String otherKind(String name, Set<ValueKind> asked, Set<ValueKind> found) {
        return "metadata %s: expected %s, as documents have, got %s in the filter; %s"
                .formatted(
                        Quoted.of(name),
                        shown(found),
                        shown(asked),
                        found.stream().map(ValueKind::writing).collect(Collectors.joining(", ")));
    }

    private static String shown(Set<ValueKind> kinds) {
        return kinds.stream().map(ValueKind::toString).collect(Collectors.joining(" or "));
    }
}
