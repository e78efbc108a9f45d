package io.github.sgpt4j.tokenizer.step;

import java.nio.charset.StandardCharsets;

/// Decodes UTF-8 with one U+FFFD for each maximal part of an ill-formed sequence (Unicode standard, chapter 3,
/// "U+FFFD Substitution of Maximal Subparts"), as Rust's `from_utf8_lossy` does; Java differs for encoded surrogates.
final class LossyUtf8 {
    private LossyUtf8() {}

    static String decode(byte[] bytes) {
        StringBuilder out = new StringBuilder(bytes.length);
        int i = 0;
        while (i < bytes.length) {
            int run = i;
            while (run < bytes.length && bytes[run] >= 0) {
                run++;
            }
            out.append(new String(bytes, i, run - i, StandardCharsets.US_ASCII));
            i = run;
            if (i < bytes.length) {
                i = decodeOne(bytes, i, out);
            }
        }
        return out.toString();
    }

    /// Decodes a sequence that starts with a byte of 0x80 or above, and returns the index after it.
    private static int decodeOne(byte[] bytes, int at, StringBuilder out) {
        int lead = bytes[at] & 0xFF;
        int length =
                lead >= 0xC2 && lead <= 0xDF ? 2 : (lead & 0xF0) == 0xE0 ? 3 : lead >= 0xF0 && lead <= 0xF4 ? 4 : 1;
        int c = length == 1 ? 0 : lead & (0x7F >> length);
        int i = at + 1;
        while (i < at + length && i < bytes.length && continues(lead, bytes[i] & 0xFF, i - at)) {
            c = c << 6 | bytes[i] & 0x3F;
            i++;
        }
        out.appendCodePoint(length > 1 && i == at + length ? c : 0xFFFD);
        return i;
    }

    /// The second byte's range excludes overlong forms, surrogates and code points beyond U+10FFFF.
    private static boolean continues(int lead, int next, int index) {
        int low = 0x80;
        int high = 0xBF;
        if (index == 1) {
            switch (lead) {
                case 0xE0 -> low = 0xA0;
                case 0xED -> high = 0x9F;
                case 0xF0 -> low = 0x90;
                case 0xF4 -> high = 0x8F;
                default -> {}
            }
        }
        return next >= low && next <= high;
    }
}
