package io.github.sgpt4j.server.models;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.Model;
import java.util.List;
import java.util.Optional;

/// A model under the names that clients use.
///
/// @param id its name in answers
/// @param aliases other names for it
/// @param model computes; closed by [#close] together with its encoders
/// @param encoder embeds, if the model is served for that
/// @param scorer re-ranks, if the model can
public record ServedModel(
        String id, List<String> aliases, Model model, Optional<BiEncoder> encoder, Optional<CrossEncoder> scorer)
        implements AutoCloseable {
    /// Copies the aliases.
    ///
    /// @throws IllegalArgumentException if the model can neither embed nor score
    public ServedModel {
        aliases = List.copyOf(aliases);
        if (encoder.isEmpty() && scorer.isEmpty()) {
            throw new IllegalArgumentException("model %s is served for nothing".formatted(id));
        }
    }

    /// Whether clients may call it so.
    public boolean isNamed(String name) {
        return id.equals(name) || aliases.contains(name);
    }

    /// Short name of what computes: `cpu` or `cuda`.
    public String computeType() {
        return model.device().startsWith("cuda") ? "cuda" : "cpu";
    }

    @Override
    public void close() {
        scorer.ifPresent(CrossEncoder::close);
        encoder.ifPresent(BiEncoder::close);
        model.close();
    }
}
