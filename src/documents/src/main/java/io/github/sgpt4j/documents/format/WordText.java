package io.github.sgpt4j.documents.format;

import io.github.sgpt4j.documents.decoding.BoundedText;
import io.github.sgpt4j.documents.decoding.FileProblem;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/// The text of one XML part of a `.docx` file, by the local names of WordprocessingML: `t` is text within
/// paragraphs `p`, `tab` and `br` are white space, `tc` a cell. In the properties, `title` is the title.
final class WordText {
    private final BoundedText text;
    private final BoundedText titleText;
    private boolean inTitle;
    private boolean titleStyle;

    /// Depth below something that is a second form of what was read before; 0 outside.
    private int fallback;

    private WordText(int maxCharacters) {
        text = new BoundedText(maxCharacters);
        titleText = new BoundedText(maxCharacters);
    }

    /// @param in closed by the parser
    /// @throws FileProblem if the text is too long, or there is a document type declaration
    static WordText of(InputStream in, int maxCharacters) throws IOException, XMLStreamException {
        XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        WordText part = new WordText(maxCharacters);
        try {
            XMLStreamReader xml = factory.createXMLStreamReader(in);
            boolean inText = false;
            while (xml.hasNext()) {
                int event = xml.next();
                if (event == XMLStreamConstants.DTD) {
                    throw new FileProblem("no readable docx: expected XML without a document type, got one");
                }
                if (event == XMLStreamConstants.START_ELEMENT) {
                    inText = part.begin(xml);
                } else if (event == XMLStreamConstants.END_ELEMENT) {
                    inText = false;
                    part.end(xml.getLocalName());
                } else if (inText && xml.hasText()) {
                    part.append(xml.getText());
                }
            }
        } catch (XMLStreamException e) {
            // A limit on bytes was met within the parser.
            if (e.getNestedException() instanceof IOException cause) {
                throw cause;
            }
            throw e;
        }
        return part;
    }

    /// Whether the element holds text.
    private boolean begin(XMLStreamReader xml) throws FileProblem {
        if (fallback > 0) {
            fallback++;
            return false;
        }
        switch (xml.getLocalName()) {
            case "Fallback" -> fallback = 1;
            case "p" -> titleStyle = false;
            case "pStyle" -> titleStyle = titleText.toString().isEmpty() && "Title".equals(value(xml));
            case "tab" -> text.append("\t");
            case "br", "cr" -> text.append("\n");
            case "title" -> {
                inTitle = true;
                return true;
            }
            case "t" -> {
                return true;
            }
            default -> {
                return false;
            }
        }
        return false;
    }

    private static String value(XMLStreamReader xml) {
        for (int i = 0; i < xml.getAttributeCount(); i++) {
            if (xml.getAttributeLocalName(i).equals("val")) {
                return xml.getAttributeValue(i);
            }
        }
        return "";
    }

    private void append(String part) throws FileProblem {
        if (inTitle || titleStyle) {
            titleText.append(part);
        }
        if (!inTitle) {
            text.append(part);
        }
    }

    private void end(String name) throws FileProblem {
        if (fallback > 0) {
            fallback--;
            return;
        }
        switch (name) {
            case "p", "tc" -> text.endLine();
            case "title" -> inTitle = false;
            default -> inTitle = inTitle && !name.equals("coreProperties");
        }
    }

    String text() {
        return text.toString();
    }

    /// The title that this part says the document has.
    Optional<String> title() {
        return Optional.of(titleText.toString()).filter(found -> !found.isBlank());
    }
}
