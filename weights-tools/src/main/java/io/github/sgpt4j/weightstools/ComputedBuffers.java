package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.tensor.Shape;
import java.util.regex.Pattern;

/// Tells buffers that old versions of transformers stored and every version computes: causal masks, the value of what
/// is masked, rotary frequencies. Names alone would not do: `attn.c_attn.bias` is a weight, so shapes must fit too.
final class ComputedBuffers {
    private static final Pattern MASK = Pattern.compile("(.*\\.)?(attn|attention|crossattention)\\.bias");
    private static final Pattern MASKED_VALUE =
            Pattern.compile("(.*\\.)?(attn|attention|crossattention)\\.masked_bias");
    private static final Pattern FREQUENCIES = Pattern.compile("(.*\\.)?rotary_emb\\.inv_freq");

    private ComputedBuffers() {}

    static boolean isOne(String name, Shape shape) {
        if (MASK.matcher(name).matches()) {
            return shape.rank() == 4
                    && shape.dimension(0) == 1
                    && shape.dimension(1) == 1
                    && shape.dimension(2) == shape.dimension(3);
        }
        if (MASKED_VALUE.matcher(name).matches()) {
            return shape.elements() == 1;
        }
        return FREQUENCIES.matcher(name).matches() && shape.rank() == 1;
    }
}
