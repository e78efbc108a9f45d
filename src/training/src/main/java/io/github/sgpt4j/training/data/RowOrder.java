package io.github.sgpt4j.training.data;

/// In which order the rows of each pass come: a function of seed, pass and position.
final class RowOrder {
    private final int rows;
    private final boolean shuffle;
    private final long seed;

    /// The order of the pass asked for last; 4 bytes per row.
    private int[] order = new int[0];

    private long pass = -1;

    RowOrder(int rows, boolean shuffle, long seed) {
        this.rows = rows;
        this.shuffle = shuffle;
        this.seed = seed;
    }

    /// @param wantedPass 0-based
    /// @param position of the row in the pass
    int row(long wantedPass, int position) {
        if (!shuffle) {
            return position;
        }
        if (wantedPass != pass) {
            order = new RandomOrder(seed, RandomPurpose.ROWS, wantedPass).permutation(rows);
            pass = wantedPass;
        }
        return order[position];
    }
}
