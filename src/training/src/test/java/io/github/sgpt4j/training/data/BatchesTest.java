package io.github.sgpt4j.training.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BatchesTest {
    /// Rows whose texts are numbers; every `period` rows share a query.
    private record Numbers(int rows, int period) implements TripleSource {
        @Override
        public String name() {
            return "numbers";
        }

        @Override
        public int negatives() {
            return 1;
        }

        @Override
        public Triple row(int row, long pass) {
            return new Triple("q" + row % period, "p%d in %d".formatted(row, pass), List.of("n" + row));
        }

        @Override
        public List<DataFile> files() {
            return List.of();
        }

        @Override
        public List<String> notices() {
            return List.of();
        }

        @Override
        public void close() {}
    }

    private static List<Integer> sizes(Batches<Triple> batches, int count) {
        List<Integer> sizes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            sizes.add(batches.next().rows().size());
        }
        return sizes;
    }

    @Test
    void theLastBatchIsKeptOrLeftOut() {
        Numbers source = new Numbers(29, 29);
        Batches<Triple> kept = new Batches<>(source, new BatchOptions(8, false, true, false, 0));
        assertEquals(4, kept.perEpoch());
        assertEquals(List.of(8, 8, 8, 5, 8, 8, 8, 5), sizes(kept, 8));
        Batches<Triple> dropped = new Batches<>(source, new BatchOptions(8, false, false, false, 0));
        assertEquals(3, dropped.perEpoch());
        assertEquals(List.of(8, 8, 8, 8), sizes(dropped, 4));
        assertEquals(List.of(8, 9, 10, 11, 12, 13, 14, 15), dropped.next().rows());
        Batches<Triple> full = new Batches<>(new Numbers(16, 16), new BatchOptions(8, false, true, false, 0));
        assertEquals(2, full.perEpoch());
        assertEquals(List.of(8, 8, 8), sizes(full, 3));
    }

    @Test
    void rowsComeInTheOrderOfTheFileUnlessShuffled() {
        Batches<Triple> batches = new Batches<>(new Numbers(5, 5), new BatchOptions(3, false, true, false, 9));
        Batch<Triple> first = batches.next();
        assertEquals(List.of(0, 1, 2), first.rows());
        assertEquals("p1 in 0", first.contents().get(1).positive());
        assertEquals(List.of(3, 4), batches.next().rows());
        Batch<Triple> third = batches.next();
        assertEquals(List.of(0, 1, 2), third.rows());
        assertEquals("p1 in 1", third.contents().get(1).positive());
        assertEquals(1, third.epoch());
        assertEquals(0, third.number());
    }

    @Test
    void everyPassHasAnOrderOfItsOwn() {
        List<List<Integer>> passes = passes(BatchOptions.shuffled(10, 3));
        assertEquals(passes, passes(BatchOptions.shuffled(10, 3)));
        assertNotEquals(passes, passes(BatchOptions.shuffled(10, 4)));
        assertNotEquals(passes.get(0), passes.get(1));
        for (List<Integer> pass : passes) {
            assertEquals(50, new TreeSet<>(pass).size());
        }
    }

    private static List<List<Integer>> passes(BatchOptions options) {
        Batches<Triple> batches = new Batches<>(new Numbers(50, 50), options);
        List<List<Integer>> passes = new ArrayList<>();
        for (int pass = 0; pass < 3; pass++) {
            List<Integer> rows = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                rows.addAll(batches.next().rows());
            }
            passes.add(rows);
        }
        return passes;
    }

    @ParameterizedTest
    @CsvSource({"true, true, false", "true, false, false", "false, true, false", "true, true, true", "false, true, true"
    })
    void trainingContinuesAtAnyPosition(boolean shuffle, boolean keepLast, boolean noDuplicates) {
        BatchOptions options = new BatchOptions(7, shuffle, keepLast, noDuplicates, 5);
        Numbers source = new Numbers(38, 19);
        Batches<Triple> whole = new Batches<>(source, options);
        for (int i = 0; i < 20; i++) {
            Batches<Triple> resumed = new Batches<>(source, options);
            BatchPosition position = whole.position();
            resumed.seek(new BatchPosition(position.batches(), position.rows()));
            Batch<Triple> expected = whole.next();
            assertEquals(expected, resumed.next(), "batch " + i);
            assertEquals(whole.position(), resumed.position());
            assertEquals(i / whole.perEpoch(), expected.epoch());
            assertEquals(i % whole.perEpoch(), expected.number());
        }
    }

    @Test
    void aPositionOfOtherDataIsRefused() {
        Batches<Triple> batches = new Batches<>(new Numbers(29, 29), BatchOptions.shuffled(8, 0));
        assertEquals(
                "expected 24 rows before batch 3, got 21",
                assertThrows(IllegalArgumentException.class, () -> batches.seek(new BatchPosition(3, 21)))
                        .getMessage());
        assertThrows(IllegalArgumentException.class, () -> new BatchPosition(2, 1));
        assertThrows(IllegalArgumentException.class, () -> new BatchPosition(-1, 0));
    }

    @Test
    void noTextOccursTwiceInABatch() {
        Batches<Triple> batches = new Batches<>(new Numbers(60, 20), new BatchOptions(16, true, true, true, 2));
        assertEquals(3, batches.perEpoch());
        for (int i = 0; i < 30; i++) {
            Set<String> anchors = new HashSet<>();
            Batch<Triple> batch = batches.next();
            batch.contents().forEach(triple -> anchors.add(triple.anchor()));
            assertEquals(16, anchors.size());
            assertEquals(16, batch.rows().size());
        }
    }

    @Test
    void aBatchThatCannotBeFilledIsAnError() {
        BatchOptions options = new BatchOptions(6, true, true, true, 2);
        assertEquals(
                "numbers: expected 6 rows without a text in common for a batch, found 5",
                assertThrows(FormatException.class, () -> new Batches<>(new Numbers(60, 5), options))
                        .getMessage());
    }

    @Test
    void fewerRowsThanABatchAreAnError() {
        assertEquals(
                "numbers: expected at least the 8 rows of a batch, got 7",
                assertThrows(FormatException.class, () -> new Batches<>(new Numbers(7, 7), BatchOptions.shuffled(8, 0)))
                        .getMessage());
        assertThrows(IllegalArgumentException.class, () -> BatchOptions.shuffled(0, 0));
    }

    /// The first number of SplitMix64 with seed 1234567 is 6457827717110365317.
    @Test
    void randomNumbersAreThoseOfSplitMix64() {
        int bound = 1_000_000_007;
        int expected = new BigInteger("6457827717110365317")
                .multiply(BigInteger.valueOf(bound))
                .shiftRight(64)
                .intValueExact();
        assertEquals(expected, new RandomOrder(1234567).below(bound));
    }

    @Test
    void permutationsAreUniform() {
        int[] counts = new int[6];
        RandomOrder random = new RandomOrder(1);
        for (int i = 0; i < 60_000; i++) {
            int[] order = random.permutation(3);
            assertEquals(3, order[0] + order[1] + order[2]);
            counts[order[0] * 2 + (order[1] > order[2] ? 1 : 0)]++;
        }
        for (int count : counts) {
            // Five standard deviations of 10,000.
            assertTrue(Math.abs(count - 10_000) < 460, "count " + count);
        }
        assertArrayEquals(new int[0], random.permutation(0));
    }
}
