package io.github.sgpt4j.model.family;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.text.Quoted;
import java.util.Optional;

/// Activation functions by their names in configuration files.
final class ActivationNames {
    private ActivationNames() {}

    /// Reads an activation by its name in transformers' `ACT2FN`.
    static Activation named(JsonFile config, String key, String fallback) {
        String name = config.text(key, fallback);
        return activation(name)
                .orElseThrow(() -> new UnsupportedModelException("%s: activation %s (key \"%s\") is not supported"
                        .formatted(config.path(), Quoted.of(name), key)));
    }

    private static Optional<Activation> activation(String name) {
        return switch (name) {
            case "gelu", "gelu_python" -> Optional.of(Activation.GELU);
            case "gelu_new", "gelu_fast", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_accurate" ->
                Optional.of(Activation.GELU_TANH);
            case "quick_gelu" -> Optional.of(Activation.GELU_QUICK);
            case "relu" -> Optional.of(Activation.RELU);
            case "silu", "swish" -> Optional.of(Activation.SILU);
            case "tanh" -> Optional.of(Activation.TANH);
            case "sigmoid" -> Optional.of(Activation.SIGMOID);
            case "linear" -> Optional.of(Activation.NONE);
            default -> Optional.empty();
        };
    }
}
