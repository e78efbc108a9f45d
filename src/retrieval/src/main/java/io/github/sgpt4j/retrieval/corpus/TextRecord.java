package io.github.sgpt4j.retrieval.corpus;

import io.github.sgpt4j.error.FormatException;
import java.util.List;
import java.util.Optional;

/// A text with its other fields: an argument, a line, or an object of a JSON Lines file.
///
/// @param where for errors
/// @param id `_id`
/// @param title `title`
/// @param text `text`, or the argument or line itself
/// @param query `query`
/// @param document `document`
/// @param metadata `metadata`, where a document is read with it
public record TextRecord(
        String where,
        Optional<String> id,
        Optional<String> title,
        Optional<String> text,
        Optional<String> query,
        Optional<String> document,
        Metadata metadata) {

    /// A bare text.
    public static TextRecord of(String where, String text) {
        return new TextRecord(
                where,
                Optional.empty(),
                Optional.empty(),
                Optional.of(text),
                Optional.empty(),
                Optional.empty(),
                Metadata.EMPTY);
    }

    /// The text unchanged, or `(title + " " + text).strip()` if there is a title, as BEIR's readers
    /// join them.
    ///
    /// @throws FormatException if there is no text
    public String joined() {
        String body = text.orElseThrow(() -> new FormatException(where + ": expected \"text\", found none"));
        return title.map(t -> strip(t + " " + body)).orElse(body);
    }

    /// The document of a pair: `document`, or [#joined] if it is absent.
    ///
    /// @throws FormatException if there is neither
    public String documentText() {
        if (document.isPresent()) {
            return document.get();
        }
        if (text.isEmpty()) {
            throw new FormatException(where + ": expected \"document\", found none");
        }
        return joined();
    }

    /// Total length of all texts.
    public long characters() {
        long sum = 0;
        for (Optional<String> part : List.of(title, text, query, document)) {
            sum += part.map(String::length).orElse(0);
        }
        return sum;
    }

    /// Strips what Python's `str.strip` strips, no-break spaces included.
    public static String strip(String text) {
        int start = 0;
        int end = text.length();
        while (start < end && isSpace(text.charAt(start))) {
            start++;
        }
        while (end > start && isSpace(text.charAt(end - 1))) {
            end--;
        }
        return text.substring(start, end);
    }

    private static boolean isSpace(char c) {
        return Character.isWhitespace(c) || c == '\u0085' || c == '\u00A0' || c == '\u2007' || c == '\u202F';
    }
}
