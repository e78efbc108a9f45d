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

    private Gemma3() {}

    private static DecoderConfig config(JsonFile c) {
        ConfigBuilder builder = Gemma.parts(c, 4);
        int layers = builder.layers();
        int pattern = c.positiveInt(PATTERN, "sliding_window_pattern", "_sliding_window_pattern");
        List<Boolean> sliding = LayerTypes.sliding(
                c,
                layers,
                IntStream.range(0, layers).mapToObj(i -> (i + 1) % pattern != 0).toList());
        int window = c.positiveInt(WINDOW, "sliding_window");
        Positions.Rotary local = RotaryFrequencies.gemma3Local(c, Gemma.headDim(c), Gemma.maxPositions(c));
        float scale = (float) Gemma.scale(c);
        double softcap = Gemma.softcap(c, "attn_logit_softcapping", 0);
        List<LayerAttention> attention = new ArrayList<>();
        for (boolean slides : sliding) {
            // In both directions, half of the window is seen on each side.
            LayerAttention layer = slides
                    ? new LayerAttention(scale, window)
                            .withWideWindow(window / 2 + 1)
                            .withRotary(local)
                    : new LayerAttention(scale, 0);
            attention.add(layer.withSoftcap(softcap));
        }
        return builder.positions(RotaryFrequencies.gemma3(c, Gemma.headDim(c), Gemma.maxPositions(c)))
                .residual(Residual.SEQUENTIAL_FOUR_NORMS)
                .headNorm(HeadNorm.EACH)
                .attention(attention)
                .logitSoftcap(Gemma.softcap(c, "final_logit_softcapping", 0))
                .build();
    }
}
