package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.cuda.launch.Geometry;
import io.github.sgpt4j.batch.PackedBatch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/// The index arrays of a batch as kernels want them (`kernels/README.md`, attention), laid out in one piece so that
/// they go to the device in one copy. Offsets count ints and are multiples of 64.
///
/// @param data all arrays
/// @param ids offset of the token ids, `[tokens]`
/// @param positions offset of the positions, `[tokens]`
/// @param starts offset of the row at which each token's segment begins, `[tokens]`
/// @param ends offset of the row at which each token's segment is over, `[tokens]`
/// @param tiles offset of the query tiles, `[tileCount][8]`
/// @param tileCount number of tiles
/// @param runs offset of the ancestors that tiles see, `[…][8]`
record BatchIndex(int[] data, int ids, int positions, int starts, int ends, int tiles, int tileCount, int runs) {
    private static final int ALIGNMENT = 64;
    private static final int WIDTH = 8;

    /// @param multiprocessors of the device: with as many tiles or more, a launch of a dozen heads has several waves of
    ///     blocks
    static BatchIndex of(PackedBatch batch, int multiprocessors) {
        Tiles tiles = new Tiles(batch);
        tiles.cut();
        tiles.sort(tiles.tiles.size() >= multiprocessors);
        int tokens = batch.tokens();
        int positionsAt = aligned(tokens);
        int startsAt = positionsAt + aligned(tokens);
        int endsAt = startsAt + aligned(tokens);
        int tilesAt = endsAt + aligned(tokens);
        int runsAt = tilesAt + aligned(tiles.tiles.size() * WIDTH);
        int[] data = new int[Math.addExact(runsAt, aligned(Math.max(1, tiles.runs.size()) * WIDTH))];
        System.arraycopy(batch.ids(), 0, data, 0, tokens);
        System.arraycopy(batch.positions(), 0, data, positionsAt, tokens);
        System.arraycopy(tiles.starts, 0, data, startsAt, tokens);
        System.arraycopy(tiles.ends, 0, data, endsAt, tokens);
        for (int i = 0; i < tiles.tiles.size(); i++) {
            System.arraycopy(tiles.tiles.get(i), 0, data, tilesAt + i * WIDTH, WIDTH);
        }
        for (int i = 0; i < tiles.runs.size(); i++) {
            System.arraycopy(tiles.runs.get(i), 0, data, runsAt + i * WIDTH, WIDTH);
        }
        return new BatchIndex(data, 0, positionsAt, startsAt, endsAt, tilesAt, tiles.tiles.size(), runsAt);
    }

    /// Ints that an array of so many takes.
    static int aligned(int ints) {
        return Math.multiplyExact(Math.ceilDiv(ints, ALIGNMENT), ALIGNMENT);
    }

    /// Cuts a batch's tokens into tiles and finds the ancestors that each sees.
    private static final class Tiles {
        private final PackedBatch batch;
        private final int[] depths;
        /// The first segment of each segment's tree.
        private final int[] roots;

        private final int[] starts;
        private final int[] ends;
        private final int[] segmentOf;
        private final List<int[]> tiles = new ArrayList<>();
        private final List<int[]> runs = new ArrayList<>();

        Tiles(PackedBatch batch) {
            this.batch = batch;
            depths = new int[batch.segments()];
            roots = new int[batch.segments()];
            starts = new int[batch.tokens()];
            ends = new int[batch.tokens()];
            segmentOf = new int[batch.tokens()];
            for (int s = 0; s < batch.segments(); s++) {
                int parent = batch.parents()[s];
                depths[s] = parent == PackedBatch.NO_PARENT ? 0 : depths[parent] + batch.length(parent);
                roots[s] = parent == PackedBatch.NO_PARENT ? s : roots[parent];
                if (s >= batch.firstSegment()) {
                    int from = batch.start(s) - batch.cachedTokens();
                    Arrays.fill(starts, from, from + batch.length(s), batch.start(s));
                    Arrays.fill(ends, from, from + batch.length(s), batch.start(s) + batch.length(s));
                    Arrays.fill(segmentOf, from, from + batch.length(s), s);
                }
            }
        }

        /// A segment that fits into the current tile joins it; otherwise it begins a new one.
        void cut() {
            int first = 0;
            for (int s = batch.firstSegment(); s < batch.segments(); s++) {
                int from = batch.start(s) - batch.cachedTokens();
                int to = from + batch.length(s);
                if (from > first && to - first > Geometry.ATTENTION_TILE) {
                    add(first, from);
                    first = from;
                }
                while (to - first >= Geometry.ATTENTION_TILE) {
                    add(first, first + Geometry.ATTENTION_TILE);
                    first += Geometry.ATTENTION_TILE;
                }
            }
            if (first < batch.tokens()) {
                add(first, batch.tokens());
            }
        }

        private void add(int from, int to) {
            int firstRun = runs.size();
            for (int s = segmentOf[from]; s <= segmentOf[to - 1]; s++) {
                for (int a = batch.parents()[s]; a != PackedBatch.NO_PARENT; a = batch.parents()[a]) {
                    see(from, to, s, run(firstRun, a));
                }
            }
            tiles.add(new int[] {from, to - from, starts[from], firstRun, runs.size() - firstRun, 0, 0, 0});
        }

        /// The run of ancestor `segment` in the tile whose runs begin at `firstRun`.
        private int[] run(int firstRun, int segment) {
            int row = batch.start(segment);
            for (int[] run : runs.subList(firstRun, runs.size())) {
                if (run[0] == row) {
                    return run;
                }
            }
            int[] run = {row, batch.length(segment), depths[segment], Integer.MAX_VALUE, 0, 0, 0, 0};
            runs.add(run);
            return run;
        }

        /// Marks the tile's tokens of segment `s` as seeing a run.
        private void see(int from, int to, int s, int[] run) {
            int first = Math.max(from, batch.start(s) - batch.cachedTokens());
            int end = Math.min(to, batch.start(s) - batch.cachedTokens() + batch.length(s));
            for (int t = first; t < end; t++) {
                int i = t - from;
                run[4 + i / Integer.SIZE] |= 1 << i % Integer.SIZE;
                run[3] = Math.min(run[3], batch.positions()[t]);
            }
        }

        /// Most keys first: the end of a launch is then made of small tiles. Keys are those of causal attention.
        ///
        /// @param byDocument keeps the tiles of a document together, so that its keys and values are read
        ///     from memory once and then found in the cache, which does not hold those of a large batch;
        ///     the document with the longest tile comes first
        void sort(boolean byDocument) {
            Comparator<int[]> order = Comparator.comparingLong((int[] tile) -> -keys(tile));
            if (byDocument) {
                long[] longest = new long[roots.length];
                for (int[] tile : tiles) {
                    int root = root(tile);
                    longest[root] = Math.max(longest[root], keys(tile));
                }
                order = Comparator.comparingLong((int[] tile) -> -longest[root(tile)])
                        .thenComparingInt(this::root)
                        .thenComparing(order);
            }
            tiles.sort(order);
        }

        /// The document of a tile; of several short ones, the first.
        private int root(int[] tile) {
            return roots[segmentOf[tile[0]]];
        }

        private long keys(int[] tile) {
            long keys = tile[0] + (long) tile[1] + batch.cachedTokens() - tile[2];
            for (int[] run : runs.subList(tile[3], tile[3] + tile[4])) {
                keys += run[1];
            }
            return keys;
        }
    }
}
