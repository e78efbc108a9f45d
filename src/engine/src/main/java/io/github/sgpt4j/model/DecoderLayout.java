package io.github.sgpt4j.model;

import io.github.sgpt4j.backend.NormParameters;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.model.family.DecoderConfig;
import io.github.sgpt4j.model.family.Family;
import io.github.sgpt4j.model.family.Positions;
import io.github.sgpt4j.model.family.TensorNames;
import io.github.sgpt4j.weights.ExpectedTensor;
import io.github.sgpt4j.weights.ExpectedTensor.Use;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// The tensors of a decoder, by name and shape: those that [DecoderLoader] loads, without loading them.
///
/// @param config the model
/// @param layerPrefix common prefix of the names of tensors in layers, such as `transformer.h.`
/// @param decoder tensors that every use of the model needs
/// @param table name of the embedding table, one of `decoder`
/// @param head additional tensors for scoring; for a tied model its embedding table, unless a head is
///     stored
public record DecoderLayout(
        DecoderConfig config,
        String layerPrefix,
        List<ExpectedTensor> decoder,
        String table,
        List<ExpectedTensor> head) {
    public DecoderLayout {
        decoder = List.copyOf(decoder);
        head = List.copyOf(head);
    }

    /// Whether the output head is the embedding table itself.
    public boolean headIsTable() {
        return head.getFirst().name().equals(table);
    }

    /// Reads `config.json` in a directory.
    ///
    /// @param stored names of the tensors in the weight files, with or without a prefix
    /// @throws io.github.sgpt4j.error.SgptException if the configuration is broken, or the family is not supported
    public static DecoderLayout read(Path directory, Set<String> stored) {
        return read(Family.readConfig(directory, new JsonFiles()), stored);
    }

    /// As [#read(Path, Set)], for a `config.json` that was already read.
    public static DecoderLayout read(JsonFile file, Set<String> stored) {
        Family family = Family.of(file);
        return of(family.config().apply(file), family.names(), stored);
    }

    static DecoderLayout of(DecoderConfig config, TensorNames names, Set<String> stored) {
        return new Builder(config, names, names.prefix(stored::contains)).build(stored);
    }

    private static final class Builder {
        private final DecoderConfig c;
        private final TensorNames names;
        private final String prefix;
        private final OutputHead outputHead;
        private final List<ExpectedTensor> tensors = new ArrayList<>();

        Builder(DecoderConfig config, TensorNames names, String prefix) {
            this.c = config;
            this.names = names;
            this.prefix = prefix;
            this.outputHead = new OutputHead(config, names, prefix);
        }

        DecoderLayout build(Set<String> stored) {
            String table = outputHead.table(stored::contains);
            add(table, Use.TABLE, c.vocabulary(), c.embeddingWidth());
            if (c.positions() instanceof Positions.Learned learned) {
                long rows = c.maxPositions() + (long) learned.offset();
                names.positions().ifPresent(n -> add(prefix + n + ".weight", Use.TABLE, rows, c.hidden()));
            }
            if (c.embeddingNorm()) {
                names.embeddingNorm().ifPresent(n -> norm(prefix + n, c.hidden()));
            }
            if (c.hasEmbeddingProjection()) {
                names.projectIn().ifPresent(n -> add(prefix + n, c.hidden(), c.embeddingWidth(), false));
                names.projectOut().ifPresent(n -> add(prefix + n, c.embeddingWidth(), c.hidden(), false));
            }
            for (int i = 0; i < c.layers(); i++) {
                layer(prefix + names.layer().replace("{}", Integer.toString(i)));
            }
            if (c.finalNorm()) {
                norm(prefix + names.finalNorm(), c.hidden());
            }
            c.latents().ifPresent(latents -> tensors.addAll(LatentAttention.tensors(latents, c.hidden())));
            String layers = prefix + names.layer().substring(0, names.layer().indexOf("{}"));
            return new DecoderLayout(c, layers, tensors, table, head(stored));
        }

        private void layer(String p) {
            int inner = c.heads() * c.headDim();
            norm(p + names.norm1(), c.hidden());
            if (c.residual() != DecoderConfig.Residual.PARALLEL_ONE_NORM) {
                names.norm2().ifPresent(n -> norm(p + n, c.hidden()));
            }
            names.outputNorm1().ifPresent(n -> norm(p + n, c.hidden()));
            names.outputNorm2().ifPresent(n -> norm(p + n, c.hidden()));
            if (c.headNorm() != DecoderConfig.HeadNorm.NONE) {
                names.queryNorm().ifPresent(n -> norm(p + n, c.headNormColumns(c.heads())));
                names.keyNorm().ifPresent(n -> norm(p + n, c.headNormColumns(c.kvHeads())));
            }
            qkv(p);
            add(p + names.attentionOut(), c.hidden(), inner, c.bias().attentionOut());
            if (c.gated()) {
                names.gate()
                        .ifPresent(n ->
                                add(p + n, c.feedForward(), c.hidden(), c.bias().feedForward()));
            }
            long up = c.gated() && names.gate().isEmpty() ? 2L * c.feedForward() : c.feedForward();
            add(p + names.up(), up, c.hidden(), c.bias().feedForward());
            add(p + names.down(), c.hidden(), c.feedForward(), c.bias().feedForward());
        }

        private void qkv(String p) {
            boolean bias = c.bias().qkv();
            int queries = c.heads() * c.headDim();
            int keys = c.kvHeads() * c.headDim();
            switch (names.attention()) {
                case TensorNames.Attention.Separate s -> {
                    add(p + s.query(), queries, c.hidden(), bias);
                    add(p + s.key(), keys, c.hidden(), bias);
                    add(p + s.value(), keys, c.hidden(), bias);
                }
                case TensorNames.Attention.FusedBlocks f -> add(p + f.module(), c.qkvColumns(), c.hidden(), bias);
                case TensorNames.Attention.FusedPerHead f -> add(p + f.module(), 3L * queries, c.hidden(), bias);
            }
        }

        private List<ExpectedTensor> head(Set<String> stored) {
            List<String> names = outputHead.tensors(stored::contains);
            ExpectedTensor weight =
                    new ExpectedTensor(names.getFirst(), Use.MATRIX, c.vocabulary(), c.embeddingWidth());
            return names.size() == 1
                    ? List.of(weight)
                    : List.of(weight, new ExpectedTensor(names.getLast(), Use.VECTOR, c.vocabulary()));
        }

        private void norm(String module, int columns) {
            if (c.normAffine()) {
                add(module + ".weight", Use.VECTOR, columns);
                if (c.norm() == NormParameters.Kind.LAYER) {
                    add(module + ".bias", Use.VECTOR, columns);
                }
            }
        }

        /// A projection.
        private void add(String module, long out, long in, boolean bias) {
            long[] shape = names.inputFirst() ? new long[] {in, out} : new long[] {out, in};
            add(module + ".weight", names.inputFirst() ? Use.TRANSPOSED_MATRIX : Use.MATRIX, shape);
            if (bias) {
                add(module + ".bias", Use.VECTOR, out);
            }
        }

        private void add(String name, Use use, long... shape) {
            tensors.add(new ExpectedTensor(name, use, shape));
        }
    }
}
