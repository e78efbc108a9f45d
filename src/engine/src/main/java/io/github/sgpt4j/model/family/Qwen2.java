package io.github.sgpt4j.model.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.family.DecoderConfig.Bias;
import io.github.sgpt4j.text.Quoted;
import java.util.ArrayList;
import java.util.List;

/// Qwen2: `configuration_qwen2.py`.
///
/// Trained in bfloat16, it exceeds half precision: single activations of the feed-forward layers go beyond 65504, and
/// with fp16 outputs become NaN (QwenLM/Qwen3 issues 761, 826 and 868; ggml-org/llama.cpp issue 7805).
final class Qwen2 {
    static final Family FAMILY =
            new Family("qwen2", Qwen2::config, Llama.names().build()).beyondHalf();

    private Qwen2() {}

    private static DecoderConfig config(JsonFile c) {
        ConfigBuilder builder = Llama.parts(c, new Bias(true, false, false, false), 32, Llama.headDim(c));
        return builder.windows(slidingWindows(c, builder.layers())).build();
    }

    /// Qwen's windows: `layer_types`, or all layers from `max_window_layers` on.
    static List<Integer> slidingWindows(JsonFile c, int layers) {
        boolean sliding = c.bool("use_sliding_window", false) && !c.isNull("sliding_window");
        int window = sliding ? c.positiveInt(4096, "sliding_window") : 0;
        int firstWindowed = c.positiveIntOrZero(28, "max_window_layers");
        JsonNode types = c.node("layer_types").orElse(null);
        if (types != null && (!types.isArray() || types.size() != layers)) {
            throw c.wrong("layer_types", "a list of " + layers + " kinds", types);
        }
        List<Integer> windows = new ArrayList<>();
        for (int i = 0; i < layers; i++) {
            String type =
                    types != null ? types.get(i).asText() : i >= firstWindowed ? "sliding_attention" : "full_attention";
            windows.add(
                    switch (type) {
                        case "full_attention" -> 0;
                        case "sliding_attention" -> window;
                        default ->
                            throw new UnsupportedModelException("%s: key \"layer_types\": %s is not supported"
                                    .formatted(c.path(), Quoted.of(type)));
                    });
        }
        return windows;
    }
}
