package io.github.sgpt4j.inference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.github.sgpt4j.batch.SequenceBatch;
import io.github.sgpt4j.batch.SequenceRows;
import io.github.sgpt4j.checkpoint.PositionWeights;
import java.util.List;
import org.junit.jupiter.api.Test;

class PositionWeightsTest {
    private static final SequenceRows ROWS =
            SequenceBatch.of(List.of(new int[] {1, 2}, new int[] {3})).rows();
    private static final float[] STATES = {1, 10, 2, 20, 3, 30};

    private static float[] pool(float[] weights, int... skip) {
        return PositionWeights.pool(weights, STATES, 2, ROWS, skip);
    }

    @Test
    void weightsBelongToPositions() {
        assertArrayEquals(new float[] {1.75f, 17.5f, 3, 30}, pool(new float[] {1, 3, 100}, 0, 0));
    }

    @Test
    void aSumOfWeightsBelowTheLeastOneCountsAsThat() {
        assertArrayEquals(new float[] {-1e9f, -1e10f, 0, 0}, pool(new float[] {0, -0.5f}, 0, 0));
        assertArrayEquals(new float[] {-1e9f, -1e10f, -3e9f, -3e10f}, pool(new float[] {-1, 0}, 0, 0));
    }

    @Test
    void whatIsLeftOutHasNoWeight() {
        assertArrayEquals(new float[] {2, 20, 0, 0}, pool(new float[] {1, 3}, 1, 1));
    }
}
