package io.github.sgpt4j;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonFile;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Optional;

/// [VectorRanges] as JSON: `{"format": "sgpt4j-ranges", "version": 1, "embeddings", "fingerprint"?,
/// "minimum": […], "maximum": […]}`.
final class RangesFile {
    private static final String FORMAT = "sgpt4j-ranges";
    private static final String MINIMUM = "minimum";
    private static final String MAXIMUM = "maximum";
    private static final String EMBEDDINGS = "embeddings";
    private static final String FINGERPRINT = "fingerprint";
    private static final int VERSION = 1;
    private static final int MAX_COMPONENTS = 1 << 16;

    private RangesFile() {}

    static void write(VectorRanges ranges, OutputStream out) throws IOException {
        JsonGenerator json = new JsonFactory().createGenerator(out).disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
        json.writeStartObject();
        json.writeStringField("format", FORMAT);
        json.writeNumberField("version", VERSION);
        json.writeNumberField(EMBEDDINGS, ranges.embeddings());
        if (ranges.fingerprint().isPresent()) {
            json.writeStringField(FINGERPRINT, ranges.fingerprint().get());
        }
        json.writeArrayFieldStart(MINIMUM);
        for (int i = 0; i < ranges.dimension(); i++) {
            json.writeNumber(ranges.least(i));
        }
        json.writeEndArray();
        json.writeArrayFieldStart(MAXIMUM);
        for (int i = 0; i < ranges.dimension(); i++) {
            json.writeNumber(ranges.largest(i));
        }
        json.writeEndArray();
        json.writeEndObject();
        json.writeRaw('\n');
        json.flush();
    }

    static VectorRanges read(Path file) {
        JsonFile json = JsonFile.readObject(file);
        String format = json.text("format", "");
        if (!format.equals(FORMAT)) {
            throw new FormatException(
                    "%s: expected ranges of embeddings, key \"format\" with the value \"%s\"".formatted(file, FORMAT));
        }
        if (json.positiveInt("version") != VERSION) {
            throw new FormatException("%s: expected version %d of this form, got %d"
                    .formatted(file, VERSION, json.positiveInt("version")));
        }
        float[] least = numbers(json, MINIMUM);
        float[] largest = numbers(json, MAXIMUM);
        String fingerprint = json.text(FINGERPRINT, "");
        long embeddings = json.positiveIntOrZero(0, EMBEDDINGS);
        try {
            return VectorRanges.of(
                    least, largest, embeddings, Optional.of(fingerprint).filter(text -> !text.isEmpty()));
        } catch (IllegalArgumentException e) {
            throw new FormatException(file + ": " + e.getMessage(), e);
        }
    }

    private static float[] numbers(JsonFile json, String key) {
        JsonNode array = json.node(key)
                .orElseThrow(
                        () -> new FormatException("%s: expected key \"%s\", found none".formatted(json.path(), key)));
        if (!array.isArray() || array.isEmpty() || array.size() > MAX_COMPONENTS) {
            throw json.wrong(key, "an array of 1 to %d numbers".formatted(MAX_COMPONENTS), array);
        }
        float[] values = new float[array.size()];
        for (int i = 0; i < values.length; i++) {
            if (!array.get(i).isNumber()) {
                throw json.wrong(key, "numbers", array.get(i));
            }
            values[i] = array.get(i).floatValue();
        }
        return values;
    }
}
