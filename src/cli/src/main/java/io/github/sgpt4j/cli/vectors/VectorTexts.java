package io.github.sgpt4j.cli.vectors;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/// Embeddings of a file, with the ids of their texts and, unless they were read as vectors, the texts.
///
/// @param file they come from
/// @param ids one per vector
/// @param texts one per vector; empty if the file has vectors only
/// @param vectors `[texts][dimension]`, at least one
record VectorTexts(String file, List<String> ids, Optional<List<String>> texts, float[][] vectors) {
    int count() {
        return vectors.length;
    }

    /// What people recognise a text by: the text, or nothing.
    String text(int index) {
        return texts.map(all -> all.get(index)).orElse("");
    }

    /// Writes the fields `id` and, if it is known, `text`.
    void write(JsonGenerator json, int index) throws IOException {
        json.writeStringField("id", ids.get(index));
        if (texts.isPresent()) {
            json.writeStringField("text", texts.get().get(index));
        }
    }

    /// Writes an object with these fields.
    void writeObject(JsonGenerator json, String name, int index) throws IOException {
        json.writeObjectFieldStart(name);
        write(json, index);
        json.writeEndObject();
    }
}
