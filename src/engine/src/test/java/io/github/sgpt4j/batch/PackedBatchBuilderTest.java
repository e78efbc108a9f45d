package io.github.sgpt4j.batch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

class PackedBatchBuilderTest {
    private static final int[] IDS = {10, 11, 12, 13, 14};

    private final PackedBatchBuilder builder = new PackedBatchBuilder();

    @Test
    void sequencesLieEndToEnd() {
        PackedBatch batch = PackedBatch.of(List.of(new int[] {1, 2, 3}, new int[] {4}, new int[] {5, 6}));
        assertArrayEquals(new int[] {1, 2, 3, 4, 5, 6}, batch.ids());
        assertArrayEquals(new int[] {0, 1, 2, 0, 0, 1}, batch.positions());
        assertArrayEquals(new int[] {0, 3, 4, 6}, batch.cuSeqlens());
        assertArrayEquals(new int[] {-1, -1, -1}, batch.parents());
        assertEquals(3, batch.segments());
        assertEquals(6, batch.tokens());
        assertEquals(6, batch.rows());
        assertEquals(0, batch.firstSegment());
    }

    @Test
    void childrenGoOnWhereTheirChainEnds() {
        int root = builder.add(IDS, 0, 3, PackedBatch.NO_PARENT);
        int child = builder.add(IDS, 3, 5, root);
        int grandchild = builder.add(IDS, 0, 1, child);
        int sibling = builder.add(IDS, 4, 5, root);
        PackedBatch batch = builder.build();
        assertArrayEquals(new int[] {10, 11, 12, 13, 14, 10, 14}, batch.ids());
        assertArrayEquals(new int[] {0, 1, 2, 3, 4, 5, 3}, batch.positions());
        assertArrayEquals(new int[] {-1, 0, 1, 0}, batch.parents());
        assertEquals(5, batch.depth(grandchild));
        assertEquals(3, batch.depth(sibling));
        assertEquals(2, batch.length(child));
        assertEquals(3, batch.start(child));
    }

    @Test
    void cachedRowsComeFirstAndHaveNoIds() {
        assertEquals(0, builder.addCached(4));
        builder.add(IDS, 0, 2, 0);
        builder.add(IDS);
        PackedBatch batch = builder.build();
        assertEquals(4, batch.cachedTokens());
        assertEquals(7, batch.tokens());
        assertEquals(11, batch.rows());
        assertEquals(1, batch.firstSegment());
        assertArrayEquals(new int[] {0, 4, 6, 11}, batch.cuSeqlens());
        assertArrayEquals(new int[] {4, 5, 0, 1, 2, 3, 4}, batch.positions());
    }

    @Test
    void manySegmentsAndTokensFit() {
        int parent = PackedBatch.NO_PARENT;
        for (int i = 0; i < 1000; i++) {
            parent = builder.add(new int[] {i}, 0, 1, parent);
        }
        PackedBatch batch = builder.build();
        assertEquals(1000, batch.segments());
        assertEquals(999, batch.positions()[999]);
        assertEquals(999, batch.ids()[999]);
        assertEquals(1000, batch.cuSeqlens()[1000]);
    }

    @Test
    void emptyThingsAreRefused() {
        assertThrows(IllegalArgumentException.class, builder::build);
        assertThrows(IllegalArgumentException.class, () -> builder.add(new int[0]));
        assertThrows(IllegalArgumentException.class, () -> builder.add(IDS, 2, 2, PackedBatch.NO_PARENT));
        assertThrows(IllegalArgumentException.class, () -> builder.addCached(0));
        assertThrows(IllegalArgumentException.class, () -> PackedBatch.of(List.of()));
        builder.addCached(3);
        assertThrows(IllegalArgumentException.class, builder::build);
    }

    @Test
    void rangesAndParentsMustExist() {
        assertThrows(IllegalArgumentException.class, () -> builder.add(IDS, -1, 2, PackedBatch.NO_PARENT));
        assertThrows(IllegalArgumentException.class, () -> builder.add(IDS, 0, 6, PackedBatch.NO_PARENT));
        assertThrows(IllegalArgumentException.class, () -> builder.add(IDS, 3, 2, PackedBatch.NO_PARENT));
        assertThrows(IllegalArgumentException.class, () -> builder.add(IDS, 0, 2, 0));
        assertThrows(IllegalArgumentException.class, () -> builder.add(IDS, 0, 2, -2));
        builder.add(IDS);
        assertThrows(IllegalArgumentException.class, () -> builder.add(IDS, 0, 2, 1));
    }

    @Test
    void cachedRowsMustBeTheFirstSegment() {
        builder.add(IDS);
        assertThrows(IllegalStateException.class, () -> builder.addCached(2));
    }
}
