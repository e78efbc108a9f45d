package io.github.sgpt4j.documents.format;

import java.io.IOException;
import java.util.Optional;
import org.commonmark.node.Heading;
import org.commonmark.node.Node;
import org.commonmark.parser.Parser;

/// Markdown by the CommonMark specification: its text without marks, addresses of links and HTML tags. The
/// title is that of the front matter (a block between lines of `---` at the beginning, which is left out),
/// else the first heading; a heading at the very beginning is not in the text as well.
final class MarkdownReader implements ContentReader {
    private static final String FENCE = "---";
    private static final String TITLE = "title:";

    private final Parser parser = Parser.builder().build();

    @Override
    public Contents open(FileSource source) throws IOException {
        return Contents.of(content(source.text(), source.limits().maxCharacters()));
    }

    Content content(String text, int maxCharacters) throws IOException {
        int matter = frontMatter(text);
        Optional<String> title = title(text.substring(0, matter));
        Node document = parser.parse(text.substring(matter));
        if (title.isEmpty() && firstHeading(document) instanceof Heading heading) {
            title = Optional.of(MarkdownText.of(heading, maxCharacters)).filter(found -> !found.isBlank());
            if (heading.equals(document.getFirstChild())) {
                heading.unlink();
            }
        }
        String body = MarkdownText.of(document, maxCharacters);
        return Content.of(title, body);
    }

    private static Node firstHeading(Node document) {
        Node node = document.getFirstChild();
        while (node != null && !(node instanceof Heading)) {
            node = node.getNext();
        }
        return node == null ? document : node;
    }

    /// Length of the front matter with its fences, 0 without one.
    private static int frontMatter(String text) {
        if (!text.startsWith(FENCE) || !firstLine(text, 0).equals(FENCE)) {
            return 0;
        }
        int start = next(text, 0);
        while (start < text.length()) {
            String line = firstLine(text, start);
            start = next(text, start);
            if (line.equals(FENCE) || line.equals("...")) {
                return start;
            }
        }
        return 0;
    }

    private static String firstLine(String text, int start) {
        int end = text.indexOf('\n', start);
        return text.substring(start, end < 0 ? text.length() : end).stripTrailing();
    }

    private static int next(String text, int start) {
        int end = text.indexOf('\n', start);
        return end < 0 ? text.length() : end + 1;
    }

    private static Optional<String> title(String matter) {
        return matter.lines()
                .filter(line -> line.startsWith(TITLE))
                .map(line -> unquoted(line.substring(TITLE.length()).strip()))
                .filter(title -> !title.isBlank())
                .findFirst();
    }

    private static String unquoted(String value) {
        int last = value.length() - 1;
        boolean quoted = last > 0 && value.charAt(0) == value.charAt(last) && "\"'".indexOf(value.charAt(0)) >= 0;
        return quoted ? value.substring(1, last) : value;
    }
}
