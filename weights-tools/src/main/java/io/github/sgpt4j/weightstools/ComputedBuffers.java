package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.tensor.Shape;
import java.util.Set;

/// Recognises buffers that old versions of transformers stored and every version computes: causal
/// masks, the value of masked positions, rotary frequencies. Names alone are not enough:
/// `attn.c_attn.bias` is a weight, so shapes must fit too.
final class ComputedBuffers {
    private static final Set<String> ATTENTIONS = Set.of("attn", "attention", "crossattention");

    private ComputedBuffers() {}

    static boolean isOne(String name, Shape shape) {
        int last = name.lastIndexOf('.');
        if (last < 0) {
            return false;
        }
        String module = name.substring(name.lastIndexOf('.', last - 1) + 1, last);
        return switch (name.substring(last + 1)) {
            case "bias" -> ATTENTIONS.contains(module) && isMask(shape);
            case "masked_bias" -> ATTENTIONS.contains(module) && shape.elements() == 1;
            case "inv_freq" -> module.equals("rotary_emb") && shape.rank() == 1;
            default -> false;
        };
    }

    private static boolean isMask(Shape shape) {
        return shape.rank() == 4
                && shape.dimension(0) == 1
                && shape.dimension(1) == 1
                && shape.dimension(2) == shape.dimension(3);
    }
}
