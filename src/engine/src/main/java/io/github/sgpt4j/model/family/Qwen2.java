package io.github.sgpt4j.model.family;

import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.family.DecoderConfig.Bias;
import java.util.List;
import java.util.stream.IntStream;

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
        boolean used = c.bool("use_sliding_window", false) && !c.isNull("sliding_window");
        int window = used ? c.positiveInt(4096, "sliding_window") : 0;
        int firstWindowed = c.positiveIntOrZero(28, "max_window_layers");
        List<Boolean> sliding = LayerTypes.sliding(
                c,
                layers,
                IntStream.range(0, layers).mapToObj(i -> i >= firstWindowed).toList());
        return sliding.stream().map(slides -> slides ? window : 0).toList();
    }
}
