package io.github.sgpt4j.training.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonReader;
import io.github.sgpt4j.json.JsonText;
import io.github.sgpt4j.json.Unreadable;
import io.github.sgpt4j.retrieval.corpus.Metadata;
import io.github.sgpt4j.retrieval.corpus.RecordReader;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import java.nio.file.Path;
import java.util.Optional;

/// Texts with or without a teacher's embedding: lines of a `.txt` file, which are the texts themselves, or of a
/// `.jsonl` file, objects with `text`, `title` and `embedding`. A title is put before the text, as `sgpt embed` does.
///
/// @param json whether lines are objects
record TextLines(boolean json) {
    private static final String EMBEDDING = "embedding";

    /// What a line says.
    ///
    /// @param text stripped
    record Line(String text, Optional<float[]> embedding) {}

    /// How the lines of a file are read, by its name.
    ///
    /// @throws FormatException if it says neither
    static TextLines of(Path file) {
        if (!RecordReader.isSupported(file.toString())) {
            throw new FormatException(
                    "%s: expected a name ending in .txt, .jsonl, .txt.gz or .jsonl.gz".formatted(file));
        }
        return new TextLines(RecordReader.isJson(file.toString()));
    }

    /// Whether a line is nothing at all, not an empty text.
    boolean isSkipped(String line) {
        return json && line.isBlank();
    }

    /// @param where file and line
    /// @throws FormatException if it has no text, or an embedding that is none
    Line parse(String where, String line) {
        if (!json) {
            return new Line(Texts.stripped(() -> where, line), Optional.empty());
        }
        JsonNode node = JsonReader.STRICT.parseLine(where, line);
        if (!node.isObject()) {
            throw new FormatException("%s: expected an object, got %s".formatted(where, Unreadable.kind(node)));
        }
        TextRecord texts = new TextRecord(
                where,
                Optional.empty(),
                JsonText.optional(where, node, "title"),
                JsonText.optional(where, node, "text"),
                Optional.empty(),
                Optional.empty(),
                Metadata.EMPTY);
        return new Line(Texts.stripped(() -> where + ": \"text\"", texts.joined()), embedding(where, node));
    }

    private static Optional<float[]> embedding(String where, JsonNode object) {
        JsonNode array = object.path(EMBEDDING);
        if (array.isMissingNode() || array.isNull()) {
            return Optional.empty();
        }
        String place = "%s: \"%s\"".formatted(where, EMBEDDING);
        if (!array.isArray()) {
            throw new FormatException(
                    "%s: expected an array of numbers, got %s".formatted(place, Unreadable.kind(array)));
        }
        if (array.isEmpty() || array.size() > Embeddings.MAX_DIMENSION) {
            throw new FormatException("%s: expected from 1 to %d numbers, got %d"
                    .formatted(place, Embeddings.MAX_DIMENSION, array.size()));
        }
        float[] vector = new float[array.size()];
        for (int i = 0; i < vector.length; i++) {
            JsonNode number = array.path(i);
            if (!number.isNumber()) {
                throw new FormatException(
                        "%s: component %d: expected a number, got %s".formatted(place, i + 1, Unreadable.kind(number)));
            }
            vector[i] = (float) number.doubleValue();
        }
        return Optional.of(Embeddings.checked(() -> place, vector));
    }
}
