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
        List<int[]> plan = new TokenBudget(7).plan(new int[] {2, 5, 2, 1, 5});
        assertEquals(3, plan.size());
        assertArrayEquals(new int[] {1}, plan.get(0));
        assertArrayEquals(new int[] {4, 0}, plan.get(1));
        assertArrayEquals(new int[] {2, 3}, plan.get(2));
    }

    @Test
    void aSequenceLongerThanTheBudgetIsAlone() {
        List<int[]> plan = new TokenBudget(3).plan(new int[] {1, 9, 1});
        assertArrayEquals(new int[] {1}, plan.get(0));
        assertArrayEquals(new int[] {0, 2}, plan.get(1));
    }

    @Test
    void nothingNeedsNoBatch() {
        assertTrue(new TokenBudget(10).plan(new int[0]).isEmpty());
    }

    @Test
    void budgetsBelowOneAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> new TokenBudget(0));
        assertThrows(IllegalArgumentException.class, () -> new TokenBudget(-5));
        assertThrows(IllegalArgumentException.class, () -> new TokenBudget(10, 0));
    }

    @Test
    void lengthsDoNotOverflow() {
        int huge = Integer.MAX_VALUE;
        assertEquals(3, new TokenBudget(huge).plan(new int[] {huge, huge, huge}).size());
    }

    @Test
    void everyIndexOccursOnceAndBatchesAreFilled() {
        Random random = new Random(SEED);
        for (int round = 0; round < 500; round++) {
            int[] lengths = random.ints(random.nextInt(40), 1, 1 + random.nextInt(1, 60))
                    .toArray();
            int budget = 1 + random.nextInt(120);
            List<int[]> plan = new TokenBudget(budget).plan(lengths);
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

    private static long[] tokens(List<int[]> plan, int[] lengths) {
        return plan.stream()
                .mapToLong(batch -> Arrays.stream(batch).map(i -> lengths[i]).sum())
                .toArray();
    }

    private static int[] equal(int count, int length) {
        int[] lengths = new int[count];
        Arrays.fill(lengths, length);
        return lengths;
    }

    @Test
    void sidesShareWhatFitsIntoOneBatch() {
        int[] lengths = equal(40, 10);
        assertArrayEquals(new long[] {200, 200}, tokens(new TokenBudget(4096, 2).plan(lengths), lengths));
        assertArrayEquals(new long[] {130, 140, 130}, tokens(new TokenBudget(4096, 4).plan(lengths), lengths));
    }

    @Test
    void everySideGetsAsManyBatchesOfAboutTheSameSize() {
        int[] lengths = equal(32, 300);
        assertArrayEquals(
                new long[] {1500, 1500, 1800, 1500, 1800, 1500},
                tokens(new TokenBudget(4096, 2).plan(lengths), lengths));
    }

    @Test
    void littleWorkIsNotCutSmall() {
        int[] lengths = equal(12, 20);
        assertArrayEquals(new long[] {240}, tokens(new TokenBudget(4096, 4).plan(lengths), lengths));
        int[] oneLong = {1000, 20, 20, 20, 20};
        assertArrayEquals(new long[] {1000, 80}, tokens(new TokenBudget(4096, 4).plan(oneLong), oneLong));
    }

    @Test
    void batchesSideBySideStayWithinTheBudgetTogether() {
        Random random = new Random(SEED);
        for (int round = 0; round < 500; round++) {
            int[] lengths = random.ints(random.nextInt(400), 1, 1 + random.nextInt(1, 300))
                    .toArray();
            int sides = 1 + random.nextInt(5);
            TokenBudget budget = new TokenBudget(sides * (1 + random.nextInt(600)), sides);
            List<int[]> plan = budget.plan(lengths);
            int[] all = plan.stream().flatMapToInt(Arrays::stream).sorted().toArray();
            assertArrayEquals(IntStream.range(0, lengths.length).toArray(), all, "seed " + SEED);
            long[] tokens = tokens(plan, lengths);
            for (int b = 0; b < tokens.length; b++) {
                assertTrue(tokens[b] * sides <= budget.tokens() || plan.get(b).length == 1, "seed " + SEED);
            }
            int[] firsts = plan.stream().mapToInt(batch -> lengths[batch[0]]).toArray();
            for (int b = 1; b < firsts.length; b++) {
                assertTrue(firsts[b] <= firsts[b - 1], "seed " + SEED);
            }
        }
    }

    @Test
    void sharedTokensCountOnceInABatchAndAgainInTheNext() {
        int[] lengths = {10, 12, 12, 30, 5};
        int[] shared = {0, 8, 12, 9, 0};
        assertEquals(List.of(3, 4, 5), new TokenBudget(15).cut(lengths, shared));
        assertEquals(List.of(3, 4, 5), new TokenBudget(34).cut(lengths, shared));
        assertEquals(List.of(4, 5), new TokenBudget(35).cut(lengths, shared));
        assertEquals(List.of(5), new TokenBudget(40).cut(lengths, shared));
    }

    @Test
    void cuttingKeepsToTheBudget() {
        Random random = new Random(SEED);
        for (int round = 0; round < 500; round++) {
            int[] lengths = random.ints(random.nextInt(60), 1, 50).toArray();
            int[] shared = new int[lengths.length];
            for (int i = 1; i < shared.length; i++) {
                shared[i] = random.nextInt(Math.min(lengths[i - 1], lengths[i]) + 1);
            }
            int sides = 1 + random.nextInt(3);
            TokenBudget budget = new TokenBudget(sides * (1 + random.nextInt(200)), sides);
            int from = 0;
            for (int to : budget.cut(lengths, shared)) {
                assertTrue(to > from);
                int tokens = lengths[from];
                for (int i = from + 1; i < to; i++) {
                    tokens += lengths[i] - shared[i];
                }
                assertTrue(tokens * sides <= budget.tokens() || to == from + 1, "seed " + SEED);
                from = to;
            }
            assertEquals(lengths.length, from);
        }
    }
}
