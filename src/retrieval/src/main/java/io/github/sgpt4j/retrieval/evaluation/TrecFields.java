package io.github.sgpt4j.retrieval.evaluation;

import java.util.ArrayList;
import java.util.List;

/// Fields of a line of trec_eval's files, separated by ASCII white space.
final class TrecFields {
    private TrecFields() {}

    /// Whether trec_eval skips a line: it is blank, or a comment that starts with `#`.
    static boolean isSkipped(String line) {
        for (int i = 0; i < line.length(); i++) {
            if (!isSpace(line.charAt(i))) {
                return line.charAt(i) == '#';
            }
        }
        return true;
    }

    /// The fields; other spaces, such as no-break spaces, are part of them.
    static List<String> split(String line) {
        List<String> fields = new ArrayList<>(6);
        int i = 0;
        while (i < line.length()) {
            while (i < line.length() && isSpace(line.charAt(i))) {
                i++;
            }
            int start = i;
            while (i < line.length() && !isSpace(line.charAt(i))) {
                i++;
            }
            if (i > start) {
                fields.add(line.substring(start, i));
            }
        }
        return fields;
    }

    /// Whether a text can be written as a field.
    static boolean isField(String text) {
        return !text.isEmpty() && text.chars().noneMatch(c -> isSpace((char) c));
    }

    private static boolean isSpace(char c) {
        return c == ' ' || c >= '\t' && c <= '\r';
    }
}
