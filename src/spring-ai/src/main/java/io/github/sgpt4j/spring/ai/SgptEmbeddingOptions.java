package io.github.sgpt4j.spring.ai;

import io.github.sgpt4j.TextKind;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.embedding.EmbeddingOptions;

/// What one request asks of an [SgptEmbeddingModel]. Immutable.
///
/// Model and dimensions are fixed when the model is opened: a request may state them, and is refused if
/// they are others.
public final class SgptEmbeddingOptions implements EmbeddingOptions {
    private final @Nullable String model;
    private final @Nullable Integer dimensions;
    private final @Nullable TextKind kind;

    private SgptEmbeddingOptions(Builder builder) {
        model = builder.model;
        dimensions = builder.dimensions;
        kind = builder.kind;
    }

    /// Options with nothing set.
    public static Builder builder() {
        return new Builder();
    }

    /// Name of the model that the request expects, or null for any.
    @Override
    public @Nullable String getModel() {
        return model;
    }

    /// Number of components that the request expects, or null for any.
    @Override
    public @Nullable Integer getDimensions() {
        return dimensions;
    }

    /// The role of the request's texts, or null for what the called method implies.
    public @Nullable TextKind getKind() {
        return kind;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof SgptEmbeddingOptions options
                && Objects.equals(model, options.model)
                && Objects.equals(dimensions, options.dimensions)
                && kind == options.kind;
    }

    @Override
    public int hashCode() {
        return Objects.hash(model, dimensions, kind);
    }

    @Override
    public String toString() {
        return "SgptEmbeddingOptions[model=%s, dimensions=%s, kind=%s]".formatted(model, dimensions, kind);
    }

    /// Collects options.
    public static final class Builder implements EmbeddingOptions.Builder {
        private @Nullable String model;
        private @Nullable Integer dimensions;
        private @Nullable TextKind kind;

        private Builder() {}

        @Override
        public Builder model(@Nullable String value) {
            model = value;
            return this;
        }

        @Override
        public Builder dimensions(@Nullable Integer value) {
            dimensions = value;
            return this;
        }

        /// The role of the texts: asymmetric models embed queries and documents differently.
        public Builder kind(@Nullable TextKind value) {
            kind = value;
            return this;
        }

        @Override
        public SgptEmbeddingOptions build() {
            return new SgptEmbeddingOptions(this);
        }
    }
}
