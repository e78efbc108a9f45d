package io.github.sgpt4j.retrieval;

/// How many documents to embed between two commits: about as many as take [#TARGET_SECONDS], by their number
/// and by their characters. So little is lost when a process is killed, whether the model embeds five
/// documents a second or five thousand, and whether these are sentences or books.
final class BatchSize {
    /// Most characters in a batch; bounds memory.
    static final long MAX_CHARACTERS = 16L << 20;

    private static final long FIRST_CHARACTERS = 1L << 16;
    private static final long MIN_CHARACTERS = 1L << 14;
    private static final int FIRST = 256;
    private static final int MIN_TEXTS = 32;
    private static final int MAX_TEXTS = 16384;
    private static final double TARGET_SECONDS = 15;
    private static final double MAX_GROWTH = 4;

    private final int most;
    private int texts;
    private long characters = FIRST_CHARACTERS;

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

    /// Characters after which a batch ends, whatever the number of its texts.
    long characters() {
        return characters;
    }

    /// Records how long a batch took.
    ///
    /// @param embedded documents of the batch that were embedded
    /// @param read characters of the whole batch
    void observe(long embedded, long read, double seconds) {
        if (embedded == 0 || seconds <= 0) {
            return;
        }
        double wanted = Math.min(embedded * TARGET_SECONDS / seconds, texts * MAX_GROWTH);
        texts = (int) Math.clamp(wanted, Math.min(MIN_TEXTS, most), most);
        double wantedCharacters = Math.min(read * TARGET_SECONDS / seconds, characters * MAX_GROWTH);
        characters = (long) Math.clamp(wantedCharacters, MIN_CHARACTERS, MAX_CHARACTERS);
    }
}
