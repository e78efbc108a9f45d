package io.github.sgpt4j.server.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.github.sgpt4j.server.http.Body;
import io.github.sgpt4j.server.http.Response;
import io.github.sgpt4j.text.WellFormed;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.Map;

/// Writes answers.
public final class JsonWriting {
    /// The media type of JSON.
    public static final String MEDIA_TYPE = "application/json";

    /// A control character.
    private static final int ESCAPED_BYTES = 6;

    private static final JsonFactory FACTORY = new JsonFactory();

    private JsonWriting() {}

    /// Writes one value.
    @FunctionalInterface
    public interface Writing {
        /// @throws IOException if the client is gone
        void to(JsonGenerator json) throws IOException;
    }

    /// A JSON answer.
    public static Response response(int status, Writing writing) {
        return new Response(status, Map.of(), new Body.Bytes(MEDIA_TYPE, bytes(writing)));
    }

    /// One value as bytes.
    public static byte[] bytes(Writing writing) {
        Pieces out = new Pieces();
        try (JsonGenerator json = FACTORY.createGenerator(out)) {
            writing.to(json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.joined();
    }

    /// Most bytes that a text takes up in an answer, without its quotation marks.
    public static long size(String text) {
        long bytes = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            bytes += c < ' ' ? ESCAPED_BYTES : c == '"' || c == '\\' ? 2 : c < 0x80 ? 1 : c < 0x800 ? 2 : 3;
        }
        return bytes;
    }

    /// An array of numbers, each with the fewest digits that read back to the same float.
    public static void numbers(JsonGenerator json, float[] vector) throws IOException {
        json.writeStartArray();
        for (float value : vector) {
            json.writeNumber(value);
        }
        json.writeEndArray();
    }

    /// The numbers as little-endian floats in base64.
    public static void base64(JsonGenerator json, float[] vector) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(vector);
        json.writeString(Base64.getEncoder().encodeToString(bytes.array()));
    }

    /// A string in which unpaired surrogates are U+FFFD, as they are to the tokenizer.
    public static void text(JsonGenerator json, String text) throws IOException {
        json.writeString(WellFormed.repair(text));
    }

    /// A field with such a string.
    public static void textField(JsonGenerator json, String name, String text) throws IOException {
        json.writeFieldName(name);
        text(json, text);
    }
}
