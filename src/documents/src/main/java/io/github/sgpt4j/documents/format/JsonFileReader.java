package io.github.sgpt4j.documents.format;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.sgpt4j.documents.decoding.BoundedStream;
import io.github.sgpt4j.documents.decoding.FileProblem;
import io.github.sgpt4j.json.Unreadable;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;

/// JSON: an array of objects is a document per object, one object is one document ([JsonRecord]), and
/// anything else, such as settings with comments, is plain text.
final class JsonFileReader implements ContentReader {
    @Override
    public Contents open(FileSource source) throws IOException {
        BoundedStream in = source.open();
        Records records = new Records(source, in);
        try {
            if (records.start()) {
                return records;
            }
        } catch (JsonProcessingException e) {
            // Plain text, then.
            records.close();
            return new PlainTextReader().open(source);
        } catch (IOException | RuntimeException e) {
            records.close();
            throw e;
        }
        records.close();
        return new PlainTextReader().open(source);
    }

    private static final class Records implements Contents {
        private final BoundedStream in;
        private final JsonParser json;
        private final JsonRecord records;
        private Optional<Content> ahead = Optional.empty();
        private boolean isArray;
        private long count;

        Records(FileSource source, BoundedStream in) throws IOException {
            this.in = in;
            StreamReadConstraints limits = StreamReadConstraints.builder()
                    .maxStringLength(source.limits().maxCharacters())
                    .build();
            JsonFactory factory =
                    JsonFactory.builder().streamReadConstraints(limits).build();
            json = JsonMapper.builder(factory).build().createParser(in);
            records = new JsonRecord(source);
        }

        /// Reads the first record; false if there is none.
        boolean start() throws IOException {
            isArray = json.nextToken() == JsonToken.START_ARRAY;
            if (isArray) {
                json.nextToken();
            }
            if (json.currentToken() != JsonToken.START_OBJECT) {
                return false;
            }
            ahead = Optional.of(record());
            return isArray || json.nextToken() == null;
        }

        private Content record() throws IOException {
            JsonNode object = json.readValueAsTree();
            in.renew();
            count++;
            return records.content(isArray ? OptionalLong.of(count) : OptionalLong.empty(), object);
        }

        @Override
        public Optional<Content> next() throws IOException {
            Optional<Content> content = ahead;
            if (content.isPresent()) {
                ahead = Optional.empty();
                return content;
            }
            if (!isArray) {
                return content;
            }
            try {
                JsonToken token = json.nextToken();
                if (token == JsonToken.END_ARRAY) {
                    isArray = false;
                    return Optional.empty();
                }
                if (token != JsonToken.START_OBJECT) {
                    throw new FileProblem(
                            "element %d: expected an object, got %s".formatted(count + 1, Unreadable.kind(token)));
                }
                return Optional.of(record());
            } catch (JsonProcessingException e) {
                throw new FileProblem("element %d: %s".formatted(count + 1, Unreadable.problem(e)), e);
            }
        }

        @Override
        public void close() throws IOException {
            json.close();
        }
    }
}
