package io.github.sgpt4j.batch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SequenceBatchTest {
    private static final long SEED = Long.getLong("sgpt4j.seed", 4096);

    private static List<int[]> ordered(List<int[]> sequences, PrefixOrder order) {
        return Arrays.stream(order.order()).mapToObj(sequences::get).toList();
    }

    /// Each sequence is reconstructed from its rows, and its tokens have the right positions.
    private static void check(List<int[]> sequences, SequenceBatch batch) {
        PackedBatch packed = batch.packed();
        SequenceRows rows = batch.rows();
        assertEquals(sequences.size(), rows.count());
        for (int s = 0; s < rows.count(); s++) {
            int[] own = Arrays.copyOfRange(rows.rows(), rows.starts()[s], rows.starts()[s + 1]);
            assertArrayEquals(
                    sequences.get(s),
                    Arrays.stream(own).map(r -> packed.ids()[r]).toArray(),
                    "seed " + SEED);
            assertArrayEquals(
                    IntStream.range(0, own.length).toArray(),
                    Arrays.stream(own).map(r -> packed.positions()[r]).toArray());
        }
        assertEquals(packed.tokens(), Arrays.stream(rows.rows()).distinct().count());
    }

    @Test
    void whatSequencesStartWithIsASegmentThatTheyContinue() {
        List<int[]> sequences =
                List.of(new int[] {1, 2, 3, 4}, new int[] {1, 2, 9}, new int[] {1, 2, 3, 5, 6}, new int[] {7});
        PrefixOrder order = PrefixOrder.of(sequences, 1);
        assertArrayEquals(new int[] {0, 2, 1, 3}, order.order());
        assertArrayEquals(new int[] {0, 3, 2, 0}, order.shared());
        SequenceBatch batch = SequenceBatch.sharing(ordered(sequences, order), order.shared());
        check(ordered(sequences, order), batch);
        assertArrayEquals(new int[] {1, 2, 3, 4, 5, 6, 9, 7}, batch.packed().ids());
        assertArrayEquals(new int[] {-1, 0, 1, 1, 0, -1}, batch.packed().parents());
        assertArrayEquals(new int[] {0, 2, 3, 4, 6, 7, 8}, batch.packed().cuSeqlens());
    }

    @Test
    void groupsComeLongestFirst() {
        List<int[]> sequences = List.of(
                new int[] {3, 1}, new int[] {1, 2}, new int[] {2, 5, 6}, new int[] {1, 2, 3, 4}, new int[] {4, 1});
        PrefixOrder order = PrefixOrder.of(sequences, 1);
        assertArrayEquals(new int[] {1, 3, 2, 0, 4}, order.order());
        assertArrayEquals(new int[] {0, 2, 0, 0, 0}, order.shared());
        assertArrayEquals(
                new int[] {3, 2, 1, 0, 4}, PrefixOrder.of(sequences, 3).order());
    }

    @Test
    void sequencesThatEndWhereOthersGoOnAndEqualOnesNeedNoTokens() {
        List<int[]> sequences = List.of(
                new int[] {4, 5, 6}, new int[] {4, 5}, new int[] {4, 5, 6}, new int[] {4, 5, 6, 7}, new int[] {4, 5});
        PrefixOrder order = PrefixOrder.of(sequences, 1);
        assertArrayEquals(new int[] {1, 4, 0, 2, 3}, order.order());
        SequenceBatch batch = SequenceBatch.sharing(ordered(sequences, order), order.shared());
        check(ordered(sequences, order), batch);
        assertEquals(4, batch.packed().tokens());
    }

    @Test
    void aStartIsSharedOnlyIfThatSavesEnough() {
        List<int[]> sequences =
                List.of(new int[] {1, 2, 3, 4}, new int[] {1, 2, 3, 5}, new int[] {1, 6}, new int[] {1});
        assertArrayEquals(new int[] {0, 1, 3, 1}, PrefixOrder.of(sequences, 2).shared());
        // The first token saves 3, the next two 2 more.
        assertArrayEquals(new int[] {0, 1, 1, 1}, PrefixOrder.of(sequences, 3).shared());
        assertArrayEquals(new int[] {0, 0, 0, 0}, PrefixOrder.of(sequences, 4).shared());
        // Nothing is shared by all, but two of them share three tokens.
        List<int[]> two = List.of(new int[] {1, 2, 3, 4}, new int[] {1, 2, 3, 5}, new int[] {1, 6});
        assertArrayEquals(new int[] {0, 3, 0}, PrefixOrder.of(two, 3).shared());
    }

    @Test
    void anythingIsReadOffItsRows() {
        Random random = new Random(SEED);
        for (int round = 0; round < 500; round++) {
            List<int[]> sequences = new ArrayList<>();
            int tokens = 1 + random.nextInt(4);
            for (int i = 1 + random.nextInt(40); i > 0; i--) {
                sequences.add(random.ints(1 + random.nextInt(12), 0, tokens).toArray());
            }
            PrefixOrder order = PrefixOrder.of(sequences, 1 + random.nextInt(20));
            assertArrayEquals(
                    IntStream.range(0, sequences.size()).toArray(),
                    Arrays.stream(order.order()).sorted().toArray());
            List<int[]> ordered = ordered(sequences, order);
            int from = random.nextInt(sequences.size());
            int to = from + 1 + random.nextInt(sequences.size() - from);
            List<int[]> part = ordered.subList(from, to);
            int[] shared = Arrays.copyOfRange(order.shared(), from, to);
            SequenceBatch batch = SequenceBatch.sharing(part, shared);
            check(part, batch);
            int expected = part.getFirst().length;
            for (int i = 1; i < part.size(); i++) {
                expected += part.get(i).length - shared[i];
            }
            assertEquals(expected, batch.packed().tokens(), "seed " + SEED);
        }
    }

    @Test
    void whereEverythingPaysNothingIsComputedTwice() {
        Random random = new Random(SEED);
        List<int[]> sequences = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            sequences.add(random.ints(1 + random.nextInt(6), 0, 3).toArray());
        }
        PrefixOrder order = PrefixOrder.of(sequences, 1);
        SequenceBatch batch = SequenceBatch.sharing(ordered(sequences, order), order.shared());
        check(ordered(sequences, order), batch);
        long starts = sequences.stream()
                .flatMap(s -> IntStream.rangeClosed(1, s.length).mapToObj(n -> Arrays.toString(Arrays.copyOf(s, n))))
                .distinct()
                .count();
        assertEquals(starts, batch.packed().tokens(), "seed " + SEED);
    }

    @Test
    void manySequencesThatEachContinueTheLastOne() {
        List<int[]> sequences = new ArrayList<>();
        for (int i = 1; i <= 1024; i++) {
            sequences.add(new int[i]);
        }
        PrefixOrder order = PrefixOrder.of(sequences, 1);
        SequenceBatch batch = SequenceBatch.sharing(ordered(sequences, order), order.shared());
        check(ordered(sequences, order), batch);
        assertEquals(1024, batch.packed().tokens());
    }

    @Test
    void emptySequencesAndBatchesAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> SequenceBatch.of(List.of()));
        assertThrows(IllegalArgumentException.class, () -> SequenceBatch.of(List.of(new int[1], new int[0])));
        PackedBatchBuilder cached = new PackedBatchBuilder();
        cached.add(new int[2], 0, 2, cached.addCached(3));
        assertThrows(IllegalArgumentException.class, () -> SequenceRows.of(cached.build(), 1));
        assertThrows(IllegalArgumentException.class, () -> SequenceRows.of(PackedBatch.of(List.of(new int[1]))));
        assertTrue(PrefixOrder.of(List.of(), 1).order().length == 0);
    }
}
