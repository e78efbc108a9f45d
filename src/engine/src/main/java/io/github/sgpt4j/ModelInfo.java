package io.github.sgpt4j;

import io.github.sgpt4j.checkpoint.EmbeddingSettings;
import io.github.sgpt4j.checkpoint.SentenceModules;
import io.github.sgpt4j.checkpoint.TransformerSettings;
import io.github.sgpt4j.model.family.DecoderConfig;
import io.github.sgpt4j.model.family.Directions;
import io.github.sgpt4j.model.family.Positions;
import io.github.sgpt4j.tensor.ElementType;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/// Facts about an open checkpoint.
///
/// @param directory its directory
/// @param modelType its family
/// @param layers number of layers
/// @param hidden width of hidden states
/// @param heads query heads
/// @param kvHeads key and value heads
/// @param headDim dimensions of a head
/// @param vocabulary rows of the embedding table
/// @param maxPositions the length that the model was trained for; learned positions end there
/// @param positions kind of position information: `learned`, `rotary` or `alibi`
/// @param attention which tokens a token attends to: `causal`, `bidirectional`, or `bidirectional for
///     embeddings, causal for likelihoods`
/// @param parameters elements of all floating-point tensors in the checkpoint
/// @param elementsByDtype number of elements of all tensors by stored type, such as `F16`
/// @param files weight files
/// @param bytes size of all tensors
/// @param tokenizer the tokenizer in one line
/// @param pooling pooling modes of the bi-encoder, whose results are concatenated
/// @param tokenModules names of the modules between the transformer and pooling
/// @param modules names of the modules after pooling
/// @param maxLength maximum tokens of a text to embed
/// @param specb whether queries and documents are put in brackets by default
/// @param prompts prompts by name
/// @param similarity how embeddings are compared
/// @param dimension number of components of an embedding that are kept, 0 for all
/// @param sources where some of these facts come from
public record ModelInfo(
        Path directory,
        String modelType,
        int layers,
        int hidden,
        int heads,
        int kvHeads,
        int headDim,
        int vocabulary,
        int maxPositions,
        String positions,
        String attention,
        long parameters,
        Map<String, Long> elementsByDtype,
        List<Path> files,
        long bytes,
        String tokenizer,
        List<Pooling> pooling,
        List<String> tokenModules,
        List<String> modules,
        int maxLength,
        boolean specb,
        Map<String, String> prompts,
        Similarity similarity,
        int dimension,
        Sources sources) {
    /// Where facts come from, each in a few words.
    ///
    /// @param pooling of the pooling modes
    /// @param maxLength of the length that texts are cut to
    /// @param specb of the brackets, or why there are none
    /// @param prompts of the prompts
    /// @param attention the key of config.json that says which tokens a token attends to, or `default`
    public record Sources(String pooling, String maxLength, String specb, String prompts, String attention) {}

    private static final Set<String> PARAMETER_TYPES =
            Set.of(ElementType.F64.name(), ElementType.F32.name(), ElementType.F16.name(), ElementType.BF16.name());

    static ModelInfo of(Model model) {
        DecoderConfig c = model.decoder().config();
        List<TensorInfo> tensors = model.tensors();
        Map<String, Long> byDtype = new TreeMap<>();
        long parameters = 0;
        for (TensorInfo tensor : tensors) {
            byDtype.merge(tensor.dtype(), tensor.elements(), Long::sum);
            if (PARAMETER_TYPES.contains(tensor.dtype())) {
                parameters += tensor.elements();
            }
        }
        SentenceModules modules = model.modules();
        return new ModelInfo(
                model.directory(),
                c.modelType(),
                c.layers(),
                c.hidden(),
                c.heads(),
                c.kvHeads(),
                c.headDim(),
                c.vocabulary(),
                c.maxPositions(),
                switch (c.positions()) {
                    case Positions.Learned l -> "learned";
                    case Positions.Rotary r -> "rotary";
                    case Positions.Alibi a -> "alibi";
                },
                switch (c.visibility()) {
                    case CAUSAL -> "causal";
                    case BIDIRECTIONAL -> "bidirectional";
                    case BIDIRECTIONAL_STATES -> "bidirectional for embeddings, causal for likelihoods";
                },
                parameters,
                byDtype,
                tensors.stream().map(TensorInfo::file).distinct().toList(),
                tensors.stream().mapToLong(TensorInfo::bytes).sum(),
                model.tokenizer().describe(),
                Pooling.of(modules.modes()),
                Stream.concat(
                                c.latents().stream().map(latents -> "LatentAttention"),
                                modules.tokenLayers().stream().map(folder -> "Dense"))
                        .toList(),
                modules.steps().stream().map(ModelInfo::name).toList(),
                model.maxLength(),
                model.checkpoint().specb().used(),
                modules.prompts(),
                modules.use().similarity().map(Similarity::parse).orElse(Similarity.COSINE),
                modules.use().truncateDim().orElse(0),
                sources(model));
    }

    private static Sources sources(Model model) {
        SentenceModules modules = model.modules();
        Optional<String> known = model.checkpoint().knownPooling().map(kind -> "published use of " + kind.name());
        return new Sources(
                modules.poolingFile()
                        .map(file -> relative(model, file))
                        .orElse(known.map("%s, as there is no modules.json"::formatted)
                                .orElse("default, as there is no modules.json")),
                maxLengthSource(model),
                model.checkpoint().specb().source(),
                promptsSource(model),
                Directions.of(model.checkpoint().configuration()).source());
    }

    private static String promptsSource(Model model) {
        Map<String, String> prompts = model.modules().prompts();
        if (prompts.isEmpty()) {
            return "no prompts in config_sentence_transformers.json";
        }
        Optional<String> known = model.checkpoint()
                .knownPooling()
                .filter(kind -> kind.prompts().equals(prompts))
                .map(kind -> "published use of " + kind.name());
        return known.orElse(EmbeddingSettings.FILE)
                + (prompts.containsKey("query") || model.checkpoint().specb().used()
                        ? ""
                        : "; none is named query, so queries get one only by its name");
    }

    private static String maxLengthSource(Model model) {
        StringBuilder source = new StringBuilder(model.textLength().source());
        TransformerSettings input = model.modules().input();
        input.queryLength().ifPresent(n -> source.append("; queries to %,d".formatted(n)));
        input.documentLength().ifPresent(n -> source.append("; documents to %,d".formatted(n)));
        return source.toString();
    }

    private static String relative(Model model, Path file) {
        return file.startsWith(model.directory())
                ? model.directory().relativize(file).toString()
                : file.toString();
    }

    private static String name(SentenceModules.Step step) {
        return switch (step) {
            case SentenceModules.Step.Normalize n -> "Normalize";
            case SentenceModules.Step.Dense d -> "Dense";
        };
    }
}
