package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertThrowsExactly;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.TimedBackend;
import io.github.sgpt4j.backend.cpu.CpuBackend;
import io.github.sgpt4j.backend.cpu.CpuOptions;
import io.github.sgpt4j.batch.SequenceBatch;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.inference.Lanes;
import io.github.sgpt4j.inference.TokenLoad;
import io.github.sgpt4j.inference.TokenWork;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.model.NamedShape;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

class SpeedTestTest {
    static final List<NamedShape> SHAPES = NamedShape.ALL;

    /// A tiny shape of the same kind as the named ones.
    private static final NamedShape TINY = new NamedShape("tiny", """
            {"model_type": "gpt_neo", "hidden_size": 24, "num_layers": 2, "num_heads": 3, "vocab_size": 77,
             "max_position_embeddings": 64, "window_size": 4, "activation_function": "gelu_new",
             "attention_types": [[["global", "local"], 1]]}
            """);

    private static CpuBackend cpu() {
        return new CpuBackend(new CpuOptions(2, Precision.AUTO));
    }

    @ParameterizedTest
    @FieldSource("SHAPES")
    void namedShapesHaveTheParametersTheirNamesTell(NamedShape shape) {
        double told = switch (shape.name()) {
            case "125M" -> 0.125e9;
            case "1.3B" -> 1.32e9;
            case "2.7B" -> 2.65e9;
            case "5.8B" -> 6.05e9; // With the output head, which SGPT-5.8B's name does not count.
            default -> 7.07e9;
        };
        assertEquals(told, shape.parameters(), 0.02 * told);
    }

    @ParameterizedTest
    @EnumSource(
            value = ElementType.class,
            names = {"F32", "F16", "BF16"})
    void randomWeightsAreSmallAndDiffer(ElementType dtype) {
        try (Weights weights = TINY.randomWeights(dtype, 1)) {
            for (String name : weights.names()) {
                WeightTensor tensor = weights.get(name);
                Set<Float> values = new HashSet<>();
                for (float value : tensor.toFloats()) {
                    assertTrue(Math.abs(value) <= 0.0501f, name);
                    values.add(value);
                }
                assertTrue(values.size() > 12, name);
            }
        }
    }

    /// What is measured draws nothing.
    @Test
    void tokensAreDrawnBefore() {
        try (Weights weights = TINY.randomWeights(ElementType.F32, 1);
                CpuBackend backend = cpu()) {
            Lanes lanes = new Lanes(List.of(Decoder.load(TINY, weights, backend)));
            TokenWork work = new TokenLoad(5, 20, 4, 60).draw(lanes);
            assertEquals(5, work.sequences().size());
            assertEquals(5, work.requests().size());
            List<int[]> before = work.sequences().stream().map(int[]::clone).toList();
            for (int i = 0; i < 2; i++) {
                work.embed(lanes, Cancellation.NEVER);
                work.score(lanes, Cancellation.NEVER);
            }
            for (int i = 0; i < 5; i++) {
                assertArrayEquals(before.get(i), work.sequences().get(i));
                assertEquals(20, before.get(i).length);
                assertTrue(Arrays.stream(before.get(i)).allMatch(id -> id >= 0 && id < 77));
            }
            assertEquals(5, before.stream().map(Arrays::hashCode).distinct().count());
        }
    }

    /// As models have it: what a wrapped backend says of itself counts.
    @Test
    void batchesAreAsWithoutTiming() {
        try (CpuBackend backend = new CpuBackend(new CpuOptions(4, Precision.AUTO));
                TimedBackend timed = new TimedBackend(backend)) {
            for (int tokens : new int[] {1, 100, 4096}) {
                assertEquals(backend.batchesSideBySide(tokens), timed.batchesSideBySide(tokens));
            }
            assertTrue(timed.batchesSideBySide(4096) > 1);
            assertEquals(backend.worthSharing(), timed.worthSharing());
            timed.start();
            assertEquals(1, timed.batchesSideBySide(4096));
            timed.stop();
        }
    }

    @Test
    void waitingForEveryOperationChangesNoNumber() {
        try (Weights weights = TINY.randomWeights(ElementType.F32, 1);
                CpuBackend backend = cpu();
                TimedBackend timed = new TimedBackend(backend)) {
            SequenceBatch batch = SequenceBatch.of(List.of(new int[] {1, 2, 3, 4, 5, 6}, new int[] {7, 8}));
            int[] skip = new int[2];
            List<PoolMode> modes = List.of(PoolMode.WEIGHTED_MEAN);
            float[][] plain = Decoder.load(TINY, weights, backend).pool(batch, skip, modes);
            Decoder decoder = Decoder.load(TINY, weights, timed);
            timed.start();
            float[][] waited = decoder.pool(batch, skip, modes);
            for (int i = 0; i < plain.length; i++) {
                assertArrayEquals(plain[i], waited[i]);
            }
            TimedBackend.Times times = timed.stop();
            int layers = 2;
            int hidden = 24;
            assertEquals(layers * 2.0 * 8 * hidden * hidden * 12, times.productFlops());
            // Keys of the global layer: 21 + 3; of the local one, with a window of 4: 18 + 3.
            assertEquals(4.0 * hidden * (21 + 3 + 18 + 3), times.attentionFlops());
            assertTrue(times.productSeconds() > 0 && times.attentionSeconds() > 0 && times.otherSeconds() > 0);
            timed.start();
            assertEquals(0, timed.stop().productFlops());
        }
    }

    @Test
    void ratesAreItemsBySeconds() {
        SpeedReport.Rate rate = SpeedTest.rate(new double[] {2, 1, 4}, 8);
        assertEquals(new SpeedReport.Rate(4, 2, 8, 3), rate);
        assertEquals(8 / 1.5, SpeedTest.rate(new double[] {2, 1}, 8).median(), 1e-12);
    }

    @Test
    void refusesShapesAndLengthsThatDoNotExist() {
        IllegalArgumentException unknown = assertThrows(
                IllegalArgumentException.class,
                () -> SpeedTest.ofShape("9B", ModelOptions.DEFAULT.withDevice("cpu"))
                        .close());
        assertTrue(String.valueOf(unknown.getMessage()).contains("got 9B"));
        assertFalse(SpeedTest.shapes().isEmpty());
        try (SpeedTest test = SpeedTest.ofShape("125M", ModelOptions.DEFAULT.withDevice("cpu"))) {
            assertThrows(IllegalArgumentException.class, () -> test.plan(1, 2040, 16, 4096, 0));
            assertThrows(IllegalArgumentException.class, () -> test.plan(-1, 20, 16, 4096, 0));
            assertThrows(IllegalArgumentException.class, () -> test.plan(1, 0, 16, 4096, 0));
            assertEquals(300, test.usualTokens(16));
            assertEquals(4096, test.batchTokens());
            assertEquals(2 * 13, test.usualTexts(300, 4096), "two full batches");
            assertEquals(2, test.usualTexts(300, 100));
        }
    }

    /// As the time is measured, only what cannot fail on a slow machine is checked: a plan is no shorter than
    /// asked for, and what is measured is what was planned.
    @Test
    void thePlanSaysWhatIsMeasured() {
        try (SpeedTest test = SpeedTest.of(
                Goldens.model("gptneo-ce"),
                ModelOptions.DEFAULT.withDevice("cpu").withThreads(2))) {
            SpeedPlan plan = test.plan(0, 8, 2, 64, 0.5);
            assertTrue(plan.texts() >= 1 && plan.texts() <= plan.usualTexts(), plan.toString());
            assertEquals(test.usualTexts(8, 64), plan.usualTexts());
            assertTrue(plan.expectedSeconds() >= 0.5, plan.toString());
            SpeedReport report = test.run(plan);
            assertTrue(report.texts().passes() >= SpeedPlan.MIN_PASSES);
            assertEquals(
                    8 * report.texts().median(),
                    report.tokens().median(),
                    1e-6 * report.tokens().median());
            assertEquals(plan.ceiling(), report.ceiling());
            assertEquals(5, test.plan(5, 8, 2, 64, 0).texts(), "as asked for, however long it takes");
        }
    }

    @Test
    void passesEndCloseToTheGivenTime() {
        int[] runs = {0};
        assertEquals(SpeedPlan.MIN_PASSES, SpeedTest.passes(() -> runs[0]++, 0).length);
        assertEquals(1 + SpeedPlan.MIN_PASSES, runs[0], "one warms up");
        assertTrue(SpeedTest.passes(() -> LockSupport.parkNanos(1_000_000), 0.2).length > SpeedPlan.MIN_PASSES);
    }

    @Test
    void aClosedSpeedTestSaysSo() {
        SpeedTest test = SpeedTest.of(Goldens.model("gptneo-ce"), ModelOptions.DEFAULT.withThreads(2));
        test.close();
        test.close();
        IllegalStateException e = assertThrowsExactly(IllegalStateException.class, () -> test.plan(1, 2, 1, 16, 0));
        assertEquals("speed test is closed", e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(doubles = {-1, Double.NaN, Double.POSITIVE_INFINITY})
    void aTimeThatIsNoneIsRefused(double seconds) {
        try (SpeedTest test = SpeedTest.of(Goldens.model("gptneo-ce"), ModelOptions.DEFAULT.withThreads(2))) {
            IllegalArgumentException e =
                    assertThrowsExactly(IllegalArgumentException.class, () -> test.plan(1, 2, 1, 16, seconds));
            assertTrue(e.getMessage().startsWith("seconds: expected"), e.getMessage());
        }
    }
}
