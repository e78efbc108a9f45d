package io.github.sgpt4j.langchain4j;

import static dev.langchain4j.model.embedding.request.EmbeddingRequestParameters.DIMENSIONS;
import static dev.langchain4j.model.embedding.request.EmbeddingRequestParameters.INPUT_TYPE;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.embedding.DimensionAwareEmbeddingModel;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import dev.langchain4j.model.embedding.request.EmbeddingInput;
import dev.langchain4j.model.embedding.request.EmbeddingInputType;
import dev.langchain4j.model.embedding.request.EmbeddingParameter;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.langchain4j.model.embedding.request.EmbeddingRequestParameters;
import dev.langchain4j.model.embedding.response.EmbeddingResponse;
import dev.langchain4j.model.output.TokenUsage;
import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.ProgressListener;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.retrieval.ModelIdentity;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Embeds texts in this process with a [BiEncoder]. Safe to share between threads.
///
/// Asymmetric models embed queries and documents differently, so they must know what a text is: the
/// request's `inputType` says it. Where the framework sets none, as its ingestors and retrievers do
/// unless they are told to, give them [#forDocuments] and [#forQueries]. Without a type a text is
/// embedded as it is ([TextKind#TEXT]).
///
/// A request may ask for fewer `dimensions` than the model has: then only the first numbers are kept,
/// scaled to length 1. Everything else that the framework may ask for is refused by name.
///
/// Texts that are too long are cut, and a warning in the log of this package tells how many; with
/// [BiEncoderOptions#withTruncate] they are refused. Failures are those of [BiEncoder].
public final class SgptEmbeddingModel extends DimensionAwareEmbeddingModel implements AutoCloseable {
    private final BiEncoder encoder;
    private final String name;
    private final EmbeddingRequestParameters defaults;
    private final List<EmbeddingModelListener> listeners;
    private final Runnable owned;

    private SgptEmbeddingModel(
            BiEncoder encoder,
            String name,
            EmbeddingRequestParameters defaults,
            List<EmbeddingModelListener> listeners,
            Runnable owned) {
        this.encoder = encoder;
        this.name = name;
        this.defaults = defaults;
        this.listeners = listeners;
        this.owned = owned;
    }

    /// A model to choose and to set up.
    public static Builder builder() {
        return new Builder();
    }

    /// A model over an encoder that the caller owns and closes.
    public static SgptEmbeddingModel of(BiEncoder encoder) {
        return builder().encoder(encoder).build();
    }

    /// Sets up a [SgptEmbeddingModel].
    public static final class Builder extends ModelBuilder<BiEncoder, Builder> {
        private @Nullable BiEncoderOptions options;
        private @Nullable EmbeddingInputType inputType;
        private final List<EmbeddingModelListener> listeners = new ArrayList<>();

        private Builder() {}

        /// How texts are embedded by a model that is opened here.
        public Builder options(BiEncoderOptions value) {
            options = Objects.requireNonNull(value, "options");
            return this;
        }

        /// What texts are if a request does not say it.
        public Builder inputType(EmbeddingInputType value) {
            inputType = Objects.requireNonNull(value, "inputType");
            return this;
        }

        /// Adds listeners, which are told of every request.
        public Builder listeners(List<EmbeddingModelListener> values) {
            listeners.addAll(values);
            return this;
        }

        /// Adds listeners, which are told of every request.
        public Builder listeners(EmbeddingModelListener... values) {
            return listeners(List.of(values));
        }

        /// Opens the model.
        ///
        /// @throws IllegalArgumentException if not exactly one model was chosen, or options were given for an
        ///     encoder that is already open
        /// @throws IllegalStateException if an artifact that the choice needs is missing
        /// @throws java.io.UncheckedIOException if no model has the name, or it cannot be downloaded
        /// @throws io.github.sgpt4j.error.SgptException as [Model#open(java.nio.file.Path)]
        public SgptEmbeddingModel build() {
            Opened<BiEncoder> opened = open();
            try {
                return new SgptEmbeddingModel(
                        opened.encoder(),
                        opened.name()
                                .orElseGet(
                                        () -> ModelIdentity.of(opened.encoder()).name()),
                        EmbeddingRequestParameters.builder()
                                .inputType(inputType)
                                .build(),
                        List.copyOf(listeners),
                        opened.owned());
            } catch (RuntimeException | Error e) {
                opened.owned().run();
                throw e;
            }
        }

        @Override
        Builder self() {
            return this;
        }

        @Override
        BiEncoder encoder(Model model) {
            return BiEncoder.of(model, options == null ? BiEncoderOptions.DEFAULT : options);
        }

        @Override
        boolean hasOptions() {
            return options != null;
        }

        @Override
        void close(BiEncoder made) {
            made.close();
        }
    }

    /// The same model for texts to search with. It is usable until this one is closed; closing it does
    /// nothing. A request that says what its texts are is followed nevertheless.
    public SgptEmbeddingModel forQueries() {
        return as(EmbeddingInputType.QUERY);
    }

    /// The same model for texts to be found; otherwise as [#forQueries].
    public SgptEmbeddingModel forDocuments() {
        return as(EmbeddingInputType.DOCUMENT);
    }

    private SgptEmbeddingModel as(EmbeddingInputType type) {
        return new SgptEmbeddingModel(
                encoder,
                name,
                EmbeddingRequestParameters.builder().inputType(type).build(),
                listeners,
                () -> {});
    }

    /// What computes; for an index or a store of this model's embeddings.
    public BiEncoder encoder() {
        return encoder;
    }

    /// Counts tokens as this model does.
    public SgptTokenCountEstimator tokenCountEstimator() {
        return SgptTokenCountEstimator.of(encoder.model());
    }

    /// Most tokens, as [#tokenCountEstimator] counts them, of a text that is not cut: the limit for a
    /// splitter of documents. Special tokens, brackets and prompt of the kind of text that this model
    /// assumes are already subtracted.
    public int maxTextTokens() {
        TextKind kind = kind(defaults.inputType());
        return encoder.maxLength(kind) - encoder.tokenize("", kind).length;
    }

    @Override
    public EmbeddingResponse doEmbed(EmbeddingRequest request) {
        int kept = requireDimensions(request.dimensions());
        TextKind kind = kind(request.inputType());
        List<String> texts = request.inputs().stream().map(EmbeddingInput::text).toList();
        List<io.github.sgpt4j.Embedding> embedded = encoder.embeddings(texts, kind, ProgressListener.NONE);
        List<Embedding> embeddings = new ArrayList<>();
        CutTexts cut = new CutTexts(plural(kind), encoder.maxLength(kind));
        long tokens = 0;
        for (io.github.sgpt4j.Embedding each : embedded) {
            embeddings.add(Embedding.from(shortened(each.vector(), kept)));
            cut.count(each.truncated(), each.uncutTokens());
            tokens += each.tokens();
        }
        cut.warn();
        return EmbeddingResponse.builder()
                .embeddings(embeddings)
                .modelName(name)
                .tokenUsage(new TokenUsage(Math.toIntExact(tokens)))
                .build();
    }

    private int requireDimensions(@Nullable Integer asked) {
        int all = encoder.dimension();
        if (asked != null && (asked < 1 || asked > all)) {
            throw new UnsupportedFeatureException(
                    "dimensions: expected 1 to %d, as the model %s has no more, got %d".formatted(all, name, asked));
        }
        return asked == null ? all : asked;
    }

    /// As [BiEncoderOptions#withDimensions].
    private static float[] shortened(float[] vector, int kept) {
        return kept == vector.length ? vector : Similarity.COSINE.prepare(Arrays.copyOf(vector, kept));
    }

    private static TextKind kind(@Nullable EmbeddingInputType type) {
        return switch (type) {
            case null -> TextKind.TEXT;
            case QUERY -> TextKind.QUERY;
            case DOCUMENT -> TextKind.DOCUMENT;
        };
    }

    private static String plural(TextKind kind) {
        return switch (kind) {
            case TEXT -> "texts";
            case QUERY -> "queries";
            case DOCUMENT -> "documents";
        };
    }

    /// `inputType` and `dimensions`.
    @Override
    public Set<EmbeddingParameter<?>> supportedParameters() {
        return Set.of(INPUT_TYPE, DIMENSIONS);
    }

    @Override
    public EmbeddingRequestParameters defaultRequestParameters() {
        return defaults;
    }

    @Override
    public List<EmbeddingModelListener> listeners() {
        return listeners;
    }

    @Override
    protected Integer knownDimension() {
        return encoder.dimension();
    }

    /// The name that the model was opened by; otherwise that of its directory, or `owner/name` in a
    /// Hugging Face cache.
    @Override
    public String modelName() {
        return name;
    }

    /// Closes the model if it was opened by the builder.
    @Override
    public void close() {
        owned.run();
    }
}
