package io.github.sgpt4j.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.backend.Download;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.Norm;
import io.github.sgpt4j.backend.NormParameters;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.Table;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.backend.TestWeights;
import io.github.sgpt4j.backend.TimedBackend;
import io.github.sgpt4j.backend.cuda.device.CudaOptions;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceBatch;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.testing.CudaTests;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.StandInWaits;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Passes over single texts that are computed by graphs have the bits of others, and whatever happens to a graph, a
/// text is computed.
@Tag("cuda-only")
class RecordingsTest {
    private static final String ROTARY = "llama-be";
    private static final List<PoolMode> ALL = List.of(PoolMode.values());
    private static final List<PoolMode> LAST = List.of(PoolMode.LAST);
    private static final List<PoolMode> MEAN = List.of(PoolMode.MEAN);

    @BeforeEach
    void requireDevice() {
        CudaTests.require();
    }

    /// A decoder on a backend of its own.
    private static final class Model implements AutoCloseable {
        private final Weights weights;
        private final CudaBackend backend;
        private final Decoder decoder;

        private Model(String name, CudaOptions options) {
            weights = Weights.open(Goldens.model(name));
            backend = new CudaBackend(options);
            decoder = Decoder.load(Goldens.model(name), weights, backend);
        }

        static Model plain(String name, Precision precision) {
            return new Model(name, new CudaOptions(0, precision));
        }

        static Model withGraphs(String name, Precision precision) {
            return withGraphs(name, new CudaOptions(0, precision));
        }

        static Model withGraphs(String name, CudaOptions options) {
            try (var _ = CudaTests.graphs()) {
                return new Model(name, options);
            }
        }

        float[] pool(int[] ids, int skip, List<PoolMode> modes) {
            return decoder.pool(SequenceBatch.of(List.of(ids)), new int[] {skip}, modes)[0];
        }

        float[] mean(int[] ids) {
            return pool(ids, 0, MEAN);
        }

        float[] states(int[] ids) {
            try (Download states = decoder.startStates(PackedBatch.of(List.of(ids)), List.of(), Cancellation.NEVER)) {
                return states.get();
            }
        }

        Download start(int[] ids) {
            return decoder.startPool(SequenceBatch.of(List.of(ids)), new int[1], List.of(), MEAN, Cancellation.NEVER);
        }

        long launches() {
            return backend.recordings().launches();
        }

        @Override
        public void close() {
            backend.close();
            weights.close();
        }
    }

    private static int[] ids(int tokens, int seed) {
        return IntStream.range(0, tokens).map(i -> (i * 7 + seed * 31 + 3) % 90).toArray();
    }

    /// Means of texts with so many tokens, one after another.
    private static float[][] expected(int tokens, Precision precision) {
        try (Model plain = Model.plain("gptneo-be", precision)) {
            return IntStream.range(0, 6)
                    .mapToObj(i -> plain.mean(ids(tokens, i)))
                    .toArray(float[][]::new);
        }
    }

    static Stream<Arguments> modelsAndTypes() {
        return Goldens.biEncoders().stream()
                .flatMap(name -> Stream.of(Precision.FP32, Precision.BF16, Precision.FP16, Precision.FP8)
                        .map(precision -> Arguments.of(name, precision)));
    }

    /// All ways that a query takes: pooling of all tokens and of the last one alone, with and without tokens left out,
    /// and the states of all tokens.
    @ParameterizedTest
    @MethodSource("modelsAndTypes")
    void eachPassHasTheBitsOfAnOrdinaryOne(String name, Precision precision) {
        try (Model plain = Model.plain(name, precision);
                Model graphs = Model.withGraphs(name, precision)) {
            int[] lengths = {1, 6, 37};
            for (int seed = 0; seed < 4; seed++) {
                for (int length : lengths) {
                    int[] ids = ids(length, seed);
                    assertArrayEquals(plain.pool(ids, 0, ALL), graphs.pool(ids, 0, ALL), "all modes");
                    assertArrayEquals(plain.pool(ids, 2, LAST), graphs.pool(ids, 2, LAST), "last");
                    assertArrayEquals(plain.states(ids), graphs.states(ids), "states");
                }
            }
            assertEquals(plain.backend.notices(), graphs.backend.notices());
            assertEquals(0, plain.launches());
            assertEquals(lengths.length * 3 * 3, graphs.launches(), "all but the first of each");
        }
    }

    @Test
    void onlyShortSingleTextsAreRecorded() {
        try (Model plain = Model.plain(ROTARY, Precision.FP32);
                Model graphs = Model.withGraphs(ROTARY, Precision.FP32)) {
            int longest = Recordings.MAX_TOKENS;
            SequenceBatch two = SequenceBatch.of(List.of(ids(5, 1), ids(5, 2)));
            SequenceBatch shared = SequenceBatch.sharing(List.of(ids(9, 1), ids(9, 1)), new int[] {0, 9});
            for (int i = 0; i < 3; i++) {
                assertArrayEquals(plain.mean(ids(longest + 1, i)), graphs.mean(ids(longest + 1, i)));
                assertArrayEquals(
                        plain.decoder.pool(two, new int[2], MEAN), graphs.decoder.pool(two, new int[2], MEAN));
                assertArrayEquals(
                        plain.decoder.pool(shared, new int[2], MEAN), graphs.decoder.pool(shared, new int[2], MEAN));
            }
            assertEquals(0, graphs.launches());
            for (int i = 0; i < 3; i++) {
                assertArrayEquals(plain.mean(ids(longest, i)), graphs.mean(ids(longest, i)));
            }
            assertEquals(2, graphs.launches());
        }
    }

    /// What differs in anything but the ids has a graph of its own; of too many, the one goes that was not used for
    /// longest.
    @Test
    void theLeastRecentlyUsedGraphGoes() {
        try (Model graphs = Model.withGraphs("gpt2-be", Precision.FP32)) {
            int[] ids = ids(5, 1);
            for (int skip = 0; skip < Recordings.MAX_RECORDINGS; skip++) {
                graphs.pool(ids, skip, MEAN);
            }
            assertEquals(Recordings.MAX_RECORDINGS, graphs.backend.recordings().size());
            long allocations = graphs.backend.allocations();
            graphs.pool(ids, 0, MEAN);
            graphs.pool(ids, 0, MEAN);
            graphs.pool(ids, Recordings.MAX_RECORDINGS, MEAN);
            assertEquals(Recordings.MAX_RECORDINGS, graphs.backend.recordings().size());
            assertEquals(2, graphs.launches());
            graphs.pool(ids, 0, MEAN);
            assertEquals(3, graphs.launches(), "was used lately");
            graphs.pool(ids, 1, MEAN);
            assertEquals(3, graphs.launches(), "has gone");
            assertEquals(Recordings.MAX_RECORDINGS, graphs.backend.recordings().size());
            int few = 16;
            assertTrue(graphs.backend.allocations() <= allocations + few, "memory of those that went is used again");
        }
    }

    /// A longer text has tables of its own, and memory of the old ones is used for something else.
    @ParameterizedTest
    @ValueSource(strings = {"0", "1", "5"})
    void aGraphKeepsTheRotaryTablesThatItReads(String order) {
        try (var _ = CudaTests.standIn("SGPT_STANDIN_ORDER", order);
                Model graphs = Model.withGraphs(ROTARY, Precision.FP32)) {
            float[] expected = graphs.mean(ids(6, 1));
            assertArrayEquals(expected, graphs.mean(ids(6, 1)));
            for (int tokens = 10; tokens < 100; tokens += 9) {
                graphs.mean(ids(tokens, tokens));
            }
            assertArrayEquals(expected, graphs.mean(ids(6, 1)));
            assertEquals(2, graphs.launches());
        }
    }

    /// Several texts are under way before the first result is taken, in the memory of one graph.
    @ParameterizedTest
    @ValueSource(strings = {"0", "1", "2", "3", "4", "5", "9"})
    void launchesOfOneGraphMayBeUnderWayTogether(String order) {
        float[][] expected = expected(9, Precision.BF16);
        try (var _ = CudaTests.standIn("SGPT_STANDIN_ORDER", order);
                Model graphs = Model.withGraphs("gptneo-be", Precision.BF16)) {
            List<Download> started = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                started.add(graphs.start(ids(9, i)));
            }
            started.get(4).close();
            for (int i : new int[] {5, 0, 3, 1, 2}) {
                assertArrayEquals(expected[i], started.get(i).get(), "text " + i);
            }
            assertEquals(5, graphs.launches());
        }
    }

    @Test
    void aBackendIsClosedWithLaunchesUnderWay() {
        try (var _ = CudaTests.standIn("SGPT_STANDIN_QUIET", "1")) {
            long before = StandInWaits.reports();
            Model graphs = Model.withGraphs("gptneo-be", Precision.FP32);
            List<Download> started = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                started.add(graphs.start(ids(9, i)));
            }
            started.add(graphs.start(ids(5, 0)));
            graphs.close();
            assertThrows(IllegalStateException.class, () -> graphs.mean(ids(9, 0)));
            assertThrows(IllegalStateException.class, started.getLast()::get);
            started.forEach(Download::close);
            assertEquals(before, StandInWaits.reports(), StandInWaits::lastReport);
        }
    }

    @Test
    void memoryOfGraphsIsGivenUpWhenItIsShort() {
        float[][] expected = expected(40, Precision.FP32);
        try (var _ = CudaTests.standIn("SGPT_STANDIN_MEMORY", "60000000");
                Model graphs = Model.withGraphs("gptneo-be", Precision.FP32)) {
            for (int round = 0; round < 2; round++) {
                long launches = graphs.launches();
                for (int i = 0; i < 3; i++) {
                    assertArrayEquals(expected[i], graphs.mean(ids(40, i)));
                }
                assertEquals(launches + 2, graphs.launches());
                assertEquals(1, graphs.backend.recordings().size());
                List<Tensor> held = new ArrayList<>();
                long free = graphs.backend.freeBytes();
                while (graphs.backend.recordings().size() > 0) {
                    free = graphs.backend.freeBytes();
                    held.add(graphs.backend.allocate(64, 256));
                }
                assertTrue(free < 64 * 256 * Float.BYTES, free + " bytes were free");
                held.forEach(Tensor::close);
            }
            assertEquals(List.of(), graphs.backend.notices());
        }
    }

    /// Each call of the driver fails once, wherever it is; what was to be computed is computed as usual.
    @ParameterizedTest
    @CsvSource({
        "cuStreamCreate,2,4",
        "cuStreamBeginCapture,1,1",
        "cuStreamEndCapture,901,1",
        "cuGraphInstantiateWithFlags,2,1",
        "cuGraphLaunch,2,1",
        "cuGraphLaunch,1,3",
        "cublasLtMatmul,13,-1",
        "cuLaunchKernel,701,-1",
        "cuMemcpyHtoDAsync,1,-1",
        "cuMemHostAlloc,2,-1",
        "cuMemAlloc,2,-1"
    })
    void aCallThatFailsTurnsGraphsOffWithANotice(String function, int status, int call) {
        float[][] expected = expected(7, Precision.FP32);
        int calls = 0;
        boolean failed = true;
        for (int at = call > 0 ? call : 1; failed && (call < 0 || at == call); at += at < 20 ? 1 : 9) {
            try (var _ = CudaTests.standIn(
                            "SGPT_STANDIN_FAIL",
                            "%s:%d@%d".formatted(function, status, at),
                            "SGPT_STANDIN_QUIET",
                            "1");
                    Model graphs = Model.withGraphs("gptneo-be", Precision.FP32)) {
                for (int i = 0; i < 4; i++) {
                    assertArrayEquals(expected[i], graphs.mean(ids(7, i)), function + " at " + at);
                }
                List<String> notices = graphs.backend.notices();
                failed = !notices.isEmpty();
                if (failed) {
                    calls++;
                    assertEquals(1, notices.size());
                    String notice = notices.getFirst();
                    assertTrue(notice.startsWith("cuda:0: CUDA graphs are not used any more, after "), notice);
                    assertTrue(notice.contains(function) || notice.contains("out of device memory"), notice);
                    assertEquals(0, graphs.backend.recordings().size());
                }
            } catch (BackendException e) {
                // While the backend is opened.
                assertTrue(call < 0 && calls == 0, e.toString());
            }
        }
        assertTrue(calls > 0, "no call failed");
    }

    /// What is left of a capture whose end failed is no obstacle.
    @Test
    void theContextIsUsableAfterACaptureThatDidNotEnd() {
        try (var _ = CudaTests.standIn("SGPT_STANDIN_FAIL", "cuStreamEndCapture:1@1", "SGPT_STANDIN_QUIET", "1")) {
            long before = StandInWaits.reports();
            try (Model graphs = Model.withGraphs("gptneo-be", Precision.FP32)) {
                graphs.mean(ids(7, 0));
                graphs.mean(ids(7, 1));
                graphs.backend.synchronize();
                assertEquals(1, graphs.backend.notices().size());
            }
            assertEquals(before, StandInWaits.reports());
        }
    }

    @Test
    void aContextThatIsLostIsAnErrorOfTheCall() {
        try (var _ = CudaTests.standIn("SGPT_STANDIN_FAIL", "cuGraphLaunch:710@2", "SGPT_STANDIN_QUIET", "1");
                Model graphs = Model.withGraphs("gptneo-be", Precision.FP32)) {
            graphs.mean(ids(7, 0));
            graphs.mean(ids(7, 1));
            BackendException e = assertThrows(BackendException.class, () -> graphs.mean(ids(7, 2)));
            assertTrue(
                    e.getMessage().contains("cuGraphLaunch") && e.getMessage().contains("(710)"), e.getMessage());
            assertEquals(List.of(), graphs.backend.notices());
        }
        try (Model next = Model.withGraphs("gptneo-be", Precision.FP32)) {
            next.mean(ids(7, 0));
        }
    }

    /// In the first pass, and while the second one is recorded.
    @Test
    void aPassThatEndsEarlyIsNotKept() {
        PackedBatch packed = PackedBatch.of(List.of(ids(7, 1)));
        try (Arena arena = Arena.ofConfined();
                Model graphs = Model.withGraphs("gptneo-be", Precision.FP32)) {
            CudaBackend backend = graphs.backend;
            Table table = backend.table(CudaValues.matrix(arena, 100, 48));
            int[] passes = new int[1];
            int[] last = {1};
            Function<Batch, Download> pass = batch -> {
                try (Tensor out = backend.allocate(7, 48)) {
                    backend.embed(table, batch, out);
                    if (++passes[0] == last[0]) {
                        throw new CancelledException("the test");
                    }
                    return backend.startDownload(out);
                }
            };
            assertThrows(CancelledException.class, () -> backend.run(packed, Optional.of("a"), pass));
            last[0] = 3;
            try (Download first = backend.run(packed, Optional.of("a"), pass)) {
                assertEquals(2, passes[0], "nothing was kept");
                assertEquals(1, backend.recordings().size());
                assertThrows(CancelledException.class, () -> backend.run(packed, Optional.of("a"), pass));
                assertEquals(0, backend.recordings().size());
                float[] expected = first.get();
                for (int i = 0; i < 3; i++) {
                    try (Download next = backend.run(packed, Optional.of("a"), pass)) {
                        assertArrayEquals(expected, next.get());
                    }
                }
            }
            assertEquals(5, passes[0]);
            assertEquals(2, graphs.launches());
            assertEquals(List.of(), backend.notices());
        }
    }

    /// Equal kinds promise equal arguments, and the index arrays among them can be compared.
    @Test
    void aPassThatIsNotTheSameIsRefused() {
        PackedBatch packed = PackedBatch.of(List.of(ids(7, 1)));
        try (Arena arena = Arena.ofConfined();
                Model graphs = Model.withGraphs("gptneo-be", Precision.FP32)) {
            CudaBackend backend = graphs.backend;
            Table table = backend.table(CudaValues.matrix(arena, 100, 48));
            Norm norm = backend.norm(NormParameters.identity(48));
            int[] row = new int[1];
            Function<Batch, Download> pass = batch -> {
                try (Tensor x = backend.allocate(7, 48);
                        Tensor out = backend.allocate(1, 48)) {
                    backend.embed(table, batch, x);
                    backend.normRows(x, new int[] {row[0]++}, norm, out);
                    return backend.startDownload(out);
                }
            };
            backend.run(packed, Optional.of("a"), pass).close();
            assertThrows(IllegalStateException.class, () -> backend.run(packed, Optional.of("a"), pass));
        }
    }

    /// Training changes weights in the memory that graphs read.
    @Test
    void aGraphSeesWeightsThatWereReadAgain() {
        PackedBatch packed = PackedBatch.of(List.of(ids(7, 1)));
        try (Arena arena = Arena.ofConfined();
                TestWeights weights = new TestWeights();
                Model graphs = Model.withGraphs("gptneo-be", Precision.BF16)) {
            CudaBackend backend = graphs.backend;
            Table table = backend.table(CudaValues.matrix(arena, 100, 48));
            WeightTensor stored = weights.tensor(ElementType.F32, CudaValues.counted(48), 48);
            Linear linear = backend.linear(
                    List.of(MatrixRows.all(CudaValues.matrix(arena, 48, 48))), List.of(MatrixRows.all(stored)));
            Function<Batch, Download> pass = batch -> {
                try (Tensor x = backend.allocate(7, 48);
                        Tensor out = backend.allocateInner(7, 48)) {
                    backend.embed(table, batch, x);
                    backend.linear(x, linear, Activation.NONE, out);
                    return backend.startDownload(out);
                }
            };
            for (int i = 0; i < 4; i++) {
                float[] changed = new float[48];
                Arrays.fill(changed, 8 * i);
                weights.change(stored, changed);
                backend.backward().orElseThrow().reloadBias(linear);
                try (Download usual = backend.run(packed, Optional.empty(), pass);
                        Download graph = backend.run(packed, Optional.of("a"), pass)) {
                    assertArrayEquals(usual.get(), graph.get(), "bias " + 8 * i);
                }
            }
            assertEquals(3, graphs.launches());
        }
    }

    @Test
    void waitingForEachKernelNeedsThemOneByOne() {
        try (Model graphs = Model.withGraphs("gptneo-be", new CudaOptions(0, Precision.FP32, true))) {
            for (int i = 0; i < 3; i++) {
                graphs.mean(ids(7, i));
            }
            assertEquals(0, graphs.launches());
            assertEquals(List.of(), graphs.backend.notices());
        }
    }

    @Test
    void operationsAreTimedOneByOne() {
        try (Model graphs = Model.withGraphs("gptneo-be", Precision.FP32);
                TimedBackend timed = new TimedBackend(graphs.backend)) {
            Decoder decoder = Decoder.load(Goldens.model("gptneo-be"), graphs.weights, timed);
            SequenceBatch batch = SequenceBatch.of(List.of(ids(7, 1)));
            float[][] expected = decoder.pool(batch, new int[1], MEAN);
            for (int i = 0; i < 2; i++) {
                assertArrayEquals(expected, decoder.pool(batch, new int[1], MEAN));
            }
            assertEquals(2, graphs.launches());
            timed.start();
            assertArrayEquals(expected, decoder.pool(batch, new int[1], MEAN));
            TimedBackend.Times times = timed.stop();
            assertEquals(2, graphs.launches());
            assertTrue(times.productSeconds() > 0 && times.attentionSeconds() > 0, times::toString);
        }
    }

    /// Backends share the device's context: one that is closed waits for all of it, which would spoil a capture.
    @Test
    void otherBackendsWaitForTheContextAfterwards() throws Exception {
        PackedBatch packed = PackedBatch.of(List.of(ids(7, 1)));
        try (Arena arena = Arena.ofConfined();
                ExecutorService pool = Executors.newSingleThreadExecutor();
                Model graphs = Model.withGraphs("gptneo-be", Precision.FP32)) {
            CudaBackend backend = graphs.backend;
            CudaBackend other = new CudaBackend(new CudaOptions(0, Precision.FP32));
            Table table = backend.table(CudaValues.matrix(arena, 100, 48));
            List<Future<?>> closing = new ArrayList<>();
            int[] passes = new int[1];
            Function<Batch, Download> pass = batch -> {
                if (++passes[0] == 2) {
                    closing.add(pool.submit(other::close));
                    // Longer than closing takes, if nothing holds it up.
                    assertThrows(
                            TimeoutException.class, () -> closing.getFirst().get(500, TimeUnit.MILLISECONDS));
                }
                try (Tensor out = backend.allocate(7, 48)) {
                    backend.embed(table, batch, out);
                    return backend.startDownload(out);
                }
            };
            for (int i = 0; i < 3; i++) {
                backend.run(packed, Optional.of("a"), pass).close();
            }
            closing.getFirst().get();
            assertEquals(List.of(), backend.notices());
            assertEquals(2, graphs.launches());
        }
    }
}
