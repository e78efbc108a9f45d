package io.github.sgpt4j.batch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TokenBudgetTest {
    private static final long SEED = Long.getLong("sgpt4j.seed", 4096);

    @Test
    void theLongestComeFirstAndEqualsKeepTheirOrder() {
        List<int[]> plan = TokenBudget.plan(new int[] {2, 5, 2, 1, 5}, 7);
        assertEquals(3, plan.size());
        assertArrayEquals(new int[] {1}, plan.get(0));
        assertArrayEquals(new int[] {4, 0}, plan.get(1));
        assertArrayEquals(new int[] {2, 3}, plan.get(2));
    }

    @Test
    void aSequenceLongerThanTheBudgetIsAlone() {
        List<int[]> plan = TokenBudget.plan(new int[] {1, 9, 1}, 3);
        assertArrayEquals(new int[] {1}, plan.get(0));
        assertArrayEquals(new int[] {0, 2}, plan.get(1));
    }

    @Test
    void nothingNeedsNoBatch() {
        assertTrue(TokenBudget.plan(new int[0], 10).isEmpty());
    }

    @Test
    void budgetsBelowOneAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> TokenBudget.plan(new int[] {1}, 0));
        assertThrows(IllegalArgumentException.class, () -> TokenBudget.plan(new int[] {1}, -5));
    }

    @Test
    void lengthsDoNotOverflow() {
        int huge = Integer.MAX_VALUE;
        assertEquals(3, TokenBudget.plan(new int[] {huge, huge, huge}, huge).size());
    }

    @Test
    void everyIndexOccursOnceAndBatchesAreFilled() {
        Random random = new Random(SEED);
        for (int round = 0; round < 500; round++) {
            int[] lengths = random.ints(random.nextInt(40), 1, 1 + random.nextInt(1, 60))
                    .toArray();
            int budget = 1 + random.nextInt(120);
            List<int[]> plan = TokenBudget.plan(lengths, budget);
            int[] all = plan.stream().flatMapToInt(Arrays::stream).sorted().toArray();
            assertArrayEquals(IntStream.range(0, lengths.length).toArray(), all, "seed " + SEED);
            for (int b = 0; b < plan.size(); b++) {
                int tokens = Arrays.stream(plan.get(b)).map(i -> lengths[i]).sum();
                assertTrue(tokens <= budget || plan.get(b).length == 1, "seed " + SEED);
                if (b + 1 < plan.size()) {
                    assertTrue(tokens + lengths[plan.get(b + 1)[0]] > budget, "seed " + SEED);
                    assertTrue(lengths[plan.get(b)[plan.get(b).length - 1]] >= lengths[plan.get(b + 1)[0]]);
                }
            }
        }
    }
}
