package io.github.sgpt4j.training.parameters;

import io.github.sgpt4j.TrainableTensor;
import io.github.sgpt4j.error.FormatException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// How matrices are trained by products of low rank (LoRA: Hu et al., arXiv:2106.09685).
///
/// @param rank of the products
/// @param alpha products are scaled by `alpha / rank`
/// @param targets names of modules, the last part such as `q_proj`; [#ALL_LINEAR] for all projections; empty for those
/// of
///     queries and values, or the one that holds them
public record LoraOptions(int rank, double alpha, Set<String> targets) {
    /// The target that means all projections, as in peft.
    public static final String ALL_LINEAR = "all-linear";

    /// Rank 8, scaled by 2, on queries and values.
    public static final LoraOptions DEFAULT = new LoraOptions(8, 16, Set.of());

    private static final Set<String> QUERIES_AND_VALUES = Set.of("q_proj", "v_proj", "c_attn", "query_key_value");
    private static final int MAX_RANK = 4096;

    /// Checks the numbers.
    public LoraOptions {
        if (rank < 1 || rank > MAX_RANK) {
            throw new IllegalArgumentException("rank: expected 1 to %d, got %d".formatted(MAX_RANK, rank));
        }
        if (!(alpha > 0) || Double.isInfinite(alpha)) {
            throw new IllegalArgumentException("alpha: expected a number above 0, got " + alpha);
        }
        targets = Set.copyOf(targets);
    }

    /// What products are scaled by.
    public double scale() {
        return alpha / rank;
    }

    /// Whether a tensor is the matrix of a target.
    public boolean trains(TrainableTensor tensor) {
        if (!tensor.isMatrix() || !tensor.name().endsWith(".weight")) {
            return false;
        }
        String module = module(tensor);
        return targets.isEmpty()
                ? QUERIES_AND_VALUES.contains(module)
                : targets.contains(ALL_LINEAR) || targets.contains(module);
    }

    /// The last part of the name of a tensor's module.
    static String module(TrainableTensor tensor) {
        List<String> parts = List.of(tensor.name().split("\\."));
        return parts.size() < 2 ? "" : parts.get(parts.size() - 2);
    }

    /// The modules that were trained, as peft's `target_modules`.
    public static Set<String> modules(List<TrainableTensor> tensors) {
        Set<String> modules = new TreeSet<>();
        tensors.forEach(tensor -> modules.add(module(tensor)));
        return modules;
    }

    /// Checks that no target is without a matrix.
    ///
    /// @param trained all tensors that are trained
    /// @throws FormatException if one is
    public void requireTargets(List<TrainableTensor> trained) {
        Set<String> missing = new TreeSet<>(targets);
        missing.remove(ALL_LINEAR);
        missing.removeAll(modules(trained));
        if (!missing.isEmpty()) {
            throw new FormatException("lora targets: expected names of the model's projections such as q_proj, got %s"
                    .formatted(String.join(", ", missing)));
        }
    }

    /// What decides the numbers of a training, by name.
    public Map<String, String> settings() {
        return Map.of(
                "lora rank", Integer.toString(rank),
                "lora alpha", Double.toString(alpha),
                "lora targets", String.join(", ", new TreeSet<>(targets)));
    }
}
