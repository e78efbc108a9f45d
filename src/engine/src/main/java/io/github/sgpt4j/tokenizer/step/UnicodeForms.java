package io.github.sgpt4j.tokenizer.step;

import java.text.Normalizer;
import java.text.Normalizer.Form;

/// Unicode normalization and lower-casing in the Unicode versions of the reference: normalization as in
/// about Unicode 11 (the crate `unicode-normalization-alignments`), case as in Unicode 17 (the Rust
/// standard library).
final class UnicodeForms {
    /// First and last code points of ranges that decompose, combine or reorder in Unicode 16, but not
    /// in the reference. They are inert: they stay unchanged, and nothing combines across them.
    private static final int[] INERT = {
        0x7FD, 0x7FD, 0x897, 0x89F, 0x8CA, 0x8D3, 0x9FE, 0x9FE, 0xC3C, 0xC3C, 0xD3B, 0xD3C, 0xEBA, 0xEBA, 0x1715,
        0x1715, 0x1ABF, 0x1ACE, 0x1DF6, 0x1DFA, 0x32FF, 0x32FF, 0xA7F2, 0xA7F4, 0xA82C, 0xA82C, 0xAB69, 0xAB69, 0x105C9,
        0x105C9, 0x105D2, 0x105D2, 0x105DA, 0x105DA, 0x105E4, 0x105E4, 0x10781, 0x10785, 0x10787, 0x107B0, 0x107B2,
        0x107BA, 0x10D24, 0x10D27, 0x10D69, 0x10D6D, 0x10EAB, 0x10EAC, 0x10EFD, 0x10EFF, 0x10F46, 0x10F50, 0x10F82,
        0x10F85, 0x11070, 0x11070, 0x1133B, 0x1133B, 0x11382, 0x11385, 0x1138B, 0x1138B, 0x1138E, 0x1138E, 0x11390,
        0x11391, 0x113C2, 0x113C2, 0x113C5, 0x113C5, 0x113C7, 0x113C8, 0x113CE, 0x113D0, 0x1145E, 0x1145E, 0x11839,
        0x1183A, 0x11935, 0x11935, 0x11938, 0x11938, 0x1193D, 0x1193E, 0x11943, 0x11943, 0x119E0, 0x119E0, 0x11A34,
        0x11A34, 0x11A47, 0x11A47, 0x11A99, 0x11A99, 0x11D42, 0x11D42, 0x11D44, 0x11D45, 0x11D97, 0x11D97, 0x11F41,
        0x11F42, 0x1611E, 0x1611E, 0x16121, 0x16129, 0x1612F, 0x1612F, 0x16D63, 0x16D63, 0x16D67, 0x16D6A, 0x16FF0,
        0x16FF1, 0x1CCD6, 0x1CCF9, 0x1E030, 0x1E06D, 0x1E08F, 0x1E08F, 0x1E130, 0x1E136, 0x1E2AE, 0x1E2AE, 0x1E2EC,
        0x1E2EF, 0x1E4EC, 0x1E4EF, 0x1E5EE, 0x1E5EF, 0x1F16C, 0x1F16C, 0x1FBF0, 0x1FBF9
    };

    private UnicodeForms() {}

    static String normalize(String text, Form form) {
        StringBuilder result = null;
        int done = 0;
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            int end = i + Character.charCount(c);
            if (isInert(c)) {
                if (result == null) {
                    result = new StringBuilder(text.length());
                }
                result.append(Normalizer.normalize(text.substring(done, i), form))
                        .appendCodePoint(c);
                done = end;
            }
            i = end;
        }
        String rest = Normalizer.normalize(text.substring(done), form);
        return result == null ? rest : result.append(rest).toString();
    }

    /// Whether a code point stays unchanged, and nothing combines across it.
    static boolean isInert(int c) {
        if (c < INERT[0]) {
            return false;
        }
        int low = 0;
        int high = INERT.length / 2 - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (c < INERT[2 * middle]) {
                high = middle - 1;
            } else if (c > INERT[2 * middle + 1]) {
                low = middle + 1;
            } else {
                return true;
            }
        }
        return false;
    }

    /// Appends the lower case of one code point; only U+0130 becomes two.
    static void appendLowerCase(int c, StringBuilder out) {
        if (c == 0x130) {
            out.append("i\u0307");
        } else if (c >= 0x16EA0 && c <= 0x16EB8) {
            out.appendCodePoint(c + 0x1B);
        } else {
            out.appendCodePoint(
                    switch (c) {
                        case 0xA7CE, 0xA7D2, 0xA7D4 -> c + 1;
                        default -> Character.toLowerCase(c);
                    });
        }
    }
}
