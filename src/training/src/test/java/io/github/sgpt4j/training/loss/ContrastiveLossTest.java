package io.github.sgpt4j.training.loss;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.training.Goldens;
import io.github.sgpt4j.weights.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ForkJoinPool;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ContrastiveLossTest {
    private static final ContrastiveLoss LOSS = new ContrastiveLoss(20);

    /// The golden's embeddings were rounded to 32 bits after its loss was computed, so that loss and
    /// gradients agree to about 1e-7 only. `of_stored` was computed from the rounded ones.
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void lossAndGradientsEqualTheReference(int negatives) {
        JsonNode golden = Goldens.json("operations/loss.json").get("loss.negatives-" + negatives);
        JsonNode exact = golden.get("of_stored");
        List<String> parts = List.of("positive", "negative", "negative_2").subList(0, 1 + negatives);
        try (Weights weights = Weights.openFile(Goldens.file("operations/loss.safetensors"))) {
            Tensors tensors = new Tensors(weights, "loss.negatives-" + negatives + ".");
            ContrastiveLoss loss = new ContrastiveLoss(golden.get("scale").doubleValue());
            ContrastiveLoss.Result result = loss.of(
                    tensors.rows("anchor"), parts.stream().map(tensors::rows).toList());
            assertEquals(golden.get("loss").doubleValue(), result.loss(), 1e-7);
            assertEquals(exact.get("loss").doubleValue(), result.loss(), 1e-13);
            List<String> names = new ArrayList<>(List.of("anchor"));
            names.addAll(parts);
            List<Matrix> gradients = new ArrayList<>(List.of(result.anchors()));
            gradients.addAll(result.candidates());
            for (int i = 0; i < names.size(); i++) {
                double[] got = gradients.get(i).values();
                double[] rounded = Matrix.of(tensors.rows("d" + names.get(i))).values();
                assertArrayEquals(rounded, got, 1e-7, names.get(i));
                double[] expected = Goldens.numbers(exact.get("gradients").get(names.get(i)));
                assertArrayEquals(expected, got, 1e-13, names.get(i));
            }
        }
    }

    private record Tensors(Weights weights, String prefix) {
        float[][] rows(String name) {
            float[] all = weights.get(prefix + name, 6, 16).toFloats();
            float[][] rows = new float[6][16];
            for (int i = 0; i < 6; i++) {
                System.arraycopy(all, i * 16, rows[i], 0, 16);
            }
            return rows;
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void gradientsAreThoseOfTheLoss(int kinds) {
        Matrix anchors = Differences.random(5, 7, 1);
        Matrix candidates = Differences.random(5 * kinds, 7, 2);
        ContrastiveLoss.Result result = LOSS.of(Differences.copy(anchors), Differences.copy(candidates));
        Differences.assertGradient(
                anchors,
                result.anchors(),
                a -> LOSS.of(a, Differences.copy(candidates)).loss());
        for (int kind = 0; kind < kinds; kind++) {
            int from = 5 * kind;
            Differences.assertGradient(
                    candidates.slice(from, 5), result.candidates().get(kind), part -> {
                        Matrix changed = Differences.copy(candidates);
                        System.arraycopy(part.values(), 0, changed.values(), changed.start(from), part.values().length);
                        return LOSS.of(Differences.copy(anchors), changed).loss();
                    });
        }
    }

    /// Shapes on both sides of every block's end.
    @ParameterizedTest
    @ValueSource(ints = {1, 31, 33, 129})
    void blocksEqualNaiveSums(int rows) {
        Matrix a = Differences.random(rows, 67, 3);
        Matrix b = Differences.random(130, 67, 4);
        Matrix c = Differences.random(67, 515, 5);
        Matrix d = Differences.random(rows, 515, 6);
        Matrix abt = Products.timesTransposed(a, b);
        Matrix ac = Products.times(a, c);
        Matrix atd = Products.transposedTimes(a, d);
        assertEquals(List.of(rows, 130), List.of(abt.rows(), abt.columns()));
        assertEquals(List.of(rows, 515), List.of(ac.rows(), ac.columns()));
        assertEquals(List.of(67, 515), List.of(atd.rows(), atd.columns()));
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < 515; j += 3) {
                double sum = 0;
                for (int p = 0; p < 67; p++) {
                    sum += a.at(i, p) * c.at(p, j);
                }
                assertEquals(sum, ac.at(i, j), 1e-12);
            }
            for (int j = 0; j < 130; j++) {
                double sum = 0;
                for (int p = 0; p < 67; p++) {
                    sum += a.at(i, p) * b.at(j, p);
                }
                assertEquals(sum, abt.at(i, j), 1e-12);
            }
        }
        for (int i = 0; i < 67; i++) {
            for (int j = 0; j < 515; j += 7) {
                double sum = 0;
                for (int p = 0; p < rows; p++) {
                    sum += a.at(p, i) * d.at(p, j);
                }
                assertEquals(sum, atd.at(i, j), 1e-12);
            }
        }
    }

    @Test
    void bitsDoNotDependOnTheNumberOfThreads() throws Exception {
        Matrix anchors = Differences.random(150, 70, 8);
        Matrix candidates = Differences.random(300, 70, 9);
        List<ContrastiveLoss.Result> results = new ArrayList<>();
        for (int threads : new int[] {1, 2, 5}) {
            try (ForkJoinPool pool = new ForkJoinPool(threads)) {
                results.add(pool.submit(() -> LOSS.of(Differences.copy(anchors), Differences.copy(candidates)))
                        .get());
            }
        }
        for (ContrastiveLoss.Result other : results.subList(1, 3)) {
            assertEquals(results.getFirst().loss(), other.loss());
            assertArrayEquals(
                    results.getFirst().anchors().values(), other.anchors().values());
            assertArrayEquals(
                    results.getFirst().candidates().get(1).values(),
                    other.candidates().get(1).values());
        }
    }

    @Test
    void positivesAreFirstOnlyIfNoOtherScoresAsHigh() {
        float[][] anchors = {{1, 0}, {0, 1}, {1, 1}};
        float[][] positives = {{2, 0}, {2, 1}, {3, 3}};
        ContrastiveLoss.Result result = LOSS.of(anchors, List.<float[][]>of(positives));
        assertEquals(2, result.first());
        assertEquals(3, result.rows());
        ContrastiveLoss.Result tied = LOSS.of(anchors, List.of(positives, positives));
        assertEquals(0, tied.first());
    }

    @Test
    void aRowAloneHasNoLossWithoutNegatives() {
        ContrastiveLoss.Result result = LOSS.of(new float[][] {{1, 2}}, List.<float[][]>of(new float[][] {{2, 1}}));
        assertEquals(0, result.loss());
        assertEquals(1, result.first());
        assertArrayEquals(new float[][] {{0, 0}}, result.anchors().toFloats());
    }

    /// As in PyTorch: a vector of zeros is divided by 1e-12, and so is its gradient.
    @Test
    void vectorsOfZerosAreClamped() {
        ContrastiveLoss.Result result =
                LOSS.of(new float[][] {{0, 0}, {0, 1}}, List.<float[][]>of(new float[][] {{1, 0}, {0, 1}}));
        // All scores of the first row are 0, so its two candidates pull with equal force.
        assertEquals((Math.log(2) + Math.log1p(Math.exp(-20))) / 2, result.loss(), 1e-15);
        assertEquals(-5e12, result.anchors().at(0, 0), 1);
        assertEquals(5e12, result.anchors().at(0, 1), 1);
    }

    @Test
    void aBrokenEmbeddingShowsInTheLoss() {
        ContrastiveLoss.Result result =
                LOSS.of(new float[][] {{1, Float.NaN}, {0, 1}}, List.<float[][]>of(new float[][] {{1, 0}, {0, 1}}));
        assertTrue(Double.isNaN(result.loss()));
        assertEquals(1, result.first());
    }

    @Test
    void shapesThatDoNotFitAreRefused() {
        float[][] two = {{1, 0}, {0, 1}};
        float[][] one = {{1, 0}};
        float[][] ragged = {{1, 0}, {0}};
        assertThrows(IllegalArgumentException.class, () -> LOSS.of(two, List.<float[][]>of(one)));
        assertThrows(IllegalArgumentException.class, () -> LOSS.of(two, List.of()));
        assertThrows(IllegalArgumentException.class, () -> LOSS.of(new float[0][], List.of()));
        assertThrows(IllegalArgumentException.class, () -> LOSS.of(two, List.<float[][]>of(ragged)));
        assertThrows(IllegalArgumentException.class, () -> LOSS.of(ragged, List.<float[][]>of(two)));
        assertThrows(
                IllegalArgumentException.class,
                () -> LOSS.of(two, List.<float[][]>of(new float[][] {{1, 0, 0}, {0, 1, 0}})));
        assertThrows(IllegalArgumentException.class, () -> new ContrastiveLoss(0));
    }
}
