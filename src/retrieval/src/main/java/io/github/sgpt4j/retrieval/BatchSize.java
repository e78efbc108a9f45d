package io.github.sgpt4j.retrieval;

/// How many documents to embed between two commits: about as many as take [#TARGET_SECONDS]. So little
/// is lost when a process is killed, whether the model embeds five documents a second or five thousand.
final class BatchSize {
    /// Most characters in a batch; bounds memory.
    static final long MAX_CHARACTERS = 16L << 20;

    private static final int FIRST = 256;
    private static final int MIN_TEXTS = 32;
    private static final int MAX_TEXTS = 16384;
    private static final double TARGET_SECONDS = 15;
    private static final double MAX_GROWTH = 4;

    private final int most;
    private int texts;

    BatchSize() {
        this(FIRST, MAX_TEXTS);
    }

    /// @param first texts in the first batch
    /// @param most texts in any batch
    BatchSize(int first, int most) {
        texts = first;
        this.most = most;
    }

    int texts() {
        return texts;
    }

    /// Records how long a batch took.
    void observe(long embedded, double seconds) {
        if (embedded == 0 || seconds <= 0) {
            return;
        }
        double wanted = Math.min(embedded * TARGET_SECONDS / seconds, texts * MAX_GROWTH);
        texts = (int) Math.clamp(wanted, Math.min(MIN_TEXTS, most), most);
    }
}
