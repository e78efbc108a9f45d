package io.github.sgpt4j.model.family;

import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.text.Quoted;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// What users should know about settings that versions of transformers follow in different ways.
public final class FamilyNotices {
    private static final Set<String> GEMMAS = Set.of("gemma", "gemma2", "gemma3_text");

    /// Names of the same function.
    private static final Set<String> TANH_GELU = Set.of("gelu_pytorch_tanh", "gelu_new", "gelu_fast", "gelu_accurate");

    private FamilyNotices() {}

    /// @param config config.json
    /// @return one sentence each
    public static List<String> of(JsonFile config) {
        return Stream.of(Directions.notice(config), activation(config))
                .flatMap(Optional::stream)
                .toList();
    }

    /// Of Gemma, if transformers 5 takes another activation than transformers 4 did.
    private static Optional<String> activation(JsonFile config) {
        if (!GEMMAS.contains(config.text("model_type", "")) || config.has("hidden_activation")) {
            return Optional.empty();
        }
        return config.node("hidden_act")
                .filter(stated -> !TANH_GELU.contains(stated.asText()))
                .map(stated ->
                        "%s: key \"hidden_act\": %s is passed over, as transformers 4 does, and the activation is gelu_pytorch_tanh; transformers 5 follows it; \"hidden_activation\" says it to both"
                                .formatted(config.path(), Quoted.of(stated.asText())));
    }
}
