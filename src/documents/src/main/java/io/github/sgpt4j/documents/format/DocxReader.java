package io.github.sgpt4j.documents.format;

import io.github.sgpt4j.documents.decoding.BoundedStream;
import io.github.sgpt4j.documents.decoding.BoundedText;
import io.github.sgpt4j.documents.decoding.FileProblem;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipInputStream;
import javax.xml.stream.XMLStreamException;

/// Word's `.docx` (ECMA-376), a zip file of XML: the text of the document and its notes, paragraphs on
/// lines of their own, without what was deleted while changes were tracked. The title is that of the
/// document's properties, else its paragraph of the style "Title". XML is read as a stream by the JDK, and
/// document type declarations are refused.
final class DocxReader implements ContentReader {
    private static final String DOCUMENT = "word/document.xml";
    private static final String PROPERTIES = "docProps/core.xml";

    /// Parts with text, in the order of their texts.
    private static final List<String> TEXTS = List.of(DOCUMENT, "word/footnotes.xml", "word/endnotes.xml");

    private static final int MAX_ENTRIES = 100_000;

    @Override
    public Contents open(FileSource source) throws IOException {
        Map<String, WordText> parts = new HashMap<>();
        // All entries together may decompress to as much as one file may.
        try (BoundedStream raw = source.open();
                ZipInputStream zip = new ZipInputStream(raw)) {
            BoundedStream unpacked = new BoundedStream(zip, source.limits().maxBytes(), 0);
            int entries = 0;
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                if (++entries > MAX_ENTRIES) {
                    throw new FileProblem("expected at most %,d entries, got more".formatted(MAX_ENTRIES));
                }
                if (TEXTS.contains(entry.getName()) || entry.getName().equals(PROPERTIES)) {
                    parts.put(
                            entry.getName(),
                            WordText.of(new Unclosed(unpacked), source.limits().maxCharacters()));
                } else {
                    unpacked.transferTo(OutputStream.nullOutputStream());
                }
            }
        } catch (ZipException | XMLStreamException e) {
            throw new FileProblem("no readable docx: " + e.getMessage(), e);
        }
        return Contents.of(content(parts, source.limits().maxCharacters()));
    }

    private static Content content(Map<String, WordText> parts, int maxCharacters) throws FileProblem {
        WordText document = parts.get(DOCUMENT);
        if (document == null) {
            throw new FileProblem("no readable docx: expected %s in the zip file, found none".formatted(DOCUMENT));
        }
        BoundedText text = new BoundedText(maxCharacters);
        for (String name : TEXTS) {
            WordText part = parts.get(name);
            if (part != null) {
                text.append(part.text()).endLine();
            }
        }
        Optional<String> title = Optional.ofNullable(parts.get(PROPERTIES)).flatMap(WordText::title);
        return Content.of(title.or(document::title), text.toString());
    }

    /// Parsers close what they read; the zip file goes on.
    private static final class Unclosed extends FilterInputStream {
        Unclosed(InputStream in) {
            super(in);
        }

        @Override
        public void close() {}
    }
}
