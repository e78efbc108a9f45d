package io.github.sgpt4j;

import io.github.sgpt4j.model.DecoderConfig;
import io.github.sgpt4j.model.Positions;
import io.github.sgpt4j.scoring.SentenceModules;
import io.github.sgpt4j.tensor.DType;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Facts about an open checkpoint.
///
/// @param directory where it lies
/// @param modelType its family
/// @param layers number of layers
/// @param hidden width of hidden states
/// @param heads query heads
/// @param kvHeads key and value heads
/// @param headDim dimensions of a head
/// @param vocabulary rows of the embedding table
/// @param maxPositions longest sequence
/// @param positions kind of position information: `learned`, `rotary` or `alibi`
/// @param parameters elements of all floating-point tensors in the checkpoint
/// @param elementsByDtype elements of all tensors by stored type, such as `F16`
/// @param files weight files
/// @param bytes size of all tensors
/// @param tokenizer the tokenizer in one line
/// @param pooling pooling modes of the bi-encoder, results concatenated
/// @param modules names of the modules after pooling
/// @param maxLength most tokens of a text to embed
/// @param specb whether queries and documents are put in brackets by default
/// @param prompts texts put in front by name
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
        long parameters,
        Map<String, Long> elementsByDtype,
        List<Path> files,
        long bytes,
        String tokenizer,
        List<Pooling> pooling,
        List<String> modules,
        int maxLength,
        boolean specb,
        Map<String, String> prompts) {
    static ModelInfo of(Model model) {
        DecoderConfig c = model.decoder().config();
        Weights weights = model.weights();
        Map<String, Long> byDtype = new TreeMap<>();
        long parameters = 0;
        for (String name : weights.names()) {
            WeightTensor tensor = weights.get(name);
            long elements = tensor.shape().elements();
            byDtype.merge(tensor.dtype().name(), elements, Long::sum);
            if (tensor.dtype().isWeight() || tensor.dtype() == DType.F64) {
                parameters += elements;
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
                parameters,
                byDtype,
                weights.files(),
                weights.totalBytes(),
                model.tokenizer().describe(),
                modules.modes().stream().map(Pooling::of).toList(),
                modules.steps().stream().map(ModelInfo::name).toList(),
                model.maxLength(),
                ModelName.isSpecb(model.directory()),
                modules.prompts());
    }

    private static String name(SentenceModules.Step step) {
        return switch (step) {
            case SentenceModules.Step.Normalize n -> "Normalize";
            case SentenceModules.Step.Dense d -> "Dense";
        };
    }
}
