package io.github.sgpt4j.model;

import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/// The names under which a checkpoint stores tensors. It may have been saved with another prefix than
/// the model that its tensors were trained in.
///
/// @param prefixes possible prefixes of the family, tried in order
/// @param stored whether the checkpoint has a tensor with a name
public record StoredNames(List<String> prefixes, Predicate<String> stored) {
    public StoredNames {
        prefixes = List.copyOf(prefixes);
    }

    /// The stored name of a tensor; empty if there is none.
    public Optional<String> find(String name) {
        if (stored.test(name)) {
            return Optional.of(name);
        }
        for (String from : prefixes) {
            if (name.startsWith(from)) {
                for (String to : prefixes) {
                    String other = to + name.substring(from.length());
                    if (stored.test(other)) {
                        return Optional.of(other);
                    }
                }
            }
        }
        return Optional.empty();
    }
}
