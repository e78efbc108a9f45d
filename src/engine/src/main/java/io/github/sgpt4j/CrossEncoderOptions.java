package io.github.sgpt4j;

import io.github.sgpt4j.inference.PromptTemplate;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/// How pairs are scored. Immutable: each `with` method returns a changed copy.
public final class CrossEncoderOptions {
    /// SGPT's prompt and the model's length.
    public static final CrossEncoderOptions DEFAULT =
            new CrossEncoderOptions(new Values(PromptTemplate.DEFAULT.text(), null, true, null));

    private record Values(
            String prompt,
            @Nullable Integer maxLength,
            boolean truncate,
            @Nullable Integer batchTokens) {}

    private final Values values;

    private CrossEncoderOptions(Values values) {
        this.values = values;
    }

    /// Text before the query, with `{}` once where the document goes.
    public String prompt() {
        return values.prompt;
    }

    /// With another prompt.
    ///
    /// @throws IllegalArgumentException if it does not contain `{}` exactly once
    public CrossEncoderOptions withPrompt(String value) {
        PromptTemplate.parse(value);
        return new CrossEncoderOptions(new Values(value, values.maxLength, values.truncate, values.batchTokens));
    }

    /// Maximum tokens of prompt and query; empty for the model's number of positions.
    public OptionalInt maxLength() {
        return values.maxLength == null ? OptionalInt.empty() : OptionalInt.of(values.maxLength);
    }

    /// With prompt and query of at most this many tokens.
    ///
    /// @throws IllegalArgumentException if not positive
    public CrossEncoderOptions withMaxLength(int value) {
        if (value < 1) {
            throw new IllegalArgumentException("maximal length: expected at least 1, got " + value);
        }
        return new CrossEncoderOptions(new Values(values.prompt, value, values.truncate, values.batchTokens));
    }

    /// Whether longer pairs are cut; otherwise they are an error.
    public boolean truncate() {
        return values.truncate;
    }

    /// With `true`, pairs that are too long are cut; with `false`, the first of them causes a
    /// [io.github.sgpt4j.error.FormatException] before anything is computed.
    public CrossEncoderOptions withTruncate(boolean value) {
        return new CrossEncoderOptions(new Values(values.prompt, values.maxLength, value, values.batchTokens));
    }

    /// Maximum tokens computed at the same time on a device, which bounds the memory for activations.
    /// On the CPU, several threads, each with its own batch, share them. Empty for what suits the device,
    /// [Model#batchTokens].
    public OptionalInt batchTokens() {
        return values.batchTokens == null ? OptionalInt.empty() : OptionalInt.of(values.batchTokens);
    }

    /// With at most this many tokens computed at the same time.
    ///
    /// @throws IllegalArgumentException if not positive
    public CrossEncoderOptions withBatchTokens(int value) {
        if (value < 1) {
            throw new IllegalArgumentException("batch tokens: expected at least 1, got " + value);
        }
        return new CrossEncoderOptions(new Values(values.prompt, values.maxLength, values.truncate, value));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CrossEncoderOptions options && values.equals(options.values);
    }

    @Override
    public int hashCode() {
        return values.hashCode();
    }

    @Override
    public String toString() {
        return values.toString().replaceFirst("Values", "CrossEncoderOptions");
    }
}
