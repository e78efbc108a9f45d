package io.github.sgpt4j.cli.output;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;
import java.io.IOException;
import java.io.OutputStream;

/// Writes objects, one per line, in UTF-8. Numbers keep their full precision: reading them back gives the same float.
public final class JsonLines {
    private final JsonGenerator json;

    /// Writes the fields of an object.
    @FunctionalInterface
    public interface Fields {
        void write(JsonGenerator json) throws IOException;
    }

    /// @param out is left open
    public JsonLines(OutputStream out) throws IOException {
        json = new JsonFactory().createGenerator(out).disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
        json.setPrettyPrinter(new MinimalPrettyPrinter(""));
    }

    /// Writes one line.
    public void line(Fields fields) throws IOException {
        json.writeStartObject();
        fields.write(json);
        json.writeEndObject();
        json.writeRaw('\n');
    }

    /// Passes everything to the operating system.
    public void flush() throws IOException {
        json.flush();
    }
}
