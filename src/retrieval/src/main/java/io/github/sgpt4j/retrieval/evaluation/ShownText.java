package io.github.sgpt4j.retrieval.evaluation;

/// Text from a file, as a message shows it.
final class ShownText {
    private static final int MAX_LENGTH = 80;

    private ShownText() {}

    /// In quotes, shortened if long. The exception that carries the message escapes control characters.
    static String quoted(String text) {
        if (text.length() <= MAX_LENGTH) {
            return '"' + text + '"';
        }
        int end = Character.isHighSurrogate(text.charAt(MAX_LENGTH - 1)) ? MAX_LENGTH - 1 : MAX_LENGTH;
        return '"' + text.substring(0, end) + "…\"";
    }
}
