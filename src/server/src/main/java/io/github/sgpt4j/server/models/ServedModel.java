package io.github.sgpt4j.server.models;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.ModelInfo;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A model under the names that clients use. What is read from its files is read once, when it is first asked for.
/// Safe to share between threads.
public final class ServedModel implements AutoCloseable {
    private final String id;
    private final List<String> aliases;
    private final Model model;
    private final Optional<BiEncoder> encoder;
    private final Optional<CrossEncoder> scorer;
    private final Optional<String> rerankNote;
    private volatile @Nullable ModelInfo info;
    private volatile @Nullable String fingerprint;

    /// @param id its name in answers
    /// @param aliases other names for it
    /// @param model computes; closed by [#close] together with its encoders
    /// @param encoder embeds, if the model is served for that
    /// @param scorer re-ranks, if the model can
    /// @throws IllegalArgumentException if the model can neither embed nor score
    public ServedModel(
            String id, List<String> aliases, Model model, Optional<BiEncoder> encoder, Optional<CrossEncoder> scorer) {
        this(id, aliases, model, encoder, scorer, Optional.empty());
    }

    /// @param rerankNote a sentence for people who let it re-rank
    /// @throws IllegalArgumentException if the model can neither embed nor score
    public ServedModel(
            String id,
            List<String> aliases,
            Model model,
            Optional<BiEncoder> encoder,
            Optional<CrossEncoder> scorer,
            Optional<String> rerankNote) {
        if (encoder.isEmpty() && scorer.isEmpty()) {
            throw new IllegalArgumentException("model %s is served for nothing".formatted(id));
        }
        this.id = id;
        this.aliases = List.copyOf(aliases);
        this.model = model;
        this.encoder = encoder;
        this.scorer = scorer;
        this.rerankNote = rerankNote;
    }

    /// Its name in answers.
    public String id() {
        return id;
    }

    /// Other names for it.
    public List<String> aliases() {
        return aliases;
    }

    /// What computes.
    public Model model() {
        return model;
    }

    /// Embeds, if the model is served for that.
    public Optional<BiEncoder> encoder() {
        return encoder;
    }

    /// Re-ranks, if the model can.
    public Optional<CrossEncoder> scorer() {
        return scorer;
    }

    /// What people should know who let it re-rank.
    public Optional<String> rerankNote() {
        return rerankNote;
    }

    /// Whether clients may call it so.
    public boolean isNamed(String name) {
        return id.equals(name) || aliases.contains(name);
    }

    /// Short name of what computes: `cpu` or `cuda`.
    public String computeType() {
        return model.device().startsWith("cuda") ? "cuda" : "cpu";
    }

    /// Facts about its checkpoint.
    public ModelInfo info() {
        ModelInfo known = info;
        if (known == null) {
            known = model.info();
            info = known;
        }
        return known;
    }

    /// Identifies everything that embeddings depend on, if it embeds ([BiEncoder#fingerprint]).
    public Optional<String> fingerprint() {
        String known = fingerprint;
        if (known == null && encoder.isPresent()) {
            known = encoder.get().fingerprint();
            fingerprint = known;
        }
        return Optional.ofNullable(known);
    }

    @Override
    public void close() {
        scorer.ifPresent(CrossEncoder::close);
        encoder.ifPresent(BiEncoder::close);
        model.close();
    }
}
