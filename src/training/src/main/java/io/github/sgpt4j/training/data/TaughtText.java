package io.github.sgpt4j.training.data;

import java.util.List;

/// A text with a teacher's embedding of it.
///
/// @param text stripped and not empty
/// @param teacher finite numbers, not all zero; must not be changed
public record TaughtText(String text, float[] teacher) implements TextRow {
    @Override
    public List<String> texts() {
        return List.of(text);
    }
}
