package io.github.sgpt4j.documents.format;

import io.github.sgpt4j.documents.decoding.FileProblem;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.pdfbox.Loader;
import org.apache.pdfbox.io.MemoryUsageSetting;
import org.apache.pdfbox.io.RandomAccessRead;
import org.apache.pdfbox.io.RandomAccessReadBuffer;
import org.apache.pdfbox.io.RandomAccessReadBufferedFile;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.encryption.InvalidPasswordException;

/// PDF, with Apache PDFBox: the text of all pages in the order in which the file has it, and the title of
/// its properties. The number of pages becomes the metadata `pages`. A file that opens with an empty
/// password is read; any other encrypted one is refused. What pages decompress to lies in memory, and in a
/// temporary file beyond that; both are bounded, as is the time.
final class PdfReader implements ContentReader {
    private static final long MAX_MEMORY = 32L << 20;
    private static final long MAX_STORAGE = 512L << 20;

    @Override
    public Contents open(FileSource source) throws IOException {
        if (source.size() > source.limits().maxBytes()) {
            throw new FileProblem("expected at most %,d bytes, got %,d"
                    .formatted(source.limits().maxBytes(), source.size()));
        }
        if (!source.limits().systemFonts()) {
            BundledFont.use();
        }
        try (RandomAccessRead bytes = bytes(source);
                PDDocument document = Loader.loadPDF(
                        bytes, MemoryUsageSetting.setupMixed(MAX_MEMORY, MAX_MEMORY + MAX_STORAGE).streamCache)) {
            PdfText text = new PdfText(source.limits());
            text.writeText(document, text.out());
            Optional<String> title = Optional.ofNullable(
                            document.getDocumentInformation().getTitle())
                    .map(String::strip)
                    .filter(found -> !found.isEmpty());
            return Contents.of(new Content(
                    OptionalLong.empty(), title, text.text(), Map.of("pages", document.getNumberOfPages())));
        } catch (InvalidPasswordException e) {
            throw new FileProblem("encrypted with a password", e);
        } catch (FileProblem | FileSystemException e) {
            throw e;
        } catch (IOException e) {
            Interrupts.checkCause(source.name(), e);
            throw new FileProblem("no readable PDF: " + e.getMessage(), e);
        } catch (RuntimeException e) {
            // PDFBox's parsers meet damage in many ways.
            Interrupts.check(source.name());
            throw new FileProblem("no readable PDF: " + e, e);
        }
    }

    private static RandomAccessRead bytes(FileSource source) throws IOException {
        return source.packed()
                ? new RandomAccessReadBuffer(source.bytes())
                : new RandomAccessReadBufferedFile(source.path());
    }
}
