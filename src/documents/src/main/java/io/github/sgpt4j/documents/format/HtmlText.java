package io.github.sgpt4j.documents.format;

import io.github.sgpt4j.documents.decoding.BoundedText;
import io.github.sgpt4j.documents.decoding.FileProblem;
import java.util.Set;
import java.util.regex.Pattern;
import org.jsoup.nodes.Document;
import org.jsoup.nodes.Element;
import org.jsoup.nodes.Node;
import org.jsoup.nodes.TextNode;

/// The text that a page shows. It walks without recursion, however deep the nesting is.
final class HtmlText {
    private static final Set<String> UNSEEN =
            Set.of("script", "style", "template", "noscript", "head", "svg", "math", "iframe", "object", "select");

    private static final Pattern SPACE = Pattern.compile("[ \\t\\n\\r\\f]+");

    private final BoundedText text;
    private int preformatted;

    private HtmlText(int maxCharacters) {
        text = new BoundedText(maxCharacters);
    }

    /// @throws FileProblem if it is too long
    static String of(Document page, int maxCharacters) throws FileProblem {
        HtmlText reading = new HtmlText(maxCharacters);
        reading.walk(page);
        return reading.text.toString();
    }

    private void walk(Document page) throws FileProblem {
        Node node = page;
        while (true) {
            boolean seen = begin(node);
            if (seen && node.childNodeSize() > 0) {
                node = node.childNode(0);
                continue;
            }
            end(node, seen);
            Node next = node.nextSibling();
            while (next == null) {
                Node parent = node.parentNode();
                if (parent == null) {
                    return;
                }
                node = parent;
                end(node, true);
                next = node.nextSibling();
            }
            node = next;
        }
    }

    private boolean begin(Node node) throws FileProblem {
        if (node instanceof TextNode words) {
            append(words.getWholeText());
            return true;
        }
        if (!(node instanceof Element element)) {
            return true;
        }
        if (UNSEEN.contains(element.normalName())) {
            return false;
        }
        if (breaksLine(element)) {
            text.endLine();
        }
        preformatted += element.normalName().equals("pre") ? 1 : 0;
        return true;
    }

    private void end(Node node, boolean seen) throws FileProblem {
        if (!seen || !(node instanceof Element element)) {
            return;
        }
        preformatted -= element.normalName().equals("pre") ? 1 : 0;
        if (breaksLine(element)) {
            text.endLine();
        } else if (element.nameIs("td") || element.nameIs("th")) {
            text.space();
        }
    }

    private static boolean breaksLine(Element element) {
        boolean cell = element.nameIs("td") || element.nameIs("th");
        return element.nameIs("br") || element.isBlock() && !cell;
    }

    private void append(String words) throws FileProblem {
        if (preformatted > 0) {
            text.append(words);
            return;
        }
        String normal = SPACE.matcher(words).replaceAll(" ");
        if (normal.startsWith(" ")) {
            text.space();
        }
        String core = normal.strip();
        text.append(core);
        if (!core.isEmpty() && normal.endsWith(" ")) {
            text.append(" ");
        }
    }
}
