package io.github.sgpt4j.backend;

import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.WeightTensor;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("vector")
@Tag("cuda")
@ParameterizedClass
@MethodSource("io.github.sgpt4j.backend.BackendsUnderTest#withWeightTypes")
class LogProbabilityContractTest extends BackendContract {
    private static final List<ElementType> STORED = List.of(ElementType.F32, ElementType.F16, ElementType.BF16);

    LogProbabilityContractTest(BackendUnderTest subject) {
        super(subject);
    }

    @Test
    void scoresEveryVocabulary() {
        for (int vocabulary :
                new int[] {1, 2, 3, 7, 15, 16, 17, 31, 33, 50, 64, 100, 127, 511, 513, 1024, 1025, 1500}) {
            score(vocabulary, 24, 1 + data.below(14), 1, data.flip());
        }
    }

    @Test
    void scoresEveryHiddenSize() {
        for (int hidden : TestData.SIZES) {
            score(101, hidden, 3, 1, data.flip());
        }
    }

    @Test
    void scoresEveryNumberOfRows() {
        for (int rows : new int[] {1, 2, 3, 5, 11, 12, 13, 14, 24, 25, 64, 100, 130}) {
            score(150, 17, rows, 1, data.flip());
        }
        score(70, 769, 300, 1, true);
    }

    @Test
    void scoresTheVocabularyOfGpt2() {
        score(50257, 20, 5, 1, false);
    }

    @Test
    void scoresEveryStoredTypeWithAndWithoutBias() {
        for (ElementType stored : STORED) {
            for (boolean biased : new boolean[] {false, true}) {
                score(stored, 333, 40, 13, 1, biased);
            }
        }
    }

    @Test
    void boundsLogits() {
        // Vocabularies on both sides of panels and of blocks of threads: nothing past the end may count.
        for (int vocabulary : new int[] {1, 2, 3, 15, 16, 17, 31, 33, 50, 100, 127, 511, 513, 1024, 1025, 1500}) {
            for (float softcap : new float[] {0.5f, 3, 30}) {
                WeightTensor head = weights.tensor(ElementType.F32, data.weights(vocabulary, 24), vocabulary, 24);
                List<MatrixRows> bias =
                        data.flip() ? List.of(MatrixRows.all(weights.vector(data.normal(vocabulary)))) : List.of();
                int rows = 1 + data.below(14);
                int[] targets = data.integers(rows, vocabulary);
                targets[0] = vocabulary - 1;
                logProbabilities("", tolerance, head, bias, softcap, data.normal(rows * 24, 0, 4), targets);
            }
        }
    }

    @Test
    void leavesOutTheHeadsLastRows() {
        // On both sides of panels, chunks and blocks; the rows that are left out have the largest logits.
        int rows = 1600;
        for (int vocabulary : new int[] {1, 2, 15, 16, 17, 33, 127, 511, 513, 1024, 1025, 1599, 1600}) {
            for (float softcap : new float[] {0, 3}) {
                float[] values = data.weights(rows, 24);
                for (int i = vocabulary * 24; i < values.length; i++) {
                    values[i] *= 20;
                }
                WeightTensor head = weights.tensor(ElementType.F32, values, rows, 24);
                List<MatrixRows> bias =
                        data.flip() ? List.of(MatrixRows.all(weights.vector(data.normal(rows)))) : List.of();
                int[] targets = data.integers(1 + data.below(14), vocabulary);
                targets[0] = vocabulary - 1;
                float[] x = data.normal(targets.length * 24, 0, 4);
                compare("first %d rows, bound %s".formatted(vocabulary, softcap), tolerance, side -> {
                    Linear linear = side.linear(List.of(MatrixRows.all(head)), bias);
                    Tensor out = side.out(targets.length, 1);
                    side.backend()
                            .logProbabilities(
                                    side.in(x, targets.length, 24), linear, vocabulary, softcap, targets, out);
                    return out;
                });
            }
        }
    }

    @Test
    void boundsExtremeLogits() {
        WeightTensor head = weights.tensor(ElementType.F32, data.weights(1500, 32), 1500, 32);
        for (double size : new double[] {100, 10_000}) {
            // all logits are near ±30
            logProbabilities(
                    "logits of size " + size,
                    tolerance.scaled(30),
                    head,
                    List.of(),
                    30,
                    data.normal(7 * 32, 0, size),
                    data.integers(7, 1500));
        }
    }

    @Test
    void staysFiniteForExtremeLogits() {
        // logits of deviation 100 and 10,000: e^100 overflows, and the running maximum changes many
        // times
        score(1500, 32, 7, 100, true);
        score(1500, 32, 7, 10_000, false);
        score(1, 32, 3, 10_000, false);
    }

    @Test
    void runningMaximumMayComeFirstOrLast() {
        // over many blocks of the vocabulary, and far enough apart for e^x to overflow even in 64
        // bits
        int vocabulary = 6000;
        for (boolean rising : new boolean[] {false, true}) {
            float[] ramp = new float[vocabulary];
            for (int v = 0; v < vocabulary; v++) {
                ramp[v] = (rising ? v : vocabulary - 1 - v) * 0.5f;
            }
            WeightTensor head = weights.tensor(ElementType.F32, ramp, vocabulary, 1);
            int[] targets = {0, 1, 2999, 5998, 5999, 0, 5999};
            float[] x = {1, 1, 1, 1, 1, -1, -1};
            logProbabilities("ramp", tolerance.scaled(100), head, List.of(), x, targets);
        }
    }

    @Test
    void repeatedRowsAndTargetsScoreAlike() {
        int hidden = 33;
        WeightTensor head = weights.tensor(ElementType.F32, data.weights(700, hidden), 700, hidden);
        float[] one = data.normal(hidden);
        int rows = 30;
        float[] x = new float[rows * hidden];
        int[] targets = new int[rows];
        for (int r = 0; r < rows; r++) {
            System.arraycopy(one, 0, x, r * hidden, hidden);
            targets[r] = r % 3 == 0 ? 699 : r;
        }
        logProbabilities("repeated rows", tolerance, head, List.of(), x, targets);
    }

    private void score(int vocabulary, int hidden, int rows, double size, boolean biased) {
        score(STORED.get(data.below(STORED.size())), vocabulary, hidden, rows, size, biased);
    }

    /// @param size deviation of the logits
    private void score(ElementType stored, int vocabulary, int hidden, int rows, double size, boolean biased) {
        WeightTensor head = weights.tensor(stored, data.weights(vocabulary, hidden), vocabulary, hidden);
        List<MatrixRows> bias = biased
                ? List.of(MatrixRows.all(weights.tensor(stored, data.normal(vocabulary), vocabulary)))
                : List.of();
        int[] targets = data.integers(rows, vocabulary);
        targets[0] = vocabulary - 1;
        targets[rows - 1] = 0;
        String what = "%s, logits of size %s, bias %s".formatted(stored, size, biased);
        // a logarithm of a probability is a difference of two numbers as large as the logits
        logProbabilities(what, tolerance.scaled(size), head, bias, data.normal(rows * hidden, 0, size), targets);
    }

    private void logProbabilities(
            String what, Tolerance allowed, WeightTensor weight, List<MatrixRows> bias, float[] x, int[] targets) {
        logProbabilities(what, allowed, weight, bias, 0, x, targets);
    }

    private void logProbabilities(
            String what,
            Tolerance allowed,
            WeightTensor weight,
            List<MatrixRows> bias,
            float softcap,
            float[] x,
            int[] targets) {
        int hidden = Math.toIntExact(weight.shape().dimension(1));
        int rows = targets.length;
        String label =
                "log probabilities [%d, %d] x %s, bound %s, %s".formatted(rows, hidden, weight.shape(), softcap, what);
        compare(label, allowed, side -> {
            Linear head = side.linear(List.of(MatrixRows.all(weight)), bias);
            Tensor out = side.out(rows, 1);
            side.backend().logProbabilities(side.in(x, rows, hidden), head, softcap, targets, out);
            return out;
        });
    }
}
