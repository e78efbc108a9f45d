package io.github.sgpt4j.checkpoint;

import io.github.sgpt4j.model.DecoderLayout;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.weights.ExpectedTensor;
import io.github.sgpt4j.weights.Weights;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Tensors that are stored but are not part of the model that config.json describes: further layers,
/// biases and norms of another family, a second copy under another prefix. They are not used;
/// transformers ignores and reports them too.
public final class StrayTensors {
    /// Output heads, by the first part of their names: embedding needs none, and scoring uses only one.
    private static final Set<String> HEADS =
            Set.of("lm_head", "embed_out", "score", "classifier", "qa_outputs", "v_head", "multiple_choice_head");

    private static final String SCORE_BIAS = "score.bias";

    private static final Set<String> ATTENTIONS = Set.of("attn", "attention", "crossattention");

    private StrayTensors() {}

    /// @param layout the tensors of the model
    /// @param weights the stored tensors
    /// @return one sentence; empty if there are no such tensors
    public static Optional<String> notice(DecoderLayout layout, Weights weights) {
        Set<String> needed = Stream.of(layout.decoder(), layout.head())
                .flatMap(List::stream)
                .map(ExpectedTensor::name)
                .collect(Collectors.toCollection(HashSet::new));
        KeyCheck.Unknown stray = new KeyCheck.Unknown("tensor");
        for (String name : weights.names()) {
            if (!needed.contains(name) && !isHead(name) && !isComputed(name, weights)) {
                stray.add(name);
            }
        }
        return stray.notice(weights.files().getFirst());
    }

    private static boolean isHead(String name) {
        int end = name.indexOf('.');
        // Heads of classes for sequences have no bias: a stored one is told.
        return end > 0 && HEADS.contains(name.substring(0, end)) && !name.equals(SCORE_BIAS);
    }

    /// Buffers that old versions of transformers stored although every version computes them: causal
    /// masks, the fill value of masks, rotary frequencies and positions.
    private static boolean isComputed(String name, Weights weights) {
        int last = name.lastIndexOf('.');
        String module = last < 0 ? "" : name.substring(name.lastIndexOf('.', last - 1) + 1, last);
        return switch (name.substring(last + 1)) {
            case "bias" ->
                ATTENTIONS.contains(module) && isMask(weights.get(name).shape());
            case "masked_bias" -> ATTENTIONS.contains(module);
            case "inv_freq", "cos_cached", "sin_cached" -> module.equals("rotary_emb");
            case "position_ids" -> true;
            default -> false;
        };
    }

    private static boolean isMask(Shape shape) {
        return shape.rank() == 4 && shape.dimension(2) == shape.dimension(3);
    }
}
