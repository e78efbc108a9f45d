package io.github.sgpt4j.model.family;

import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.family.DecoderConfig.HeadNorm;
import io.github.sgpt4j.model.family.DecoderConfig.LayerAttention;
import io.github.sgpt4j.model.family.DecoderConfig.Residual;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// The text decoder of Gemma 3 (arXiv 2503.19786), and EmbeddingGemma (arXiv 2509.20354):
/// `configuration_gemma3.py`.
/// Layers with a window have another rotation than those without.
final class Gemma3 {
    static final Family FAMILY = new Family(
                    "gemma3_text",
                    Gemma3::config,
                    Gemma.fourNorms()
                            .headNorms("self_attn.q_norm", "self_attn.k_norm")
                            .build())
            .beyondHalf();

    private static final int WINDOW = 4096;
    private static final int PATTERN = 6;
    private static final String HIDDEN_PATTERN = "_sliding_window_pattern";

    private Gemma3() {}

    private static DecoderConfig config(JsonFile c) {
        ConfigBuilder builder = Gemma.parts(c, 4);
        int layers = builder.layers();
        int pattern = c.positiveInt(PATTERN, "sliding_window_pattern");
        if (!c.has("layer_types") && c.positiveInt(pattern, HIDDEN_PATTERN) != pattern) {
            throw c.unsupported(HIDDEN_PATTERN, "transformers computes it anew: expected \"layer_types\"");
        }
        List<Boolean> sliding = LayerTypes.sliding(
                c,
                layers,
                IntStream.range(0, layers).mapToObj(i -> (i + 1) % pattern != 0).toList());
        int window = Gemma.stated(c, "sliding_window").positiveInt(WINDOW, "sliding_window");
        int wide = wideWindow(c, window);
        Positions.Rotary local = RotaryFrequencies.gemma3Local(c, Gemma.headDim(c), Gemma.maxPositions(c));
        float scale = (float) Gemma.scale(c);
        List<LayerAttention> attention = new ArrayList<>();
        for (boolean slides : sliding) {
            attention.add(
                    slides
                            ? new LayerAttention(scale, window)
                                    .withWideWindow(wide)
                                    .withRotary(local)
                            : new LayerAttention(scale, 0));
        }
        return builder.positions(RotaryFrequencies.gemma3(c, Gemma.headDim(c), Gemma.maxPositions(c)))
                .residual(Residual.SEQUENTIAL_FOUR_NORMS)
                .headNorm(HeadNorm.EACH)
                .attention(attention)
                .logitSoftcap(Gemma.softcap(c, "final_logit_softcapping", 0))
                .build();
    }

    /// The distance from which on tokens are not seen in both directions. The family's own key halves the window;
    /// `is_causal` alone keeps it, and with both, tokens at the distance of the half are seen too.
    private static int wideWindow(JsonFile c, int window) {
        boolean own = c.bool("use_bidirectional_attention", false);
        int half = window / 2 + 1;
        return (int) Math.min(Integer.MAX_VALUE, own ? half + (c.bool("is_causal", true) ? 0L : 1) : window + 1L);
    }
}
