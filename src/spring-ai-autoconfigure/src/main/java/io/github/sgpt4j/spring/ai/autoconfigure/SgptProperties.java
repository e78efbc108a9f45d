package io.github.sgpt4j.spring.ai.autoconfigure;

import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.retrieval.SearchMode;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/// Settings of the models and the vector store.
///
/// @param device Device that computes: auto, cpu or cuda[:N[,N…]].
/// @param dtype How weights are kept.
/// @param threads CPU threads that compute; one per processor unless set.
/// @param embedding Settings of the model that embeds.
/// @param scoring Settings of the model that re-ranks.
/// @param vectorstore Settings of the vector store.
@ConfigurationProperties(SgptProperties.PREFIX)
public record SgptProperties(
        @DefaultValue("auto") String device,
        @DefaultValue("auto") Dtype dtype,
        @Nullable Integer threads,
        @DefaultValue Embedding embedding,
        @DefaultValue Scoring scoring,
        @DefaultValue VectorStore vectorstore) {
    /// What names of properties begin with.
    static final String PREFIX = "spring.ai.sgpt4j";

    /// Names of properties, for messages.
    static final String DEVICE = PREFIX + ".device";

    static final String DTYPE = PREFIX + ".dtype";
    static final String THREADS = PREFIX + ".threads";
    static final String EMBEDDING_MODEL = PREFIX + ".embedding.model";
    static final String DIMENSIONS = PREFIX + ".embedding.dimensions";
    static final String MAX_LENGTH = PREFIX + ".embedding.max-length";
    static final String SCORING_MODEL = PREFIX + ".scoring.model";
    static final String TOP_N = PREFIX + ".scoring.top-n";
    static final String PATH = PREFIX + ".vectorstore.path";

    /// The names of those properties that choose a device or its type of weights and are set.
    List<String> givenDevice() {
        return Stream.of(device.equals("auto") ? "" : DEVICE, dtype == Dtype.AUTO ? "" : DTYPE)
                .filter(name -> !name.isEmpty())
                .toList();
    }

    /// Settings of the model that embeds.
    ///
    /// @param model Folder of the model that embeds, its name on the Hugging Face hub (needs
    ///     sgpt4j-weights-tools), or sgpt4j-nano for the built-in model, which is also the default.
    /// @param dimensions Number of first components of an embedding that are kept, and scaled to length 1.
    /// @param maxLength Maximum tokens of a text.
    /// @param truncate Whether texts that are too long are cut; otherwise they are refused.
    public record Embedding(
            @Nullable String model,
            @Nullable Integer dimensions,
            @Nullable Integer maxLength,
            @DefaultValue("true") boolean truncate) {}

    /// Settings of the model that re-ranks.
    ///
    /// @param model Folder of the model that re-ranks, its name on the Hugging Face hub (needs
    ///     sgpt4j-weights-tools), or sgpt4j-nano for the built-in model; nothing is re-ranked unless set.
    /// @param topN Maximum number of documents that re-ranking returns; all unless set.
    /// @param truncate Whether pairs that are too long are cut; otherwise they are refused.
    public record Scoring(
            @Nullable String model,
            @Nullable Integer topN,
            @DefaultValue("true") boolean truncate) {}

    /// Settings of the vector store.
    ///
    /// @param path Folder of the index, created if absent; there is no vector store unless set.
    /// @param mode How documents are found: dense (by meaning), bm25 (by words) or hybrid (by both).
    public record VectorStore(
            @Nullable String path, @DefaultValue("dense") SearchMode mode) {}
}
