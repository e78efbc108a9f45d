package io.github.sgpt4j.model;

import io.github.sgpt4j.backend.Backward;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.Norm;
import io.github.sgpt4j.backend.Sums;
import io.github.sgpt4j.backend.Table;
import io.github.sgpt4j.weights.WeightTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;

/// The gradients of a decoder's trained tensors, summed over batches where the backend computes. Safe to use by one
/// thread at a time.
///
/// Stored tensors and the backend's matrices may be cut differently: queries, keys and values of one stored tensor may
/// be interleaved, or those of three stored tensors stacked. [#read] gives gradients in stored order.
public final class Gradients implements AutoCloseable {
    private final Backward backward;
    private final Map<Linear, Sums> matrices = new IdentityHashMap<>();
    private final Map<Linear, Sums> linearBiases = new IdentityHashMap<>();
    private final Map<Norm, Sums> gains = new IdentityHashMap<>();
    private final Map<Norm, Sums> normBiases = new IdentityHashMap<>();
    private final Map<Table, Sums> tables = new IdentityHashMap<>();
    private final NavigableMap<String, Trained> tensors = new TreeMap<>();
    private final List<Sums> all = new ArrayList<>();
    private final List<Runnable> reloads = new ArrayList<>();

    /// Where the rows of a stored tensor's gradient are.
    ///
    /// @param pieces the sums that hold them
    private record Trained(WeightTensor tensor, List<Piece> pieces) {}

    /// @param first row of `sums` that belongs to the first of `rows`
    private record Piece(Sums sums, MatrixRows rows, int first) {}

    /// @param trained selects stored tensors by name
    Gradients(DecoderWeights weights, Backward backward, Predicate<String> trained) {
        this.backward = backward;
        try {
            addTable(weights.embedding(), trained);
            weights.positions().ifPresent(table -> addTable(table, trained));
            weights.embeddingNorm().ifPresent(norm -> addNorm(norm, trained));
            weights.projectIn().ifPresent(linear -> addLinear(linear, trained));
            for (DecoderLayer layer : weights.layers()) {
                addNorm(layer.norm1(), trained);
                layer.norm2().ifPresent(norm -> addNorm(norm, trained));
                layer.queryNorm().ifPresent(norm -> addNorm(norm, trained));
                layer.keyNorm().ifPresent(norm -> addNorm(norm, trained));
                for (Linear linear : List.of(layer.qkv(), layer.attentionOut(), layer.up(), layer.down())) {
                    addLinear(linear, trained);
                }
            }
            addNorm(weights.finalNorm(), trained);
            weights.projectOut().ifPresent(linear -> addLinear(linear, trained));
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private Sums newSums(int rows, int columns) {
        Sums sums = backward.sums(rows, columns);
        all.add(sums);
        return sums;
    }

    private void addTable(Table table, Predicate<String> trained) {
        if (trained.test(table.stored().name())) {
            Sums sums = newSums(table.rows(), table.columns());
            tables.put(table, sums);
            addPieces(List.of(MatrixRows.all(table.stored())), sums, trained);
            reloads.add(() -> backward.reload(table));
        }
    }

    private void addNorm(Norm norm, Predicate<String> trained) {
        Optional<WeightTensor> gain = norm.parameters().gain().filter(tensor -> trained.test(tensor.name()));
        Optional<WeightTensor> bias = norm.parameters().bias().filter(tensor -> trained.test(tensor.name()));
        gain.ifPresent(tensor -> gains.put(norm, addVector(tensor, trained)));
        bias.ifPresent(tensor -> normBiases.put(norm, addVector(tensor, trained)));
        if (gain.isPresent() || bias.isPresent()) {
            reloads.add(() -> backward.reload(norm));
        }
    }

    private Sums addVector(WeightTensor tensor, Predicate<String> trained) {
        Sums sums = newSums(1, Math.toIntExact(tensor.shape().elements()));
        addPieces(List.of(MatrixRows.all(tensor)), sums, trained);
        return sums;
    }

    private void addLinear(Linear linear, Predicate<String> trained) {
        boolean matrix = isAny(linear.weightParts(), trained);
        boolean bias = isAny(linear.biasParts(), trained);
        if (matrix) {
            Sums sums = newSums(linear.out(), linear.in());
            matrices.put(linear, sums);
            addPieces(linear.weightParts(), sums, trained);
        }
        if (bias) {
            Sums sums = newSums(1, linear.out());
            linearBiases.put(linear, sums);
            addPieces(linear.biasParts(), sums, trained);
        }
        if (matrix || bias) {
            reloads.add(() -> {
                if (matrix) {
                    backward.reload(linear);
                } else {
                    backward.reloadBias(linear);
                }
            });
        }
    }

    private static boolean isAny(List<MatrixRows> parts, Predicate<String> trained) {
        return parts.stream().anyMatch(part -> trained.test(part.tensor().name()));
    }

    private void addPieces(List<MatrixRows> parts, Sums sums, Predicate<String> trained) {
        int first = 0;
        for (MatrixRows part : parts) {
            if (trained.test(part.tensor().name())) {
                tensors.computeIfAbsent(part.tensor().name(), name -> new Trained(part.tensor(), new ArrayList<>()))
                        .pieces()
                        .add(new Piece(sums, part, first));
            }
            first += part.count();
        }
    }

    /// Sums for a weight matrix, if one of its stored tensors is trained.
    Optional<Sums> matrix(Linear linear) {
        return Optional.ofNullable(matrices.get(linear));
    }

    /// Sums for a bias, if one of its stored tensors is trained.
    Optional<Sums> bias(Linear linear) {
        return Optional.ofNullable(linearBiases.get(linear));
    }

    /// Sums for the gain of a norm, if it is trained.
    Optional<Sums> gain(Norm norm) {
        return Optional.ofNullable(gains.get(norm));
    }

    /// Sums for the bias of a norm, if it is trained.
    Optional<Sums> bias(Norm norm) {
        return Optional.ofNullable(normBiases.get(norm));
    }

    /// Sums for a table, if it is trained.
    Optional<Sums> table(Table table) {
        return Optional.ofNullable(tables.get(table));
    }

    boolean trains(Linear linear) {
        return matrices.containsKey(linear) || linearBiases.containsKey(linear);
    }

    boolean trains(Norm norm) {
        return gains.containsKey(norm) || normBiases.containsKey(norm);
    }

    boolean trains(Table table) {
        return tables.containsKey(table);
    }

    /// The trained tensors by name. A tensor that the decoder uses several times has one gradient, the sum of all.
    public NavigableMap<String, WeightTensor> tensors() {
        NavigableMap<String, WeightTensor> result = new TreeMap<>();
        tensors.forEach((name, trained) -> result.put(name, trained.tensor()));
        return Collections.unmodifiableNavigableMap(result);
    }

    /// Reads a tensor's gradient, after all operations that add to it.
    ///
    /// @param name one of [#tensors]
    /// @param target as many values as the tensor has, in stored order; overwritten
    public void read(String name, double[] target) {
        Trained trained = tensors.get(name);
        if (trained == null || target.length != trained.tensor().shape().elements()) {
            throw new IllegalArgumentException("gradient of tensor %s into %d values".formatted(name, target.length));
        }
        Arrays.fill(target, 0);
        trained.pieces().forEach(piece -> read(piece, target));
    }

    private static void read(Piece piece, double[] target) {
        MatrixRows rows = piece.rows();
        double[] row = new double[piece.sums().columns()];
        boolean vector = rows.tensor().shape().rank() == 1;
        if (vector) {
            piece.sums().read(0, row);
            for (int j = 0; j < rows.count(); j++) {
                target[rows.source(j)] += row[piece.first() + j];
            }
            return;
        }
        int in = rows.in();
        int stride = rows.transposed() ? target.length / in : 1;
        for (int j = 0; j < rows.count(); j++) {
            piece.sums().read(piece.first() + j, row);
            int at = rows.transposed() ? rows.source(j) : rows.source(j) * in;
            for (int i = 0; i < in; i++) {
                target[at + i * stride] += row[i];
            }
        }
    }

    /// Sets all gradients to zero.
    public void clear() {
        all.forEach(Sums::clear);
    }

    /// Makes changed values of the trained tensors take effect. Nothing may be computing with the decoder.
    public void reload() {
        reloads.forEach(Runnable::run);
    }

    @Override
    public void close() {
        all.forEach(Sums::close);
    }
}
