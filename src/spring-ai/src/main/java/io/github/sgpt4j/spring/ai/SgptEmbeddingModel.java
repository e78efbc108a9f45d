package io.github.sgpt4j.spring.ai;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.ProgressListener;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.retrieval.ModelIdentity;
import io.micrometer.observation.ObservationRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.metadata.DefaultUsage;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.AbstractEmbeddingModel;
import org.springframework.ai.embedding.Embedding;
import org.springframework.ai.embedding.EmbeddingOptions;
import org.springframework.ai.embedding.EmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingResponse;
import org.springframework.ai.embedding.EmbeddingResponseMetadata;
import org.springframework.ai.embedding.observation.DefaultEmbeddingModelObservationConvention;
import org.springframework.ai.embedding.observation.EmbeddingModelObservationContext;
import org.springframework.ai.embedding.observation.EmbeddingModelObservationConvention;
import org.springframework.ai.embedding.observation.EmbeddingModelObservationDocumentation;

/// A [BiEncoder] as an embedding model of Spring AI.
///
/// Asymmetric models embed queries and documents differently. [#embed(String)] embeds a query, since
/// Spring AI's vector stores call it for what is searched; all other methods embed documents. A request
/// with [SgptEmbeddingOptions#getKind] overrides that. Of a document its text is embedded, not its
/// metadata.
///
/// A response has the tokens of its texts as usage, and under [#TRUNCATED] how many texts were cut to the
/// model's length; the log tells the first time. Each request is one observation, as for Spring AI's own
/// models. Safe to share between threads; the encoder is borrowed and must outlive this.
public final class SgptEmbeddingModel extends AbstractEmbeddingModel {
    /// Key of a response's metadata: how many of its texts were cut to the model's length, an `Integer`.
    public static final String TRUNCATED = "truncated";

    /// What observations call the provider.
    static final String PROVIDER = "sgpt4j";

    private static final EmbeddingModelObservationConvention DEFAULT_CONVENTION =
            new DefaultEmbeddingModelObservationConvention();

    private final BiEncoder encoder;
    private final String name;
    private final ObservationRegistry registry;
    private final EmbeddingModelObservationConvention convention;
    private final CutTexts cutTexts;

    private SgptEmbeddingModel(Builder builder) {
        encoder = builder.encoder;
        name = builder.name == null ? ModelIdentity.of(encoder).name() : builder.name;
        registry = builder.registry;
        convention = builder.convention;
        cutTexts = new CutTexts("texts to embed with " + name);
    }

    /// A model over an encoder.
    ///
    /// @param encoder borrowed
    public static Builder builder(BiEncoder encoder) {
        return new Builder(encoder);
    }

    /// The encoder that computes.
    public BiEncoder encoder() {
        return encoder;
    }

    /// What responses and observations call the model.
    public String name() {
        return name;
    }

    /// Embeds texts: documents, unless the options say otherwise.
    ///
    /// @throws IllegalArgumentException if a text is null, or the options ask for another model, other
    ///     dimensions, or settings of another provider
    /// @throws io.github.sgpt4j.error.SgptException as [BiEncoder#embeddings]
    @Override
    public EmbeddingResponse call(EmbeddingRequest request) {
        List<String> texts = checked(request.getInstructions());
        TextKind kind = kind(request.getOptions());
        SgptEmbeddingOptions options = SgptEmbeddingOptions.builder()
                .model(name)
                .dimensions(dimensions())
                .kind(kind)
                .build();
        EmbeddingModelObservationContext context = EmbeddingModelObservationContext.builder()
                .embeddingRequest(new EmbeddingRequest(texts, options))
                .provider(PROVIDER)
                .build();
        return EmbeddingModelObservationDocumentation.EMBEDDING_MODEL_OPERATION
                .observation(convention, DEFAULT_CONVENTION, () -> context, registry)
                .observe(() -> {
                    EmbeddingResponse response = compute(texts, kind);
                    context.setResponse(response);
                    return response;
                });
    }

    private EmbeddingResponse compute(List<String> texts, TextKind kind) {
        List<Embedding> results = new ArrayList<>();
        int tokens = 0;
        int truncated = 0;
        for (io.github.sgpt4j.Embedding embedding : encoder.embeddings(texts, kind, ProgressListener.NONE)) {
            tokens = Math.addExact(tokens, embedding.tokens());
            truncated += embedding.truncated() ? 1 : 0;
            results.add(new Embedding(embedding.vector(), results.size()));
        }
        cutTexts.tell(truncated, encoder.maxLength(kind));
        DefaultUsage usage = new DefaultUsage(tokens, 0);
        return new EmbeddingResponse(results, new EmbeddingResponseMetadata(name, usage, Map.of(TRUNCATED, truncated)));
    }

    private static List<String> checked(List<String> texts) {
        for (int i = 0; i < texts.size(); i++) {
            if (texts.get(i) == null) {
                throw new IllegalArgumentException(
                        "text %d of %d: expected a text, got null, as of a document without text"
                                .formatted(i + 1, texts.size()));
            }
        }
        return List.copyOf(texts);
    }

    /// Checks the options of a request.
    private TextKind kind(@Nullable EmbeddingOptions options) {
        if (options == null) {
            return TextKind.DOCUMENT;
        }
        String model = options.getModel();
        if (model != null && !model.equals(name)) {
            throw new IllegalArgumentException(
                    "model of the request: expected %s or none, got %s; one model is opened".formatted(name, model));
        }
        Integer dimensions = options.getDimensions();
        if (dimensions != null && dimensions != dimensions()) {
            throw new IllegalArgumentException(
                    "dimensions of the request: expected %d or none, got %d; they are set when the model is opened"
                            .formatted(dimensions(), dimensions));
        }
        if (options instanceof SgptEmbeddingOptions own) {
            return Objects.requireNonNullElse(own.getKind(), TextKind.DOCUMENT);
        }
        if (!options.getClass().equals(EmbeddingOptions.builder().build().getClass())) {
            throw new IllegalArgumentException(
                    "options of the request: expected SgptEmbeddingOptions or those of EmbeddingOptions.builder(), got "
                            + options.getClass().getName());
        }
        return TextKind.DOCUMENT;
    }

    /// Embeds a query.
    ///
    /// @return `[dimensions]`
    @Override
    public float[] embed(String text) {
        return embed(text, TextKind.QUERY);
    }

    /// Embeds the text of a document.
    ///
    /// @return `[dimensions]`
    /// @throws IllegalArgumentException if it has none
    @Override
    public float[] embed(Document document) {
        return embed(Texts.of(document), TextKind.DOCUMENT);
    }

    private float[] embed(String text, TextKind kind) {
        SgptEmbeddingOptions options = SgptEmbeddingOptions.builder().kind(kind).build();
        return call(new EmbeddingRequest(List.of(text), options)).getResult().getOutput();
    }

    /// Number of components of an embedding.
    @Override
    public int dimensions() {
        return encoder.dimension();
    }

    /// Collects what a model needs.
    public static final class Builder {
        private final BiEncoder encoder;
        private @Nullable String name;
        private ObservationRegistry registry = ObservationRegistry.NOOP;
        private EmbeddingModelObservationConvention convention = DEFAULT_CONVENTION;

        private Builder(BiEncoder encoder) {
            this.encoder = Objects.requireNonNull(encoder, "encoder");
        }

        /// What responses and observations call the model; the name of its folder or repository unless set.
        public Builder name(String value) {
            name = Objects.requireNonNull(value, "name");
            return this;
        }

        /// Where requests are observed.
        public Builder observationRegistry(ObservationRegistry value) {
            registry = Objects.requireNonNull(value, "observation registry");
            return this;
        }

        /// How requests are observed.
        public Builder observationConvention(EmbeddingModelObservationConvention value) {
            convention = Objects.requireNonNull(value, "observation convention");
            return this;
        }

        /// The model.
        public SgptEmbeddingModel build() {
            return new SgptEmbeddingModel(this);
        }
    }
}
