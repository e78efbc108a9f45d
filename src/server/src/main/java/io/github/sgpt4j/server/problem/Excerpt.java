package io.github.sgpt4j.server.problem;

/// The beginning of what a client sent, for a message to the same client.
public final class Excerpt {
    private static final int MAX_LENGTH = 80;

    private Excerpt() {}

    /// The text, cut if it is long.
    public static String of(String text) {
        return of(text, MAX_LENGTH);
    }

    /// The text, cut if it is longer than that.
    public static String of(String text, int maxLength) {
        return text.length() <= maxLength ? text : text.substring(0, maxLength) + "…";
    }
}
