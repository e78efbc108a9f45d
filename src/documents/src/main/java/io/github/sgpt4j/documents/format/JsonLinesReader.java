package io.github.sgpt4j.documents.format;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.documents.decoding.BoundedStream;
import io.github.sgpt4j.documents.decoding.FileProblem;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonReader;
import io.github.sgpt4j.json.Unreadable;
import io.github.sgpt4j.retrieval.corpus.LineReader;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;

/// JSON Lines: an object per line, each a document ([JsonRecord]). Blank lines are skipped.
final class JsonLinesReader implements ContentReader {
    @Override
    public Contents open(FileSource source) throws IOException {
        BoundedStream in = source.open();
        return new Lines(source, in);
    }

    private static final class Lines implements Contents {
        private final BoundedStream in;
        private final LineReader lines;
        private final JsonReader json;
        private final JsonRecord records;
        private long count;

        Lines(FileSource source, BoundedStream in) {
            this.in = in;
            lines = new LineReader(in, source.name());
            json = JsonReader.ofData(source.limits().maxCharacters());
            records = new JsonRecord(source);
        }

        @Override
        public Optional<Content> next() throws IOException {
            try {
                Optional<String> line = read();
                while (line.filter(String::isBlank).isPresent()) {
                    line = read();
                }
                if (line.isEmpty()) {
                    return Optional.empty();
                }
                JsonNode object = json.parseLine(lines.where(), line.get());
                if (!object.isObject()) {
                    throw new FormatException(
                            "%s: expected an object, got %s".formatted(lines.where(), Unreadable.kind(object)));
                }
                return Optional.of(records.content(OptionalLong.of(++count), object));
            } catch (FileProblem e) {
                throw new FileProblem("%s: %s".formatted(lines.where(), e.getMessage()), e);
            }
        }

        private Optional<String> read() {
            in.renew();
            return lines.next();
        }

        @Override
        public void close() throws IOException {
            lines.close();
        }
    }
}
