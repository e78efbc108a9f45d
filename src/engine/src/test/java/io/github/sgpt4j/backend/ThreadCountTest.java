package io.github.sgpt4j.backend;

import io.github.sgpt4j.batch.PackedBatch;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Configurations that differ only in the division of work give the same results.
class ThreadCountTest {
    private final TestWeights weights = new TestWeights();

    @AfterEach
    void close() {
        weights.close();
    }

    @ParameterizedTest
    @MethodSource("io.github.sgpt4j.backend.BackendsUnderTest#sameResults")
    void divisionOfWorkDoesNotChangeResults(List<BackendUnderTest> alike) {
        for (MiniDecoder.Style style : MiniDecoder.Style.values()) {
            for (int[] lengths : new int[][] {{1}, {5}, {160}, {1, 2, 3, 7, 12, 13, 16, 17, 31, 33, 64, 100}}) {
                float[] expected = run(alike.getFirst(), style, lengths);
                for (BackendUnderTest other : alike) {
                    String what = "%s, %s, lengths %s".formatted(other.name(), style, Arrays.toString(lengths));
                    float[] actual = run(other, style, lengths);
                    other.tolerance().check(what, Doubles.of(expected), Doubles.of(actual), 1);
                }
            }
        }
    }

    /// Embeddings and scores, one after the other.
    private float[] run(BackendUnderTest subject, MiniDecoder.Style style, int[] lengths) {
        try (Backend backend = subject.open().get()) {
            TestData data = new TestData();
            MiniDecoder decoder = new MiniDecoder(backend, style, weights, data);
            PackedBatch packed = PackedBatch.of(Arrays.stream(lengths)
                    .mapToObj(length -> data.ids(length, MiniDecoder.VOCABULARY))
                    .toList());
            float[] embeddings = decoder.embeddings(packed);
            float[] scores = decoder.logProbabilities(packed);
            float[] both = Arrays.copyOf(embeddings, embeddings.length + scores.length);
            System.arraycopy(scores, 0, both, embeddings.length, scores.length);
            return both;
        }
    }
}
