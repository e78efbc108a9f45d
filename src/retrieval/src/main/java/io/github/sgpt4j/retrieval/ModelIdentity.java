package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.BiEncoder;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Collectors;

/// Which model embeddings come from, and how it was used.
///
/// @param name for people: the checkpoint directory's name, or `owner/name` in a Hugging Face cache
/// @param fingerprint [BiEncoder#fingerprint]: embeddings with equal fingerprints may be compared
/// @param dimension components of an embedding
/// @param pooling pooling modes, for people
public record ModelIdentity(String name, String fingerprint, int dimension, String pooling) {
    /// @throws IllegalArgumentException if `dimension` is not positive
    public ModelIdentity {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(fingerprint, "fingerprint");
        Objects.requireNonNull(pooling, "pooling");
        if (dimension < 1) {
            throw new IllegalArgumentException("dimension: expected at least 1, got " + dimension);
        }
    }

    /// The identity of an encoder with its settings.
    public static ModelIdentity of(BiEncoder encoder) {
        String pooling = encoder.pooling().stream().map(Object::toString).collect(Collectors.joining("+"));
        return new ModelIdentity(
                name(encoder.model().directory()), encoder.fingerprint(), encoder.dimension(), pooling);
    }

    private static String name(Path directory) {
        Path absolute = directory.toAbsolutePath().normalize();
        Path parent = absolute.getParent();
        if (parent != null && parent.endsWith("snapshots") && parent.getParent() != null) {
            String repository = String.valueOf(parent.getParent().getFileName());
            return repository.replaceFirst("^models--", "").replace("--", "/");
        }
        return String.valueOf(absolute.getFileName());
    }

    /// Why what was made with this model cannot be used with another, as the end of a sentence: which models
    /// they are, what differs where that cannot be seen of them, and what helps.
    ///
    /// @param other with another fingerprint or dimension
    public String mismatch(ModelIdentity other) {
        return "%s, or %s".formatted(difference(other), IndexDamage.remedy());
    }

    /// As [#mismatch], without the advice to make it again.
    String difference(ModelIdentity other) {
        boolean alike = name.equals(other.name) && dimension == other.dimension && pooling.equals(other.pooling);
        return "made with model %s, and cannot be used with model %s%s; use the same model with the same settings"
                .formatted(
                        this,
                        other,
                        alike
                                ? ": they look alike, but their weights or their settings (prompts, brackets, length, scaling) differ"
                                : "");
    }

    /// For example `nano-specb (dimension 256, pooling weightedmean, fingerprint 0123…)`.
    @Override
    public String toString() {
        return "%s (dimension %d, pooling %s, fingerprint %s)".formatted(name, dimension, pooling, fingerprint);
    }
}
