package io.github.sgpt4j.text;

/// Makes text from a file safe to show in a message: in quotes, on one line, not too long.
public final class Quoted {
    private static final int MAX_LENGTH = 120;

    private Quoted() {}

    /// The text in quotes, with control and format characters, line ends and surrogates written as escapes, cut if
    /// long.
    public static String of(String text) {
        StringBuilder shown = new StringBuilder(Math.min(text.length(), MAX_LENGTH) + 2).append('"');
        for (int i = 0; i < Math.min(text.length(), MAX_LENGTH); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                shown.append('\\').append(c);
            } else if (isUnsafe(c)) {
                shown.append("\\u%04x".formatted((int) c));
            } else {
                shown.append(c);
            }
        }
        return shown.append(text.length() > MAX_LENGTH ? "…\"" : "\"").toString();
    }

    /// Whether a character ends the line, controls the terminal, is invisible or changes the direction
    /// of text.
    private static boolean isUnsafe(char c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> true;
            default -> false;
        };
    }
}
