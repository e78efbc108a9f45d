package io.github.sgpt4j.server.dialect;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.sgpt4j.VectorPrecision;
import io.github.sgpt4j.VectorQuantizer;
import io.github.sgpt4j.VectorRanges;
import io.github.sgpt4j.server.inference.EmbedRequest;
import io.github.sgpt4j.server.json.JsonWriting;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import java.io.IOException;
import java.util.Base64;
import java.util.Optional;

/// How an answer writes a vector.
///
/// @param name that clients have for it
/// @param quantizer makes bytes of vectors; empty for floats
/// @param base64 whether the floats or bytes are written as base64 instead of as an array
record VectorForm(String name, Optional<VectorQuantizer> quantizer, boolean base64) {
    private static final String FLOAT = "float";
    private static final String BASE64 = "base64";

    /// Floats.
    static final VectorForm FLOATS = new VectorForm(FLOAT, Optional.empty(), false);

    /// The form of a name: `float`, `base64`, `int8`, `uint8`, `binary` or `ubinary`.
    ///
    /// @param field that holds the name, for messages
    /// @param request whose vectors are written
    /// @throws ApiException if there is no such form, or the server lacks the ranges that it needs
    static VectorForm named(String name, String field, EmbedRequest request, Service service) {
        return switch (name) {
            case FLOAT -> FLOATS;
            case BASE64 -> new VectorForm(name, Optional.empty(), true);
            case "int8", "uint8" -> {
                VectorPrecision precision = VectorPrecision.parse(name);
                VectorRanges ranges = ranges(name, field, request, service);
                yield new VectorForm(name, Optional.of(VectorQuantizer.of(precision, ranges)), false);
            }
            case "binary", "ubinary" ->
                new VectorForm(name, Optional.of(VectorQuantizer.of(VectorPrecision.parse(name))), false);
            default ->
                throw new ApiException(
                        Problem.INVALID_VALUE,
                        field,
                        "%s: expected float, base64, int8, uint8, binary or ubinary, got something else"
                                .formatted(field));
        };
    }

    /// The ranges are those of the first model's vectors of one dimension.
    private static VectorRanges ranges(String name, String field, EmbedRequest request, Service service) {
        int width = request.dimensions().orElse(request.encoder().dimension());
        boolean first = service.models()
                .embedder(Optional.empty())
                .filter(embedder -> embedder.encoder() == request.encoder())
                .isPresent();
        Optional<VectorRanges> ranges = service.options().ranges().filter(known -> first && request.normalize());
        if (ranges.filter(known -> known.dimension() == width).isPresent()) {
            return ranges.get();
        }
        throw new ApiException(
                Problem.INVALID_VALUE,
                field,
                "%s: %s needs the ranges of this model's normalized vectors of %d dimensions, and the server was not"
                                .formatted(field, name, width)
                        + " started with them; binary and ubinary need none");
    }

    /// The same, as base64.
    VectorForm inBase64() {
        return new VectorForm(name, quantizer, true);
    }

    /// Writes a vector.
    void write(JsonGenerator json, float[] vector) throws IOException {
        if (quantizer.isEmpty()) {
            if (base64) {
                JsonWriting.base64(json, vector);
            } else {
                JsonWriting.numbers(json, vector);
            }
            return;
        }
        byte[] bytes = quantizer.get().quantize(vector);
        if (base64) {
            json.writeString(Base64.getEncoder().encodeToString(bytes));
            return;
        }
        json.writeStartArray();
        for (byte value : bytes) {
            json.writeNumber(quantizer.get().precision().isUnsigned() ? Byte.toUnsignedInt(value) : value);
        }
        json.writeEndArray();
    }
}
