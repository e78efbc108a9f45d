package io.github.sgpt4j;

import io.github.sgpt4j.scoring.PromptTemplate;

/// How pairs are scored. Immutable: each `with` method returns a changed copy.
///
/// @param prompt text before the query, with `{}` once where the document goes
/// @param maxLength most tokens of prompt and query; 0 for the model's positions
/// @param truncate cut what is longer; otherwise it is an error
/// @param batchTokens most tokens computed at the same time on a device, which bounds the memory for activations; on
///     the CPU, threads with a batch each share them
public record CrossEncoderOptions(String prompt, int maxLength, boolean truncate, int batchTokens) {
    /// SGPT's prompt and the model's length.
    public static final CrossEncoderOptions DEFAULT =
            new CrossEncoderOptions(PromptTemplate.DEFAULT.text(), 0, true, BiEncoderOptions.DEFAULT_BATCH_TOKENS);

    /// @throws IllegalArgumentException if `prompt` does not hold `{}` once, `maxLength` is negative, or
    ///     `batchTokens` is not positive
    public CrossEncoderOptions {
        PromptTemplate.parse(prompt);
        if (maxLength < 0) {
            throw new IllegalArgumentException("maximal length: expected at least 0, got " + maxLength);
        }
        if (batchTokens < 1) {
            throw new IllegalArgumentException("batch tokens: expected at least 1, got " + batchTokens);
        }
    }

    /// With another prompt.
    ///
    /// @throws IllegalArgumentException if it does not hold `{}` once
    public CrossEncoderOptions withPrompt(String value) {
        return new CrossEncoderOptions(value, maxLength, truncate, batchTokens);
    }

    /// With prompt and query cut to this many tokens; 0 for the model's positions.
    ///
    /// @throws IllegalArgumentException if negative
    public CrossEncoderOptions withMaxLength(int value) {
        return new CrossEncoderOptions(prompt, value, truncate, batchTokens);
    }

    /// With pairs cut that are too long, or with a [io.github.sgpt4j.error.FormatException] for the
    /// first of them, before anything is computed.
    public CrossEncoderOptions withTruncate(boolean value) {
        return new CrossEncoderOptions(prompt, maxLength, value, batchTokens);
    }

    /// With this many tokens computed at the same time at most.
    ///
    /// @throws IllegalArgumentException if not positive
    public CrossEncoderOptions withBatchTokens(int value) {
        return new CrossEncoderOptions(prompt, maxLength, truncate, value);
    }
}
