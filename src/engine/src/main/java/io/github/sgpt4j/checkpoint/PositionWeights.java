package io.github.sgpt4j.checkpoint;

import io.github.sgpt4j.batch.SequenceRows;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.weights.ExpectedTensor;
import io.github.sgpt4j.weights.ExpectedTensor.Use;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// SGPT's module `WeightedMeanPooling`: Σ w_i·h_i / max(Σ w_i, 1e-9) with a learned weight for each
/// position, stored under the same name as in the reference implementation (`position_weights`). The
/// reference implementation uses the weights from the first one on, whatever `position_start` is, and
/// fails on texts with more tokens than weights.
///
/// @param directory its folder
/// @param positions number of weights, which is the maximum number of tokens of a text
public record PositionWeights(Path directory, int positions) {
    private static final String TENSOR = "position_weights";
    private static final int DEFAULT_POSITIONS = 512;
    private static final double MIN_SUM = 1e-9;

    /// Reads `config.json` in a module's folder.
    ///
    /// @throws FormatException if it is broken
    public static PositionWeights read(Path directory, JsonFiles json) {
        JsonFile config = json.object(directory.resolve("config.json"));
        int last = config.positiveInt(DEFAULT_POSITIONS, "num_positions");
        int first = config.positiveIntOrZero(0, "position_start");
        long positions = last + 1L - first;
        if (positions < 1 || positions > Integer.MAX_VALUE) {
            throw new FormatException(
                    "%s: key \"position_start\": expected at most \"num_positions\", which is %d, got %d"
                            .formatted(config.path(), last, first));
        }
        return new PositionWeights(directory, (int) positions);
    }

    /// The tensors that its weight file must have.
    public List<ExpectedTensor> tensors() {
        return List.of(new ExpectedTensor(TENSOR, Use.VECTOR, positions));
    }

    /// Reads the first weights.
    ///
    /// @param limit maximum number of weights to read
    /// @throws io.github.sgpt4j.error.SgptException if the file is missing or broken
    public float[] load(int limit) {
        try (Weights weights = Weights.open(directory)) {
            WeightTensor tensor = weights.get(TENSOR, positions);
            float[] values = new float[Math.min(limit, positions)];
            return weights.mapped().reading(() -> {
                tensor.copyTo(0, values, 0, values.length);
                return values;
            });
        }
    }

    /// Pools each sequence.
    ///
    /// @param weights one per position, at least as many as the longest sequence has tokens
    /// @param states `[tokens, width]`, row-major
    /// @param sequences rows of `states`
    /// @param skip leading tokens of each sequence to leave out, `[sequences]`; positions count them
    /// @return `[sequences, width]`, row-major; a sequence with no token left gives zeros
    public static float[] pool(float[] weights, float[] states, int width, SequenceRows sequences, int[] skip) {
        float[] pooled = new float[Math.multiplyExact(sequences.count(), width)];
        double[] sums = new double[width];
        for (int s = 0; s < sequences.count(); s++) {
            Arrays.fill(sums, 0);
            double total = 0;
            for (int i = skip[s]; i < sequences.length(s); i++) {
                int at = Math.multiplyExact(sequences.rows()[sequences.starts()[s] + i], width);
                total += weights[i];
                for (int c = 0; c < width; c++) {
                    sums[c] += (double) weights[i] * states[at + c];
                }
            }
            double divisor = Math.max(total, MIN_SUM);
            for (int c = 0; c < width; c++) {
                pooled[s * width + c] = (float) (sums[c] / divisor);
            }
        }
        return pooled;
    }
}
