package io.github.sgpt4j.retrieval.evaluation;

/// Text from a file as a message shows it.
final class ShownText {
    private static final int MAX_LENGTH = 80;

    private ShownText() {}

    /// In quotes, cut if long. Control characters become escapes in the exception that carries the message.
    static String quoted(String text) {
        if (text.length() <= MAX_LENGTH) {
            return '"' + text + '"';
        }
        int end = Character.isHighSurrogate(text.charAt(MAX_LENGTH - 1)) ? MAX_LENGTH - 1 : MAX_LENGTH;
        return '"' + text.substring(0, end) + "…\"";
    }
}
