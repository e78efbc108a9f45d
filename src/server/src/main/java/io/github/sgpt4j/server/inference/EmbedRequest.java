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
    /// The digits of a number, in pieces and in the answer made of them.
    private static final int DIGITS_BYTES = 2 * 12;
    /// What else an input takes up: its tokens' object, its vector's, its result.
    private static final int INPUT_BYTES = 256;

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

    /// About as many bytes as the tokens, the vectors, and an answer with their numbers as text take up.
    public long answerBytes() {
        return vectorBytes() + (long) inputs.size() * encoder.dimension() * DIGITS_BYTES;
    }

    /// As [#answerBytes], for a number of inputs of any length.
    public long answerBytes(int count) {
        long numbers = (long) encoder.dimension() * (Float.BYTES + DIGITS_BYTES);
        return count * (numbers + (long) encoder.maxLength() * Integer.BYTES + INPUT_BYTES);
    }

    /// About as many bytes as the tokens and the vectors take up.
    public long vectorBytes() {
        long tokens = 0;
        for (Input input : inputs) {
            tokens += switch (input) {
                case Input.Text(String text) -> TextSizes.tokens(text, encoder.maxLength());
                case Input.Ids(int[] ids) -> Math.min(ids.length, encoder.maxLength());
            };
        }
        return tokens * Integer.BYTES + (long) inputs.size() * (encoder.dimension() * Float.BYTES + INPUT_BYTES);
    }
}
