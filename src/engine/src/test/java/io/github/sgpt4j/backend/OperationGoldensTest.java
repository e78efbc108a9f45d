package io.github.sgpt4j.backend;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceRows;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/// Operations and their gradients against PyTorch in float64, `goldens/training/operations`: results are stored in 32
/// bits.
@Tag("vector")
@Tag("cuda")
@ParameterizedClass
@MethodSource("io.github.sgpt4j.backend.BackendsUnderTest#againstGoldens")
class OperationGoldensTest extends BackwardContract {
    private static final Path FOLDER = Goldens.root().resolve("training/operations");

    private final JsonNode settings = Goldens.json(FOLDER.resolve("operations.json"));
    private final Weights goldens = Weights.openFile(FOLDER.resolve("operations.safetensors"));

    OperationGoldensTest(BackendUnderTest subject) {
        super(subject);
    }

    @AfterEach
    void closeGoldens() {
        goldens.close();
    }

    @Test
    void norms() {
        for (String name : names("norm.")) {
            Norm norm = norm(name, settings.get(name).get("epsilon").floatValue());
            try (Tensor x = tensor(name + ".x");
                    Tensor dOut = tensor(name + ".dy");
                    Tensor out = backend.allocate(x.rows(), x.columns());
                    Tensor dX = backend.allocateInner(x.rows(), x.columns());
                    Sums gain = backward.sums(1, x.columns());
                    Sums bias = backward.sums(1, x.columns())) {
                backend.norm(x, norm, out);
                check(name + ".y", out);
                backward.norm(x, norm, dOut, false, dX);
                check(name + ".dx", dX);
                backward.gainSums(x, norm, dOut, gain);
                check(name + ".dgain", gain);
                if (norm.parameters().bias().isPresent()) {
                    backward.columnSums(dOut, bias);
                    check(name + ".dbias", bias);
                }
            }
        }
    }

    @Test
    void activations() {
        for (String name : names("activation.")) {
            Activation activation = Activation.valueOf(name.substring("activation.".length()));
            float[] ones = new float[floats(name + ".x").length];
            Arrays.fill(ones, 1f);
            try (Tensor x = tensor(name + ".x");
                    Tensor out = backend.allocateInner(1, ones.length);
                    Tensor d = inner(ones, 1)) {
                backward.activate(x, activation, out);
                check(name + ".y", out);
                backward.activation(x, activation, d);
                check(name + ".dx", d);
            }
        }
    }

    @Test
    void gatedActivations() {
        for (String name : names("gated.")) {
            Activation activation = Activation.valueOf(name.substring("gated.".length()));
            try (Tensor x = tensor(name + ".x");
                    Tensor dOut = tensor(name + ".dy");
                    Tensor out = backend.allocateInner(dOut.rows(), dOut.columns());
                    Tensor dX = backend.allocateInner(x.rows(), x.columns())) {
                backend.gatedActivation(x, activation, out);
                check(name + ".y", out);
                backward.gatedActivation(x, activation, dOut, dX);
                check(name + ".dx", dX);
            }
        }
    }

    @Test
    void attention() {
        for (String name : names("attention.")) {
            JsonNode node = settings.get(name);
            AttentionParameters parameters = new AttentionParameters(
                    node.get("heads").intValue(),
                    node.get("kvHeads").intValue(),
                    node.get("headDim").intValue(),
                    node.get("scale").floatValue(),
                    node.get("window").intValue(),
                    slopes(node.get("slopes")));
            Optional<JsonNode> rotary = Optional.of(node.get("rotary")).filter(JsonNode::isObject);
            try (Batch batch = backend.upload(packed(node));
                    Tensor qkv = tensor(name + ".qkv");
                    Tensor dOut = tensor(name + ".dout");
                    Tensor out = backend.allocateInner(dOut.rows(), dOut.columns());
                    Tensor dQkv = backend.allocateInner(qkv.rows(), qkv.columns())) {
                rotary.ifPresent(r -> backend.rotary(qkv, batch, rotary(r, parameters, 1)));
                backend.attention(qkv, batch, parameters, out);
                check(name + ".out", out);
                backward.attention(qkv, batch, parameters, out, dOut, dQkv);
                rotary.ifPresent(r -> backend.rotary(dQkv, batch, rotary(r, parameters, -1)));
                check(name + ".dqkv", dQkv);
            }
        }
    }

    @Test
    void pooling() {
        for (String name : names("pool.")) {
            PackedBatch packed = packed(settings.get(name));
            int count = packed.segments();
            SequenceRows sequences =
                    SequenceRows.of(packed, IntStream.range(0, count).toArray());
            List<PoolMode> modes = Arrays.stream(
                            name.substring("pool.".length()).split("\\+"))
                    .map(OperationGoldensTest::mode)
                    .toList();
            Norm norm = norm(name, 1e-5f);
            int[] skip = new int[count];
            try (Tensor x = tensor(name + ".x");
                    Tensor dOut = tensor(name + ".dout");
                    Tensor out = backend.allocate(count, dOut.columns());
                    Tensor d = backend.allocateInner(x.rows(), x.columns());
                    Sums bias = backward.sums(1, x.columns())) {
                backend.pool(x, norm, sequences, skip, modes, out);
                check(name + ".out", out);
                backward.pool(x, norm, sequences, skip, modes, dOut, d);
                backward.columnSums(d, bias);
                check(name + ".dbias", bias);
                backward.norm(x, norm, d, false, d);
                check(name + ".dx", d);
            }
        }
    }

    private static PoolMode mode(String name) {
        return switch (name) {
            case "cls" -> PoolMode.FIRST;
            case "lasttoken" -> PoolMode.LAST;
            case "max" -> PoolMode.MAX;
            case "mean" -> PoolMode.MEAN;
            case "mean_sqrt_len_tokens" -> PoolMode.MEAN_SQRT_LENGTH;
            case "weightedmean" -> PoolMode.WEIGHTED_MEAN;
            default -> throw new IllegalArgumentException(name);
        };
    }

    private static RotaryParameters rotary(JsonNode node, AttentionParameters attention, int direction) {
        int dim = node.get("rotaryDim").intValue();
        double base = node.get("base").doubleValue();
        double[] frequencies = new double[dim / 2];
        Arrays.setAll(frequencies, i -> direction * Math.pow(base, -2.0 * i / dim));
        return new RotaryParameters(
                attention.heads(),
                attention.kvHeads(),
                attention.headDim(),
                dim,
                node.get("interleaved").booleanValue(),
                frequencies,
                1f);
    }

    private static float[] slopes(JsonNode node) {
        float[] slopes = new float[node.size()];
        for (int i = 0; i < slopes.length; i++) {
            slopes[i] = node.get(i).floatValue();
        }
        return slopes;
    }

    private static PackedBatch packed(JsonNode node) {
        List<int[]> sequences = new ArrayList<>();
        node.get("lengths").forEach(length -> sequences.add(new int[length.intValue()]));
        return PackedBatch.of(sequences);
    }

    private Norm norm(String name, float epsilon) {
        Optional<WeightTensor> bias =
                Optional.of(name + ".bias").filter(goldens.names()::contains).map(goldens::get);
        NormParameters.Kind kind = bias.isPresent() ? NormParameters.Kind.LAYER : NormParameters.Kind.RMS;
        WeightTensor gain = goldens.get(name + ".gain");
        int columns = Math.toIntExact(gain.shape().elements());
        return backend.norm(new NormParameters(kind, columns, Optional.of(gain), bias, epsilon));
    }

    /// Operations whose names begin with the given text; there must be some.
    private List<String> names(String prefix) {
        List<String> names = new ArrayList<>();
        settings.fieldNames().forEachRemaining(name -> {
            if (name.startsWith(prefix)) {
                names.add(name);
            }
        });
        if (names.isEmpty()) {
            throw new AssertionError("no operations " + prefix);
        }
        return names;
    }

    private float[] floats(String name) {
        return goldens.get(name).toFloats();
    }

    /// A stored vector is one row.
    private Tensor tensor(String name) {
        WeightTensor stored = goldens.get(name);
        int rows =
                stored.shape().rank() == 1 ? 1 : Math.toIntExact(stored.shape().dimension(0));
        return inner(stored.toFloats(), rows);
    }

    private Tensor inner(float[] values, int rows) {
        int columns = values.length / rows;
        try (Tensor wide = backend.upload(values, rows, columns)) {
            Tensor tensor = backend.allocateInner(rows, columns);
            backend.copy(wide, tensor);
            return tensor;
        }
    }

    private void check(String name, Tensor actual) {
        check(name, Doubles.of(backend.download(actual)), actual.columns());
    }

    private void check(String name, Sums actual) {
        check(name, values(actual), actual.columns());
    }

    private void check(String name, double[] actual, int columns) {
        tolerance.check(subject.name() + ", " + name, Doubles.of(floats(name)), actual, columns);
    }
}
