package io.github.sgpt4j.model.family;

import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.family.DecoderConfig.Residual;
import java.util.List;
import java.util.stream.IntStream;

/// Gemma 2 (arXiv 2408.00118): `configuration_gemma2.py`. Scores and logits have bounds, every other
/// layer has a
/// window, and norms surround both blocks.
final class Gemma2 {
    static final Family FAMILY =
            new Family("gemma2", Gemma2::config, Gemma.fourNorms().build()).beyondHalf();

    private static final int WINDOW = 4096;

    private Gemma2() {}

    private static DecoderConfig config(JsonFile c) {
        ConfigBuilder builder = Gemma.parts(c, 4);
        double softcap = Gemma.softcap(c, "attn_logit_softcapping", 50);
        int window = Gemma.stated(c, "sliding_window").positiveInt(WINDOW, "sliding_window");
        List<Boolean> sliding = LayerTypes.sliding(
                c,
                builder.layers(),
                IntStream.range(0, builder.layers()).mapToObj(i -> i % 2 == 0).toList());
        return builder.positions(RotaryFrequencies.llama(c, Gemma.headDim(c), Gemma.maxPositions(c)))
                .residual(Residual.SEQUENTIAL_FOUR_NORMS)
                .windows(sliding.stream().map(s -> s ? window : 0).toList(), Gemma.scale(c))
                .eachLayer(layer -> layer.withSoftcap(softcap))
                .logitSoftcap(Gemma.softcap(c, "final_logit_softcapping", 30))
                .build();
    }
}
