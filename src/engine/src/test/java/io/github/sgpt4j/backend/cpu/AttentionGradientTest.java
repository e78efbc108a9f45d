package io.github.sgpt4j.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.management.ThreadMXBean;
import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.RotaryParameters;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.vector.VectorCode;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.PackedBatchBuilder;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.weights.Weights;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Every gradient is computed with machine code, where it exists, and with the Vector API: to the same bits.
@Tag("vector")
class AttentionGradientTest {
    private static final float[] NO_SLOPES = {};

    /// Of the largest value of a part of the gradient, and of the value itself: sums of up to some thousand products in
    /// 32-bit floats.
    private static final double TOLERANCE = 1e-5;

    private final CpuBackend backend = new CpuBackend(new CpuOptions(2, Precision.FP32));
    private final Workers workers = new Workers(3);
    private final SplittableRandom random = new SplittableRandom(11);

    @AfterEach
    void close() {
        workers.close();
        backend.close();
    }

    @Test
    void everyLength() {
        for (int length : new int[] {1, 2, 3, 31, 32, 33, 63, 64, 65, 127, 191, 192, 193, 257, 400, 700}) {
            check(segments(length), heads(1, 1, 16, 0, NO_SLOPES));
        }
        check(segments(700), heads(2, 1, 64, 0, NO_SLOPES));
    }

    @Test
    void everyHeadSize() {
        for (int dim : new int[] {1, 2, 3, 8, 12, 16, 24, 33, 40, 64, 80, 96, 128, 256}) {
            check(segments(1, 70, 33, 193), heads(2, 2, dim, 0, NO_SLOPES));
        }
    }

    @Test
    void windows() {
        for (int window : new int[] {1, 2, 3, 63, 64, 65, 191, 192, 256, 700, Integer.MAX_VALUE}) {
            check(segments(1, 2, 191, 192, 193, 400), heads(1, 1, 12, window, NO_SLOPES));
        }
        for (int window : new int[] {1, 3, 256}) {
            check(segments(700), heads(2, 2, 64, window, NO_SLOPES));
        }
    }

    @Test
    void groupsOfQueryHeads() {
        PackedBatch packed = segments(3, 193, 17, 64);
        for (int kvHeads : new int[] {1, 2, 3, 6}) {
            check(packed, heads(6, kvHeads, 24, 0, NO_SLOPES));
        }
        check(packed, heads(6, 2, 12, 7, slopes(6)));
    }

    @Test
    void slopesCountInScores() {
        check(segments(1, 2, 33, 100), heads(4, 4, 16, 0, slopes(4)));
        check(segments(700), heads(2, 2, 8, 0, slopes(2)));
        check(segments(100, 400), heads(4, 2, 16, 20, slopes(4)));
    }

    @Test
    void randomShapes() {
        for (int i = 0; i < 40; i++) {
            int[] lengths = IntStream.range(0, 1 + random.nextInt(6))
                    .map(s -> 1 + random.nextInt(random.nextBoolean() ? 12 : 260))
                    .toArray();
            int kvHeads = 1 + random.nextInt(3);
            int heads = kvHeads * (1 + random.nextInt(3));
            int window = random.nextBoolean() ? 0 : 1 + random.nextInt(300);
            float[] slopes = random.nextBoolean() ? NO_SLOPES : slopes(heads);
            check(segments(lengths), heads(heads, kvHeads, 1 + random.nextInt(40), window, slopes));
        }
    }

    @Test
    void largeScores() {
        AttentionParameters parameters = new AttentionParameters(2, 1, 16, 1f, 0, NO_SLOPES);
        PackedBatch packed = segments(1, 2, 70, 300);
        // Queries and keys are small integers, so that scores are exact; many are equal.
        float[] qkv = normal(packed.rows() * 64);
        for (int i = 0; i < qkv.length; i++) {
            qkv[i] = i % 64 < 48 ? 25 * (random.nextInt(3) - 1) : qkv[i];
        }
        check("scores of ±10,000", 25, packed, parameters, qkv);
        for (int i = 0; i < qkv.length; i++) {
            qkv[i] = i % 64 < 32 ? 25 : i % 64 < 48 ? -25 : qkv[i];
        }
        check("scores of −10,000", 25, packed, parameters, qkv);
    }

    @Test
    void agreesWithFiniteDifferences() {
        AttentionParameters parameters = heads(4, 2, 6, 5, slopes(4));
        PackedBatch packed = segments(3, 12);
        float[] qkv = normal(packed.rows() * parameters.qkvColumns());
        float[] outGradient = normal(packed.rows() * 24);
        float[] gradient = gradient(packed, parameters, qkv, outGradient);
        for (int i = 0; i < qkv.length; i++) {
            float value = qkv[i];
            float more = value + 1e-3f;
            float less = value - 1e-3f;
            qkv[i] = more;
            double above = loss(packed, parameters, qkv, outGradient);
            qkv[i] = less;
            double below = loss(packed, parameters, qkv, outGradient);
            qkv[i] = value;
            assertEquals((above - below) / ((double) more - less), gradient[i], 2e-5, "value " + i);
        }
    }

    private static double loss(PackedBatch packed, AttentionParameters parameters, float[] qkv, float[] outGradient) {
        double[] out = new DoubleAttention(packed, parameters, qkv).out();
        return IntStream.range(0, out.length)
                .mapToDouble(i -> out[i] * outGradient[i])
                .sum();
    }

    @Test
    void agreesWithTheReference() {
        Path folder = Goldens.root().resolve("training/operations");
        JsonNode cases = Goldens.json(folder.resolve("operations.json"));
        List<String> names = new ArrayList<>();
        cases.fieldNames().forEachRemaining(names::add);
        names.removeIf(name -> !name.startsWith("attention."));
        assertEquals(7, names.size());
        try (Weights goldens = Weights.openFile(folder.resolve("operations.safetensors"))) {
            for (String name : names) {
                JsonNode node = cases.get(name);
                PackedBatch packed = segments(ints(node.get("lengths")));
                AttentionParameters parameters = parameters(node);
                float[] qkv = goldens.get(name + ".qkv").toFloats();
                float[] outGradient = goldens.get(name + ".dout").toFloats();
                qkv = rotated(packed, parameters, node.get("rotary"), 1, qkv);
                float[] gradient = gradient(packed, parameters, qkv, outGradient);
                gradient = rotated(packed, parameters, node.get("rotary"), -1, gradient);
                assertArrayEquals(goldens.get(name + ".dqkv").toFloats(), gradient, 1e-5f, name);
            }
        }
    }

    private static AttentionParameters parameters(JsonNode node) {
        JsonNode slopes = node.get("slopes");
        float[] values = new float[slopes.size()];
        for (int h = 0; h < values.length; h++) {
            values[h] = slopes.get(h).floatValue();
        }
        return new AttentionParameters(
                node.get("heads").intValue(),
                node.get("kvHeads").intValue(),
                node.get("headDim").intValue(),
                node.get("scale").floatValue(),
                node.get("window").intValue(),
                values);
    }

    private static int[] ints(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .mapToInt(JsonNode::intValue)
                .toArray();
    }

    /// @param direction −1 for the rotation back
    private float[] rotated(
            PackedBatch packed, AttentionParameters parameters, JsonNode rotary, int direction, float[] qkv) {
        if (rotary.isNull()) {
            return qkv;
        }
        int dim = rotary.get("rotaryDim").intValue();
        double[] frequencies = new double[dim / 2];
        double base = rotary.get("base").doubleValue();
        Arrays.setAll(frequencies, p -> direction * Math.pow(base, -2.0 * p / dim));
        try (Batch batch = backend.upload(packed);
                Tensor x = backend.upload(qkv, packed.rows(), parameters.qkvColumns())) {
            RotaryParameters rotation = new RotaryParameters(
                    parameters.heads(),
                    parameters.kvHeads(),
                    parameters.headDim(),
                    dim,
                    rotary.get("interleaved").booleanValue(),
                    frequencies,
                    1f);
            backend.rotary(x, batch, rotation);
            return backend.download(x);
        }
    }

    @Test
    void isTheSameForAnyNumberOfThreads() {
        AttentionParameters parameters = heads(4, 2, 24, 0, NO_SLOPES);
        PackedBatch packed = segments(700, 3, 65, 1);
        float[] qkv = normal(packed.rows() * parameters.qkvColumns());
        float[] outGradient = normal(packed.rows() * 96);
        float[][] results = new float[2][];
        for (int i = 0; i < 2; i++) {
            try (Workers some = new Workers(1 + 6 * i)) {
                results[i] = gradient(some, packed, parameters, qkv, outGradient, null);
            }
        }
        assertArrayEquals(results[0], results[1]);
    }

    @Test
    void aSequenceHasTheGradientItHasAlone() {
        AttentionParameters parameters = heads(4, 2, 24, 100, slopes(4));
        int columns = parameters.qkvColumns();
        PackedBatch packed = segments(200, 330, 7);
        float[] qkv = normal(packed.rows() * columns);
        float[] outGradient = normal(packed.rows() * 96);
        float[] all = gradient(packed, parameters, qkv, outGradient);
        for (int s = 0; s < packed.segments(); s++) {
            int from = packed.start(s);
            int to = packed.start(s + 1);
            float[] alone = gradient(
                    segments(to - from),
                    parameters,
                    Arrays.copyOfRange(qkv, from * columns, to * columns),
                    Arrays.copyOfRange(outGradient, from * 96, to * 96));
            assertArrayEquals(Arrays.copyOfRange(all, from * columns, to * columns), alone, "sequence " + s);
        }
    }

    @Test
    void segmentsThatContinueOthersAreRefused() {
        AttentionParameters parameters = heads(1, 1, 8, 0, NO_SLOPES);
        PackedBatchBuilder tree = new PackedBatchBuilder();
        tree.add(new int[3], 0, 3, PackedBatch.NO_PARENT);
        tree.add(new int[2], 0, 2, 0);
        PackedBatchBuilder cached = new PackedBatchBuilder();
        cached.addCached(3);
        cached.add(new int[2], 0, 2, PackedBatch.NO_PARENT);
        for (PackedBatch packed : List.of(tree.build(), cached.build())) {
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> {
                float[] qkv = new float[packed.rows() * 24];
                gradient(workers, packed, parameters, qkv, new float[packed.tokens() * 8], null);
            });
            assertTrue(e.getMessage().contains("independent sequences"), e.getMessage());
        }
    }

    /// Until everything is compiled, vectors are objects on the heap, and nobody knows when the compiler is done. So
    /// passes are repeated; their number is far beyond what is needed.
    @Test
    void longSequencesDoNotAllocateMore() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        AttentionParameters parameters = heads(2, 1, 24, 500, slopes(2));
        VectorCode code = codes().getLast();
        try (Workers one = new Workers(1);
                Operands few = new Operands(segments(40), parameters);
                Operands many = new Operands(segments(900), parameters)) {
            long growth = Long.MAX_VALUE;
            for (int pass = 0, same = 0; pass < 20_000 && same < 20; pass++) {
                long before = threads.getCurrentThreadAllocatedBytes();
                few.run(one, code);
                long between = threads.getCurrentThreadAllocatedBytes();
                many.run(one, code);
                growth = threads.getCurrentThreadAllocatedBytes() - 2 * between + before;
                same = growth <= 64 ? same + 1 : 0;
            }
            assertTrue(growth <= 64, growth + " bytes more");
        }
    }

    private static AttentionParameters heads(int heads, int kvHeads, int headDim, int window, float[] slopes) {
        return new AttentionParameters(heads, kvHeads, headDim, (float) (1 / Math.sqrt(headDim)), window, slopes);
    }

    /// 2^(−8/n), 2^(−16/n), …
    private static float[] slopes(int heads) {
        float[] slopes = new float[heads];
        for (int h = 0; h < heads; h++) {
            slopes[h] = (float) Math.pow(2, -8.0 * (h + 1) / heads);
        }
        return slopes;
    }

    private static PackedBatch segments(int... lengths) {
        return PackedBatch.of(
                () -> Arrays.stream(lengths).mapToObj(n -> new int[n]).iterator());
    }

    private float[] normal(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private void check(PackedBatch packed, AttentionParameters parameters) {
        check("", 1, packed, parameters, normal(packed.rows() * parameters.qkvColumns()));
    }

    /// @param size of what cancels where a gradient is 0: the difference of equal numbers, times a key or query
    private void check(String what, double size, PackedBatch packed, AttentionParameters parameters, float[] qkv) {
        float[] outGradient = normal(packed.rows() * parameters.heads() * parameters.headDim());
        double[] expected = new DoubleAttention(packed, parameters, qkv).gradient(outGradient);
        float[] actual = gradient(packed, parameters, qkv, outGradient);
        String label = "%s %s %s".formatted(what, packed, parameters);
        int columns = parameters.qkvColumns();
        int keys = parameters.heads() * parameters.headDim();
        int values = keys + parameters.kvHeads() * parameters.headDim();
        compare(label + " queries", size, expected, actual, columns, 0, keys);
        compare(label + " keys", size, expected, actual, columns, keys, values);
        compare(label + " values", size, expected, actual, columns, values, columns);
    }

    private static void compare(
            String what, double size, double[] expected, float[] actual, int columns, int from, int to) {
        int[] part = IntStream.range(0, expected.length)
                .filter(i -> i % columns >= from && i % columns < to)
                .toArray();
        double largest = Arrays.stream(part)
                .mapToDouble(i -> Math.abs(expected[i]))
                .max()
                .orElseThrow();
        double allowed = TOLERANCE * Math.max(largest, size);
        for (int i : part) {
            double error = Math.abs(actual[i] - expected[i]);
            assertTrue(
                    error <= allowed + TOLERANCE * Math.abs(expected[i]),
                    () -> "%s: row %d, column %d: expected %s, got %s"
                            .formatted(what, i / columns, i % columns, expected[i], actual[i]));
        }
    }

    /// Null, for the Vector API, and the machine code of its width if there is any.
    private static List<VectorCode> codes() {
        List<VectorCode> codes = new ArrayList<>();
        codes.add(null);
        if (Simd.FMA) {
            VectorCode.of(Simd.BITS).filter(code -> code.problem().isEmpty()).ifPresent(codes::add);
        }
        return codes;
    }

    private float[] gradient(PackedBatch packed, AttentionParameters parameters, float[] qkv, float[] outGradient) {
        List<VectorCode> codes = codes();
        float[] gradient = gradient(workers, packed, parameters, qkv, outGradient, codes.getFirst());
        for (VectorCode code : codes) {
            assertArrayEquals(gradient, gradient(workers, packed, parameters, qkv, outGradient, code), "machine code");
        }
        return gradient;
    }

    private static float[] gradient(
            Workers workers,
            PackedBatch packed,
            AttentionParameters parameters,
            float[] qkv,
            float[] outGradient,
            VectorCode code) {
        try (Operands operands = new Operands(packed, parameters)) {
            System.arraycopy(qkv, 0, operands.qkv.data(), operands.qkv.offset(), qkv.length);
            System.arraycopy(
                    outGradient, 0, operands.outGradient.data(), operands.outGradient.offset(), outGradient.length);
            Attention.run(workers, operands.qkv, operands.batch, parameters, operands.out, code);
            operands.run(workers, code);
            int at = operands.gradient.offset();
            return Arrays.copyOfRange(operands.gradient.data(), at, at + qkv.length);
        }
    }

    /// Tensors of zeros that are views of larger ones; the gradient is NaN.
    private static final class Operands implements AutoCloseable {
        final CpuBatch batch;
        final AttentionParameters parameters;
        final CpuTensor qkv;
        final CpuTensor out;
        final CpuTensor outGradient;
        final CpuTensor gradient;

        Operands(PackedBatch packed, AttentionParameters parameters) {
            this.parameters = parameters;
            batch = new CpuBatch(packed, () -> {});
            int columns = parameters.heads() * parameters.headDim();
            qkv = view(packed.rows(), parameters.qkvColumns());
            out = view(packed.tokens(), columns);
            outGradient = view(packed.tokens(), columns);
            gradient = view(packed.rows(), parameters.qkvColumns());
            Arrays.fill(gradient.data(), Float.NaN);
        }

        private static CpuTensor view(int rows, int columns) {
            return (CpuTensor) new CpuTensor(new ArrayPool(0), rows + 3, columns).slice(2, rows);
        }

        void run(Workers workers, VectorCode code) {
            AttentionGradient.run(workers, qkv, batch, parameters, out, outGradient, gradient, code);
        }

        @Override
        public void close() {
            batch.close();
        }
    }
}
