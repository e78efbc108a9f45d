package io.github.sgpt4j.langchain4j;

/// Tells users, by a warning in the platform's log, that texts were too long for a model. The
/// framework's answers have no place for that.
final class CutTexts {
    private static final System.Logger LOGGER = System.getLogger(CutTexts.class.getPackageName());

    private final String what;
    private final int maxLength;
    private int all;
    private int cut;
    private int longest;

    /// @param what the texts, in the plural
    /// @param maxLength most tokens of a text
    CutTexts(String what, int maxLength) {
        this.what = what;
        this.maxLength = maxLength;
    }

    /// @param uncutTokens of a text before cutting
    void count(boolean truncated, int uncutTokens) {
        all++;
        if (truncated) {
            cut++;
            longest = Math.max(longest, uncutTokens);
        }
    }

    void warn() {
        if (cut > 0) {
            LOGGER.log(
                    System.Logger.Level.WARNING,
                    "%s truncated to %,d tokens: %,d of %,d; the longest had %,d"
                            .formatted(what, maxLength, cut, all, longest));
        }
    }
}
