package io.github.sgpt4j.documents.format;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.dataformat.csv.CsvFactory;
import com.fasterxml.jackson.dataformat.csv.CsvMapper;
import com.fasterxml.jackson.dataformat.csv.CsvParser;
import com.fasterxml.jackson.dataformat.csv.CsvSchema;
import io.github.sgpt4j.documents.decoding.BoundedStream;
import io.github.sgpt4j.documents.decoding.Encoding;
import io.github.sgpt4j.documents.decoding.FileProblem;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.util.Optional;

/// Tables: a document per row ([TableRows]). Cells of `.csv` are separated by commas, or by semicolons if
/// the first line has these and no comma, and may be quoted; cells of `.tsv` are separated by tabs and
/// never quoted (IANA's text/tab-separated-values).
final class TableReader implements ContentReader {
    private static final int MAX_LINE = 1 << 16;

    private final boolean tabs;

    TableReader(boolean tabs) {
        this.tabs = tabs;
    }

    @Override
    public Contents open(FileSource source) throws IOException {
        Encoding encoding = source.encoding();
        char separator = tabs ? '\t' : separator(source, encoding);
        BoundedStream in = source.open();
        try {
            Reader characters = source.characters(in, encoding);
            return new TableRows(source, in, rows(source, characters, separator));
        } catch (IOException | RuntimeException e) {
            in.close();
            throw e;
        }
    }

    private MappingIterator<String[]> rows(FileSource source, Reader characters, char separator) throws IOException {
        StreamReadConstraints limits = StreamReadConstraints.builder()
                .maxStringLength(source.limits().maxCharacters())
                .build();
        CsvMapper mapper = CsvMapper.builder(
                        CsvFactory.builder().streamReadConstraints(limits).build())
                .enable(CsvParser.Feature.WRAP_AS_ARRAY)
                .enable(CsvParser.Feature.SKIP_EMPTY_LINES)
                .build();
        CsvSchema schema = CsvSchema.emptySchema().withColumnSeparator(separator);
        return mapper.readerFor(String[].class)
                .with(tabs ? schema.withoutQuoteChar() : schema)
                .readValues(characters);
    }

    private static char separator(FileSource source, Encoding encoding) throws IOException {
        try (BoundedStream in = source.open();
                BufferedReader characters = new BufferedReader(source.characters(in, encoding))) {
            char[] line = new char[MAX_LINE];
            int length = Math.max(0, characters.read(line));
            String first = new String(line, 0, length).lines().findFirst().orElse("");
            return first.indexOf(',') < 0 && first.indexOf(';') >= 0 ? ';' : ',';
        }
    }

    /// What is wrong with a table, in one sentence.
    static FileProblem problem(long row, JsonProcessingException e) {
        String message = Optional.ofNullable(e.getOriginalMessage()).orElse("unreadable");
        return new FileProblem(
                "row %d: %s".formatted(row, message.lines().findFirst().orElse(message)), e);
    }
}
