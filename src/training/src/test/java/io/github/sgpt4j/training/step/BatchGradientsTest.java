package io.github.sgpt4j.training.step;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.TrainableTensor;
import io.github.sgpt4j.TrainingDevice;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.training.data.Triple;
import io.github.sgpt4j.training.objective.Contrast;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Copies of a model on the CPU stand for several devices.
@Timeout(300)
class BatchGradientsTest {
    private static final Path MODEL = Path.of("../engine/src/test/resources/goldens/models/gptneo-be");
    private static final int ROWS = 12;
    /// A batch has about 300.
    private static final int FEW_TOKENS = 50;

    private static final int MANY_TOKENS = 10_000;

    /// What a batch gave.
    private record Computed(BatchGradients.Outcome outcome, double[] gradients) {}

    private static TrainableModel open(int threads) {
        return TrainableModel.open(
                MODEL,
                ModelOptions.DEFAULT.withDevice("cpu").withThreads(threads),
                BiEncoderOptions.DEFAULT,
                TrainableTensor::isBias);
    }

    private static List<Triple> rows() {
        return IntStream.range(0, ROWS)
                .mapToObj(i -> new Triple(
                        "row %d".formatted(i),
                        "the row number %d %s".formatted(i * i, "and more ".repeat(i)),
                        List.of("a row other than %d".formatted(i))))
                .toList();
    }

    private static List<TextColumn> columns(TrainableModel model) {
        List<TextKind> kinds = List.of(TextKind.QUERY, TextKind.DOCUMENT, TextKind.DOCUMENT);
        return IntStream.range(0, kinds.size())
                .mapToObj(column -> new TextColumn(
                        kinds.get(column),
                        rows().stream()
                                .map(row -> model.tokens(row.texts().get(column), kinds.get(column)))
                                .toList()))
                .toList();
    }

    private static Computed compute(GradCache cache, int chunkTokens, int devices, int threads) {
        List<TrainableModel> models = new ArrayList<>();
        try {
            for (int i = 0; i < devices; i++) {
                models.add(open(threads));
            }
            List<TrainingDevice> all =
                    models.stream().flatMap(model -> model.devices().stream()).toList();
            assertEquals(devices, all.size());
            BatchGradients.Outcome outcome = new BatchGradients(all, cache, chunkTokens, 0)
                    .add(columns(models.getFirst()), new Contrast(20, 1).loss(rows()));
            return new Computed(outcome, sum(models));
        } finally {
            models.forEach(TrainableModel::close);
        }
    }

    private static double[] sum(List<TrainableModel> models) {
        double[] sum = new double[0];
        for (TrainableModel model : models) {
            double[] own = model.tensors().stream()
                    .flatMapToDouble(tensor -> {
                        double[] gradient = new double[(int) tensor.elements()];
                        model.gradient(tensor.name(), gradient);
                        assertTrue(Arrays.stream(gradient).anyMatch(value -> value != 0), "a device has nothing to do");
                        return Arrays.stream(gradient);
                    })
                    .toArray();
            double[] before = sum.length == 0 ? new double[own.length] : sum;
            sum = IntStream.range(0, own.length)
                    .mapToDouble(i -> before[i] + own[i])
                    .toArray();
        }
        return sum;
    }

    @ParameterizedTest
    @CsvSource({"NEVER, 50", "ALWAYS, 50", "NEVER, 10000", "ALWAYS, 10000"})
    void severalDevicesComputeWhatOneDoes(GradCache cache, int chunkTokens) {
        Computed one = compute(cache, chunkTokens, 1, 1);
        for (int devices : List.of(2, 3)) {
            Computed several = compute(cache, chunkTokens, devices, 1);
            assertEquals(one.outcome.loss(), several.outcome.loss(), 1e-6 * one.outcome.loss());
            assertEquals(one.outcome.tokens(), several.outcome.tokens());
            assertEquals(one.outcome.first(), several.outcome.first());
            double largest = Arrays.stream(one.gradients).map(Math::abs).max().orElseThrow();
            assertArrayEquals(one.gradients, several.gradients, 1e-5 * largest);
        }
    }

    @Test
    void threadsAndTheGradientCacheDoNotChangeBits() {
        double[] plain = compute(GradCache.NEVER, FEW_TOKENS, 2, 1).gradients;
        assertArrayEquals(plain, compute(GradCache.NEVER, FEW_TOKENS, 2, 1).gradients);
        assertArrayEquals(plain, compute(GradCache.NEVER, FEW_TOKENS, 2, 3).gradients);
        assertArrayEquals(plain, compute(GradCache.ALWAYS, FEW_TOKENS, 2, 2).gradients);
    }

    @Test
    void aBatchOfOneChunkIsDividedAmongDevices() {
        assertEquals(1, compute(GradCache.NEVER, MANY_TOKENS, 1, 1).outcome.chunks());
        assertEquals(3, compute(GradCache.NEVER, MANY_TOKENS, 3, 1).outcome.chunks());
    }

    /// Before and within the work of devices.
    @Test
    void anInterruptEndsAllDevices() {
        try (TrainableModel first = open(1);
                TrainableModel second = open(1)) {
            List<TrainingDevice> both =
                    List.of(first.devices().getFirst(), second.devices().getFirst());
            BatchGradients gradients = new BatchGradients(both, GradCache.NEVER, FEW_TOKENS, 0);
            List<TextColumn> columns = columns(first);
            EmbeddingLoss loss = new Contrast(20, 1).loss(rows());
            Thread.currentThread().interrupt();
            assertThrows(CancelledException.class, () -> gradients.add(columns, loss));
            assertTrue(Thread.interrupted());
            assertThrows(
                    CancelledException.class,
                    () -> gradients.add(columns, embeddings -> {
                        Thread.currentThread().interrupt();
                        return loss.of(embeddings);
                    }));
            assertTrue(Thread.interrupted());
            assertTrue(Double.isFinite(gradients.add(columns, loss).loss()));
        }
    }

    @Test
    void whatTheHeapHoldsOtherwiseDecidesHowOftenABatchIsComputed() {
        try (TrainableModel model = open(1)) {
            List<TrainingDevice> devices = model.devices();
            EmbeddingLoss loss = new Contrast(20, 1).loss(rows());
            long heap = Runtime.getRuntime().maxMemory();
            assertFalse(new BatchGradients(devices, GradCache.AUTO, FEW_TOKENS, heap / 4)
                    .add(columns(model), loss)
                    .cached());
            BatchGradients full = new BatchGradients(devices, GradCache.AUTO, FEW_TOKENS, heap);
            assertTrue(full.add(columns(model), loss).cached());
            assertEquals(1, full.mostTokens(1, 1));
            assertEquals(16, full.mostTokens(1000, 16));
        }
    }
}
