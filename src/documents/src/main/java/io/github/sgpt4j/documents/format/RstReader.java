package io.github.sgpt4j.documents.format;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/// reStructuredText: the text as it is. A heading at its beginning, a line with a line of punctuation below
/// it and perhaps above it, is the title, and not in the text.
final class RstReader implements ContentReader {
    @Override
    public Contents open(FileSource source) throws IOException {
        return Contents.of(content(source.text()));
    }

    static Content content(String text) {
        List<String> lines = text.lines().toList();
        int first = 0;
        while (first < lines.size() && lines.get(first).isBlank()) {
            first++;
        }
        boolean overlined = first + 2 < lines.size() && isLine(lines.get(first));
        int title = overlined ? first + 1 : first;
        if (title + 1 >= lines.size()
                || lines.get(title).isBlank()
                || isLine(lines.get(title))
                || !isLine(lines.get(title + 1))
                || lines.get(title + 1).strip().length()
                        < lines.get(title).strip().length()) {
            return Content.of(Optional.empty(), text);
        }
        String body = String.join("\n", lines.subList(title + 2, lines.size()));
        return Content.of(Optional.of(lines.get(title).strip()), body.strip());
    }

    /// Whether a line is one punctuation mark, repeated.
    private static boolean isLine(String line) {
        String marks = line.strip();
        return !marks.isEmpty()
                && marks.charAt(0) > ' '
                && marks.charAt(0) < 127
                && !Character.isLetterOrDigit(marks.charAt(0))
                && marks.chars().allMatch(c -> c == marks.charAt(0));
    }
}
