package io.github.sgpt4j.documents.format;

import io.github.sgpt4j.documents.decoding.BoundedText;
import io.github.sgpt4j.documents.decoding.FileProblem;
import io.github.sgpt4j.documents.decoding.ReadingLimits;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.io.IOException;
import java.io.Writer;
import java.nio.CharBuffer;
import java.util.List;
import org.apache.pdfbox.contentstream.operator.Operator;
import org.apache.pdfbox.cos.COSBase;
import org.apache.pdfbox.pdmodel.PDPage;
import org.apache.pdfbox.text.PDFTextStripper;
import org.apache.pdfbox.text.TextPosition;

/// Collects the text of a PDF file, for a limited time: a page may use itself, or parts of it many times.
final class PdfText extends PDFTextStripper {
    /// Far more than a page can show; PDFBox keeps each with its place until the end of the page.
    private static final int MAX_PAGE_CHARACTERS = 1_000_000;

    private final BoundedText text;
    private final int maxSeconds;
    private final long deadline;
    private final int maxPageCharacters;
    private int pageCharacters;

    PdfText(ReadingLimits limits) {
        text = new BoundedText(limits.maxCharacters());
        maxSeconds = limits.maxSeconds();
        deadline = System.nanoTime() + maxSeconds * 1_000_000_000L;
        maxPageCharacters = Math.min(MAX_PAGE_CHARACTERS, limits.maxCharacters());
        setLineSeparator("\n");
        setSuppressDuplicateOverlappingText(false);
    }

    /// Where the text goes.
    Writer out() {
        return new Writer() {
            @Override
            public void write(char[] part, int offset, int length) throws IOException {
                text.append(CharBuffer.wrap(part, offset, length));
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
    }

    /// What was written.
    String text() {
        return text.toString();
    }

    @Override
    public void processPage(PDPage page) throws IOException {
        pageCharacters = 0;
        super.processPage(page);
    }

    @Override
    protected void processTextPosition(TextPosition position) {
        pageCharacters++;
        super.processTextPosition(position);
    }

    @Override
    protected void processOperator(Operator operator, List<COSBase> operands) throws IOException {
        if (System.nanoTime() > deadline) {
            throw new FileProblem("expected to be read within %d s, took longer".formatted(maxSeconds));
        }
        if (pageCharacters > maxPageCharacters) {
            throw new FileProblem("expected at most %,d characters on a page, got more".formatted(maxPageCharacters));
        }
        Interrupts.check("reading a PDF file");
        super.processOperator(operator, operands);
    }

    /// PDFBox goes on after a form that cannot be drawn; it must not after the time is up.
    @Override
    protected void operatorException(Operator operator, List<COSBase> operands, IOException failure)
            throws IOException {
        if (failure instanceof FileProblem) {
            throw failure;
        }
        super.operatorException(operator, operands, failure);
    }
}
