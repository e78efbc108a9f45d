package io.github.sgpt4j.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.cuda.launch.Geometry;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.PackedBatchBuilder;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Tiles and runs against their definition, and their order.
class BatchIndexTest {
    /// So many that no batch here has several waves of tiles.
    private static final int LARGE_DEVICE = 10_000;

    private static int[] tokens(int count) {
        int[] ids = new int[count];
        Arrays.setAll(ids, i -> i % 50);
        return ids;
    }

    @Test
    void shortSegmentsShareATileAndLongOnesAreCut() {
        PackedBatch batch = PackedBatch.of(List.of(tokens(10), tokens(20), tokens(40), tokens(100)));
        BatchIndex index = BatchIndex.of(batch, LARGE_DEVICE);
        check(batch, index);
        checkMostKeysFirst(batch, index);
        assertEquals(4, index.tileCount());
    }

    @Test
    void treesOfAnyShapeAreCovered() {
        Random random = new Random(7);
        for (int round = 0; round < 200; round++) {
            PackedBatchBuilder builder = new PackedBatchBuilder();
            int segments = 0;
            if (random.nextBoolean()) {
                builder.addCached(1 + random.nextInt(90));
                segments++;
            }
            int wanted = segments + 1 + random.nextInt(12);
            while (segments < wanted) {
                int length = 1 + random.nextInt(random.nextBoolean() ? 5 : 150);
                builder.add(tokens(length), 0, length, random.nextInt(segments + 1) - 1);
                segments++;
            }
            PackedBatch batch = builder.build();
            BatchIndex sorted = BatchIndex.of(batch, LARGE_DEVICE);
            check(batch, sorted);
            checkMostKeysFirst(batch, sorted);
            check(batch, BatchIndex.of(batch, 1));
        }
    }

    @Test
    void tilesAreGroupedByDocumentOnceThereAreSeveralWaves() {
        PackedBatch batch = PackedBatch.of(List.of(tokens(100), tokens(200), tokens(200), tokens(20), tokens(20)));
        // The rest of the third document shares its tile with the last two.
        List<Integer> sorted = List.of(492, 292, 228, 428, 164, 364, 64, 0, 100, 300);
        List<Integer> grouped = List.of(492, 428, 364, 300, 292, 228, 164, 100, 64, 0);
        assertEquals(sorted, firstTokens(BatchIndex.of(batch, LARGE_DEVICE)));
        assertEquals(sorted, firstTokens(BatchIndex.of(batch, 11)), "fewer tiles than multiprocessors");
        assertEquals(grouped, firstTokens(BatchIndex.of(batch, 10)));
        assertEquals(grouped, firstTokens(BatchIndex.of(batch, 1)));
    }

    /// A passage goes with the document that it continues.
    @Test
    void passagesAreGroupedWithTheirDocument() {
        PackedBatchBuilder builder = new PackedBatchBuilder();
        for (int i = 0; i < 2; i++) {
            int document = builder.add(tokens(64), 0, 64, PackedBatch.NO_PARENT);
            builder.add(tokens(64), 0, 64, document);
        }
        BatchIndex index = BatchIndex.of(builder.build(), 1);
        assertEquals(List.of(64, 0, 192, 128), firstTokens(index));
    }

    private static List<Integer> firstTokens(BatchIndex index) {
        return IntStream.range(0, index.tileCount())
                .mapToObj(t -> index.data()[index.tiles() + 8 * t])
                .toList();
    }

    private static int keys(PackedBatch batch, BatchIndex index, int tile) {
        int[] data = index.data();
        int keys = data[tile] + data[tile + 1] + batch.cachedTokens() - data[tile + 2];
        for (int r = data[tile + 3]; r < data[tile + 3] + data[tile + 4]; r++) {
            keys += data[index.runs() + 8 * r + 1];
        }
        return keys;
    }

    private static void checkMostKeysFirst(PackedBatch batch, BatchIndex index) {
        int last = Integer.MAX_VALUE;
        for (int t = 0; t < index.tileCount(); t++) {
            int keys = keys(batch, index, index.tiles() + 8 * t);
            assertTrue(keys <= last, "most keys first");
            last = keys;
        }
    }

    private static void check(PackedBatch batch, BatchIndex index) {
        int[] data = index.data();
        BitSet seen = new BitSet();
        for (int t = 0; t < index.tileCount(); t++) {
            int at = index.tiles() + 8 * t;
            int first = data[at];
            int count = data[at + 1];
            assertTrue(count >= 1 && count <= Geometry.ATTENTION_TILE);
            assertEquals(data[index.starts() + first], data[at + 2]);
            for (int i = 0; i < count; i++) {
                assertTrue(!seen.get(first + i), "token in two tiles");
                seen.set(first + i);
                checkAncestors(batch, index, at, first + i, i);
            }
        }
        assertEquals(batch.tokens(), seen.cardinality());
        for (int t = 0; t < batch.tokens(); t++) {
            assertEquals(batch.ids()[t], data[index.ids() + t]);
            assertEquals(batch.positions()[t], data[index.positions() + t]);
        }
    }

    /// A token sees, by its bit, exactly the runs of its segment's ancestors.
    private static void checkAncestors(PackedBatch batch, BatchIndex index, int tile, int token, int bit) {
        int[] data = index.data();
        int segment = batch.segments() - 1;
        while (batch.start(segment) > token + batch.cachedTokens()) {
            segment--;
        }
        assertEquals(batch.start(segment), data[index.starts() + token]);
        assertEquals(batch.start(segment) + batch.length(segment), data[index.ends() + token]);
        BitSet expected = new BitSet();
        for (int a = batch.parents()[segment]; a >= 0; a = batch.parents()[a]) {
            expected.set(batch.start(a));
        }
        BitSet actual = new BitSet();
        for (int r = data[tile + 3]; r < data[tile + 3] + data[tile + 4]; r++) {
            int at = index.runs() + 8 * r;
            if ((data[at + 4 + bit / 32] >>> bit % 32 & 1) != 0) {
                actual.set(data[at]);
                assertTrue(data[at + 3] <= batch.positions()[token]);
                assertEquals(positionOf(batch, data[at]), data[at + 2]);
            }
        }
        assertEquals(expected, actual);
    }

    private static int positionOf(PackedBatch batch, int row) {
        for (int s = 0; s < batch.segments(); s++) {
            if (batch.start(s) == row) {
                return batch.depth(s);
            }
        }
        return -1;
    }
}
