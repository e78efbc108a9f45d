package io.github.sgpt4j.checkpoint;

import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFile;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// What a score is made of a raw score.
public enum ScoreActivation {
    /// 1 / (1 + e^-x): a probability.
    SIGMOID,
    /// log (1 / (1 + e^-x)): a log-probability.
    LOG_SIGMOID,
    /// The raw score.
    NONE;

    /// The classes of torch that published files name.
    private static final Map<String, ScoreActivation> CLASSES = Map.of(
            "torch.nn.modules.activation.Sigmoid", SIGMOID,
            "torch.nn.Sigmoid", SIGMOID,
            "torch.nn.modules.linear.Identity", NONE,
            "torch.nn.Identity", NONE);

    /// Reads the name of a class.
    ///
    /// @param file states it, if anything
    /// @throws UnsupportedModelException if it is another class
    static Optional<ScoreActivation> read(JsonFile file, String key) {
        String name = file.text(key, "");
        if (name.isEmpty()) {
            return Optional.empty();
        }
        ScoreActivation known = CLASSES.get(name);
        if (known == null) {
            throw file.unsupported(key, "Sigmoid and Identity of torch.nn are");
        }
        return Optional.of(known);
    }

    public double apply(double raw) {
        return switch (this) {
            case SIGMOID -> 1 / (1 + Math.exp(-raw));
            case LOG_SIGMOID -> raw < 0 ? raw - Math.log1p(Math.exp(raw)) : -Math.log1p(Math.exp(-raw));
            case NONE -> raw;
        };
    }

    /// The lower-case name.
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
