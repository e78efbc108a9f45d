package io.github.sgpt4j.server.inference;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.TextCut;
import java.util.List;
import java.util.OptionalInt;

/// Texts to embed.
///
/// @param encoder embeds
/// @param inputs at least one
/// @param field of the body that holds them, for messages
/// @param reading what is put around the texts
/// @param truncate whether inputs that are too long are cut; otherwise they are refused
/// @param cut side that they are cut on
/// @param dimensions number of components to keep, all if empty
/// @param normalize whether vectors are scaled to length 1
public record EmbedRequest(
        BiEncoder encoder,
        List<Input> inputs,
        String field,
        Reading reading,
        boolean truncate,
        TextCut cut,
        OptionalInt dimensions,
        boolean normalize) {
    /// A float, and its digits in a buffer that grows to twice its length.
    private static final int NUMBER_BYTES = Float.BYTES + 2 * 12;

    /// Copies the list.
    public EmbedRequest {
        inputs = List.copyOf(inputs);
    }

    /// For other inputs.
    public EmbedRequest withInputs(List<Input> value) {
        return new EmbedRequest(encoder, value, field, reading, truncate, cut, dimensions, normalize);
    }

    /// With this number of components.
    public EmbedRequest withDimensions(OptionalInt value) {
        return new EmbedRequest(encoder, inputs, field, reading, truncate, cut, value, normalize);
    }

    /// With vectors scaled to length 1 or not.
    public EmbedRequest withNormalize(boolean value) {
        return new EmbedRequest(encoder, inputs, field, reading, truncate, cut, dimensions, value);
    }

    /// About as many bytes as the vectors and an answer with their numbers as text take up.
    public long answerBytes() {
        return (long) inputs.size() * encoder.dimension() * NUMBER_BYTES;
    }
}
