package io.github.sgpt4j.training.run;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.training.data.DataFile;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// What decides the numbers of a training: one that continues must have the same.
///
/// @param base fingerprint of the model that the training starts from
/// @param settings by name
/// @param data the files that are trained with
record Origin(String base, Map<String, String> settings, List<DataFile> data) {
    private static final String NOTHING = "nothing";

    /// Copies the collections; settings are sorted.
    Origin {
        settings = Collections.unmodifiableMap(new TreeMap<>(settings));
        data = List.copyOf(data);
    }

    /// All names of settings, first those that both have: what only one has may follow from another.
    private Set<String> names(Origin other) {
        Set<String> names = new LinkedHashSet<>(settings.keySet());
        names.retainAll(other.settings.keySet());
        Set<String> all = new TreeSet<>(settings.keySet());
        all.addAll(other.settings.keySet());
        names.addAll(all);
        return names;
    }

    /// Checks that a training is the same as this one.
    ///
    /// @param file says what this one is
    /// @throws FormatException with the first difference
    void requireSame(Path file, Origin now) {
        if (!base.equals(now.base)) {
            throw new FormatException(
                    "%s: expected the model that the training started from (fingerprint %s), got one whose weights, tokenizer or configuration differ (fingerprint %s)"
                            .formatted(file, base, now.base));
        }
        for (String name : names(now)) {
            String before = settings.getOrDefault(name, NOTHING);
            String after = now.settings.getOrDefault(name, NOTHING);
            if (!before.equals(after)) {
                throw new FormatException("%s: %s: expected %s as before, got %s".formatted(file, name, before, after));
            }
        }
        DataFile.difference(data, now.data).ifPresent(difference -> {
            throw new FormatException("%s: %s".formatted(file, difference));
        });
    }
}
