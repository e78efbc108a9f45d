package io.github.sgpt4j.text;

/// Well-formed UTF-16: surrogates only in pairs.
public final class WellFormed {
    private WellFormed() {}

    public static boolean is(CharSequence text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                if (!startsPair(text, i)) {
                    return false;
                }
                i++;
            }
        }
        return true;
    }

    /// The text with U+FFFD in place of each surrogate that is not part of a pair.
    public static String repair(String text) {
        if (is(text)) {
            return text;
        }
        StringBuilder result = new StringBuilder(text);
        for (int i = 0; i < result.length(); i++) {
            if (Character.isSurrogate(result.charAt(i))) {
                if (startsPair(result, i)) {
                    i++;
                } else {
                    result.setCharAt(i, '\uFFFD');
                }
            }
        }
        return result.toString();
    }

    private static boolean startsPair(CharSequence text, int i) {
        return i + 1 < text.length() && Character.isSurrogatePair(text.charAt(i), text.charAt(i + 1));
    }
}
