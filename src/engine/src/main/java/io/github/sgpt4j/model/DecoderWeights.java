package io.github.sgpt4j.model;

import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.Norm;
import io.github.sgpt4j.backend.NormParameters;
import io.github.sgpt4j.backend.RotaryParameters;
import io.github.sgpt4j.backend.Table;
import io.github.sgpt4j.model.family.DecoderConfig;
import io.github.sgpt4j.model.family.Positions;
import java.util.List;
import java.util.Optional;

/// A decoder's weights on a backend, without the output head.
///
/// @param embedding `[vocabulary, embeddingWidth]`
/// @param positions `[positions, hidden]`, or empty
/// @param embeddingNorm norm after the embedding, or empty
/// @param projectIn `[hidden, embeddingWidth]`, or empty
/// @param layers the layers, in order
/// @param rotary rotation of queries and keys, or empty
/// @param finalNorm norm after the last layer
/// @param projectOut `[embeddingWidth, hidden]`, or empty
/// @param gatherHidden identity norm for rows of hidden states
/// @param gatherHeads identity norm for rows of all heads' outputs
/// @param gatherWidth identity norm for rows of the model's outputs
record DecoderWeights(
        DecoderConfig config,
        Table embedding,
        Optional<Table> positions,
        Optional<Norm> embeddingNorm,
        Optional<Linear> projectIn,
        List<DecoderLayer> layers,
        Optional<RotaryParameters> rotary,
        Norm finalNorm,
        Optional<Linear> projectOut,
        Norm gatherHidden,
        Norm gatherHeads,
        Norm gatherWidth) {
    static DecoderWeights load(DecoderConfig config, DecoderLoader loader, Backend backend) {
        return new DecoderWeights(
                config,
                loader.embedding(),
                loader.positions(),
                loader.embeddingNorm(),
                loader.projectIn(),
                loader.layers(),
                rotary(config),
                loader.finalNorm(),
                loader.projectOut(),
                backend.norm(NormParameters.identity(config.hidden())),
                backend.norm(NormParameters.identity(config.heads() * config.headDim())),
                backend.norm(NormParameters.identity(config.embeddingWidth())));
    }

    private static Optional<RotaryParameters> rotary(DecoderConfig c) {
        return c.positions() instanceof Positions.Rotary r ? Optional.of(rotary(c, r)) : Optional.empty();
    }

    static RotaryParameters rotary(DecoderConfig c, Positions.Rotary r) {
        return new RotaryParameters(
                c.heads(),
                c.kvHeads(),
                c.headDim(),
                r.dimensions(),
                r.interleaved(),
                r.inverseFrequencies(),
                r.scale());
    }
}
