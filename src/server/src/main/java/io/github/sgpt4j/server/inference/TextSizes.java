package io.github.sgpt4j.server.inference;

import java.util.List;

/// How much texts may take up, before they are tokenized.
public final class TextSizes {
    /// UTF-8 bytes of a UTF-16 code unit, at most.
    private static final int MAX_BYTES = 3;

    private TextSizes() {}

    /// Characters of all texts together.
    public static long characters(List<String> texts) {
        return texts.stream().mapToLong(String::length).sum();
    }

    /// Most tokens that a text can have: one for each byte of its UTF-8 form.
    ///
    /// @param most at which it is cut
    public static long tokens(String text, int most) {
        if (text.length() >= most) {
            return most;
        }
        long bytes = 0;
        for (int i = 0; i < text.length() && bytes < most; i++) {
            bytes += text.charAt(i) < 0x80 ? 1 : MAX_BYTES;
        }
        return Math.min(bytes, most);
    }
}
