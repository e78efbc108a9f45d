package io.github.sgpt4j.documents.format;

import io.github.sgpt4j.documents.decoding.BoundedText;
import io.github.sgpt4j.documents.decoding.FileProblem;
import java.io.IOException;
import org.commonmark.node.Block;
import org.commonmark.node.Code;
import org.commonmark.node.FencedCodeBlock;
import org.commonmark.node.HardLineBreak;
import org.commonmark.node.HtmlBlock;
import org.commonmark.node.IndentedCodeBlock;
import org.commonmark.node.Node;
import org.commonmark.node.SoftLineBreak;
import org.commonmark.node.Text;

/// The text of parsed Markdown. It walks without recursion, however deep the nesting is.
final class MarkdownText {
    private MarkdownText() {}

    /// The text of a node and all below it; blocks are on lines of their own.
    ///
    /// @throws FileProblem if it is too long
    static String of(Node root, int maxCharacters) throws IOException {
        BoundedText text = new BoundedText(maxCharacters);
        Node node = root;
        while (true) {
            append(node, text, maxCharacters);
            if (node.getFirstChild() != null) {
                node = node.getFirstChild();
                continue;
            }
            while (!node.equals(root) && node.getNext() == null) {
                node = node.getParent();
                end(node, text);
            }
            if (node.equals(root)) {
                return text.toString();
            }
            node = node.getNext();
        }
    }

    private static void append(Node node, BoundedText text, int maxCharacters) throws IOException {
        switch (node) {
            case Text words -> text.append(words.getLiteral());
            case Code code -> text.append(code.getLiteral());
            case SoftLineBreak _ -> text.append("\n");
            case HardLineBreak _ -> text.append("\n");
            case FencedCodeBlock code ->
                text.endLine().append(code.getLiteral()).endLine();
            case IndentedCodeBlock code ->
                text.endLine().append(code.getLiteral()).endLine();
            case HtmlBlock html ->
                text.endLine()
                        .append(HtmlReader.text(html.getLiteral(), maxCharacters))
                        .endLine();
            case Block _ -> text.endLine();
            default -> text.append("");
        }
    }

    private static void end(Node node, BoundedText text) throws FileProblem {
        if (node instanceof Block) {
            text.endLine();
        }
    }
}
