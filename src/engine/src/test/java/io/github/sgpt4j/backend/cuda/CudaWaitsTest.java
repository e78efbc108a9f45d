package io.github.sgpt4j.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.Backend;
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
import io.github.sgpt4j.backend.TimeMark;
import io.github.sgpt4j.backend.cuda.device.CudaOptions;
import io.github.sgpt4j.backend.cuda.ffi.Streams;
import io.github.sgpt4j.backend.cuda.memory.DeviceBuffer;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceBatch;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.testing.CudaTests;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.StandInWaits;
import io.github.sgpt4j.testing.StandInWaits.Site;
import io.github.sgpt4j.weights.WeightTensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Each wait, query and record of an event in the backend is needed: where the stand-in leaves one out, some scenario
/// ends in a report, an exception or another result. Whoever adds one adds a scenario that needs it.
@Tag("cuda-only")
class CudaWaitsTest {
    private static final Path SOURCES = Path.of("src", "main", "java", "io", "github", "sgpt4j", "backend", "cuda");

    /// A call of the driver's functions for waiting, other than their declarations.
    private static final Pattern CALL =
            Pattern.compile("(Streams|Driver)(\\.|::)(recordEvent|tryRecordEvent|streamWait|synchronizeEvent"
                    + "|synchronizeStream|isDone|synchronizeContext)\\b");

    /// Work that runs as late as it may, the newest first, and on the first and the third stream as early as it may.
    private static final List<String> ORDERS = List.of("0", "1", "7");

    private static final int WIDTH = 48;
    private static final int CHUNK = 16 << 20;

    /// One thread that uses a backend; returns what must not depend on time. The quickest first.
    private enum Scenario {
        /// A backend is closed while its work is queued.
        CLOSED {
            @Override
            float[] run() {
                try (CudaBackend backend = backend();
                        Tensor x = backend.upload(CudaValues.counted(64), 1, 64);
                        Tensor out = backend.allocate(1, 64)) {
                    backend.copy(x, out);
                    Runnable close = backend::close;
                    close.run();
                }
                return new float[0];
            }
        },
        EACH_KERNEL {
            @Override
            float[] run() {
                try (CudaBackend backend = new CudaBackend(new CudaOptions(0, Precision.FP32, true));
                        Tensor x = backend.upload(CudaValues.counted(64), 1, 64);
                        Tensor out = backend.allocate(1, 64)) {
                    backend.norm(x, backend.norm(NormParameters.identity(64)), out);
                    assertEquals(0, StandInWaits.queued(), "operations that were not waited for");
                    return backend.download(out);
                }
            }
        },
        SYNCHRONIZED {
            @Override
            float[] run() {
                try (CudaBackend backend = backend();
                        Tensor x = backend.upload(CudaValues.counted(64), 1, 64);
                        Tensor out = backend.allocate(1, 64)) {
                    backend.copy(x, out);
                    backend.synchronize();
                    assertEquals(0, StandInWaits.queued(), "operations that were not waited for");
                    return backend.download(out);
                }
            }
        },
        /// Memory runs out, and what is given back then is still in use.
        MEMORY_RUNS_OUT {
            @Override
            List<String> options() {
                return List.of("SGPT_STANDIN_MEMORY", "100000000");
            }

            @Override
            float[] run() {
                try (CudaBackend backend = backend();
                        Tensor out = backend.allocate(1024, 256)) {
                    Tensor x = backend.upload(CudaValues.counted(1024 * 256), 1024, 256);
                    backend.copy(x, out);
                    x.close();
                    int rows = (int) (backend.freeBytes() / 1024) / 1024 * 1024;
                    try (Tensor most = backend.allocate(rows - 1024, 256);
                            Tensor last = backend.allocate(1536, 256)) {
                        assertEquals(rows + 512, most.rows() + last.rows());
                        return backend.download(out);
                    }
                }
            }
        },
        /// A result that nobody takes, and memory that is used again.
        DOWNLOAD_GIVEN_UP {
            @Override
            float[] run() {
                try (CudaBackend backend = backend()) {
                    Tensor x = backend.upload(CudaValues.counted(4000), 40, 100);
                    Download given = backend.startDownload(x);
                    given.close();
                    x.close();
                    try (Tensor y = backend.upload(new float[4000], 40, 100)) {
                        return backend.download(y);
                    }
                }
            }
        },
        /// Index arrays get memory of a tensor that queued work still reads.
        MEMORY_TAKEN_FOR_INDEX_ARRAYS {
            @Override
            float[] run() {
                try (CudaBackend backend = backend();
                        Tensor out = backend.allocate(128, 128)) {
                    Tensor x = backend.upload(CudaValues.counted(128 * 128), 128, 128);
                    backend.copy(x, out);
                    x.close();
                    try (Batch batch = backend.upload(PackedBatch.of(List.of(new int[100])))) {
                        assertEquals(100, batch.packed().tokens());
                        return backend.download(out);
                    }
                }
            }
        },
        /// Marks around an operation, as `sgpt bench` times it.
        MARKED {
            @Override
            float[] run() {
                try (CudaBackend backend = backend();
                        Tensor x = backend.upload(CudaValues.counted(64), 1, 64);
                        Tensor out = backend.allocate(1, 64);
                        TimeMark start = backend.mark()) {
                    backend.copy(x, out);
                    try (TimeMark end = backend.mark()) {
                        return new float[] {end.secondsSince(start) >= 0 ? 1 : 0};
                    }
                }
            }
        },
        /// Work that is timed, as when algorithms of products are compared.
        TIMED {
            @Override
            float[] run() {
                try (CudaEngine engine = new CudaEngine(new CudaOptions(0, Precision.FP32));
                        DeviceBuffer buffer = engine.memory().take(4096, engine.compute())) {
                    float millis = engine.call(() -> {
                        try (EventTimer timer = new EventTimer(engine.compute())) {
                            return timer.milliseconds(() -> Streams.fill(buffer.address(), 1, 1024, engine.compute()));
                        }
                    });
                    return new float[] {millis >= 0 ? 1 : 0};
                }
            }
        },
        /// Batches in a row, so many that the index arrays of one take the place of another's, and results at the end.
        BATCHES {
            @Override
            float[] run() {
                try (Arena arena = Arena.ofConfined();
                        CudaBackend backend = backend()) {
                    Table table = backend.table(CudaValues.matrix(arena, 100, WIDTH));
                    List<Tensor> results = new ArrayList<>();
                    for (int i = 0; i < 8; i++) {
                        Tensor out = backend.allocate(3, WIDTH);
                        try (Batch batch = backend.upload(PackedBatch.of(List.of(new int[] {i, 2 * i, 99 - i})))) {
                            backend.embed(table, batch, out);
                        }
                        results.add(out);
                    }
                    float[][] values = results.stream().map(backend::download).toArray(float[][]::new);
                    results.forEach(Tensor::close);
                    return joined(values);
                }
            }
        },
        /// Index arrays are uploaded while those of queued work wait, so they need memory of their own.
        UPLOADED_AHEAD {
            @Override
            float[] run() {
                try (Arena arena = Arena.ofConfined();
                        CudaBackend backend = backend();
                        Tensor out = backend.allocate(3, WIDTH)) {
                    Table table = backend.table(CudaValues.matrix(arena, 100, WIDTH));
                    PackedBatch packed = PackedBatch.of(List.of(new int[] {1, 2, 3}));
                    try (Batch batch = backend.upload(packed)) {
                        backend.embed(table, batch, out);
                    }
                    long pinned = StandInWaits.pinned();
                    boolean waits = StandInWaits.queued() > 0;
                    try (Batch batch = backend.upload(packed)) {
                        assertEquals(3, batch.packed().tokens());
                        assertEquals(waits, StandInWaits.pinned() > pinned, "memory of its own for what is uploaded");
                        return backend.download(out);
                    }
                }
            }
        },
        /// Products, scores and pooling, three times.
        OPERATIONS {
            @Override
            float[] run() {
                try (Arena arena = Arena.ofConfined();
                        CudaBackend backend = backend()) {
                    Linear linear =
                            backend.linear(List.of(MatrixRows.all(CudaValues.matrix(arena, WIDTH, WIDTH))), List.of());
                    return joined(pass(backend, linear, 9), pass(backend, linear, 5), pass(backend, linear, 9));
                }
            }
        },
        /// Weights of several chunks go through two pinned buffers, and not more.
        WEIGHTS {
            @Override
            float[] run() {
                int rows = 3 * CHUNK / 4096 + 5;
                try (Arena arena = Arena.ofConfined();
                        CudaBackend backend = backend();
                        Tensor out = backend.allocate(3, 1024);
                        Batch batch = backend.upload(PackedBatch.of(List.of(new int[] {0, rows / 2, rows - 1})))) {
                    backend.embed(backend.table(CudaValues.matrix(arena, rows, 1024)), batch, out);
                    float[] values = backend.download(out);
                    assertTrue(StandInWaits.pinned() < 3 * CHUNK, "pinned memory of weights under way");
                    return values;
                }
            }
        },
        /// Single texts by graphs: index arrays and results of each launch have one place.
        REPEATED {
            @Override
            float[] run() {
                try (var _ = CudaTests.graphs();
                        BiEncoder encoder = BiEncoder.open(
                                Goldens.model("gptneo-be"),
                                ModelOptions.DEFAULT.withDevice("cuda").withDtype(Dtype.FP32),
                                BiEncoderOptions.DEFAULT)) {
                    return joined(IntStream.range(0, 5)
                            .mapToObj(i -> encoder.embed("spider number " + i + " has eight legs"))
                            .toArray(float[][]::new));
                }
            }
        },
        /// Steps of training, whose weights change where they are stored as soon as they were read.
        TRAINED {
            @Override
            float[] run() {
                try (CudaBackend backend = backend();
                        TrainingStep step = new TrainingStep(backend)) {
                    float[] first = step.run(3, 9);
                    step.change();
                    step.overwrite(100);
                    return joined(first, step.run(9, 3));
                }
            }
        },
        /// Weights are changed and read again while work that uses them is queued, more often than there are pinned
        /// buffers.
        RELOADED {
            @Override
            float[] run() {
                try (Arena arena = Arena.ofConfined();
                        TestWeights weights = new TestWeights();
                        CudaBackend backend = backend();
                        Tensor x = backend.upload(CudaValues.counted(WIDTH), 1, WIDTH)) {
                    WeightTensor stored = weights.tensor(ElementType.F32, CudaValues.counted(WIDTH), WIDTH);
                    Linear linear = backend.linear(
                            List.of(MatrixRows.all(CudaValues.matrix(arena, WIDTH, WIDTH))),
                            List.of(MatrixRows.all(stored)));
                    List<Tensor> results = new ArrayList<>();
                    for (int i = 0; i < 5; i++) {
                        Tensor out = backend.allocate(1, WIDTH);
                        backend.linear(x, linear, Activation.NONE, out);
                        results.add(out);
                        float[] changed = new float[WIDTH];
                        Arrays.fill(changed, i);
                        weights.change(stored, changed);
                        backend.backward().orElseThrow().reloadBias(linear);
                    }
                    float[][] values = results.stream().map(backend::download).toArray(float[][]::new);
                    results.forEach(Tensor::close);
                    return joined(values);
                }
            }
        },
        /// Texts in batches of one or two, through a model.
        TEXTS {
            @Override
            float[] run() {
                List<String> texts = IntStream.range(0, 6)
                        .mapToObj(i -> "spider number " + i + " has eight legs")
                        .toList();
                try (BiEncoder encoder = BiEncoder.open(
                        Goldens.model("gptneo-be"),
                        ModelOptions.DEFAULT.withDevice("cuda").withDtype(Dtype.FP32),
                        BiEncoderOptions.DEFAULT.withBatchTokens(24))) {
                    return joined(encoder.embed(texts));
                }
            }
        };

        abstract float[] run();

        List<String> options() {
            return List.of();
        }
    }

    private static final Map<Scenario, float[]> RESULTS = new EnumMap<>(Scenario.class);
    private static final Map<Scenario, Set<Site>> MET = new EnumMap<>(Scenario.class);

    private static CudaBackend backend() {
        return new CudaBackend(new CudaOptions(0, Precision.FP32));
    }

    private static float[] joined(float[]... parts) {
        int length = Arrays.stream(parts).mapToInt(part -> part.length).sum();
        float[] all = new float[length];
        int at = 0;
        for (float[] part : parts) {
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }

    private static float[] pass(Backend backend, Linear linear, int tokens) {
        Norm norm = backend.norm(NormParameters.identity(WIDTH));
        SequenceBatch batch = SequenceBatch.of(List.of(new int[tokens], new int[3]));
        try (Tensor x = backend.upload(CudaValues.counted((tokens + 3) * WIDTH), tokens + 3, WIDTH);
                Tensor inner = backend.allocateInner(tokens + 3, WIDTH);
                Tensor pooled = backend.allocate(2, WIDTH);
                Tensor scores = backend.allocate(tokens + 3, 1)) {
            backend.linear(x, linear, Activation.GELU, inner);
            backend.linearAdd(inner, linear, x);
            backend.logProbabilities(x, linear, new int[tokens + 3], scores);
            backend.pool(x, norm, batch.rows(), new int[2], List.of(PoolMode.MEAN), pooled);
            return joined(backend.download(pooled), backend.download(scores));
        }
    }

    /// The calls in the sources of the backend.
    static List<Site> sites() throws IOException {
        List<Site> sites = new ArrayList<>();
        try (Stream<Path> files = Files.walk(SOURCES)) {
            for (Path file : files.filter(file -> file.toString().endsWith(".java"))
                    .sorted()
                    .toList()) {
                List<String> lines = Files.readAllLines(file);
                for (int i = 0; i < lines.size(); i++) {
                    if (CALL.matcher(lines.get(i)).find()) {
                        sites.add(new Site(file.getFileName().toString(), i + 1));
                    }
                }
            }
        }
        return sites;
    }

    @BeforeAll
    static void runWithAllWaits() throws IOException {
        CudaTests.requireStandIn();
        Set<Site> known = new HashSet<>(sites());
        for (Scenario scenario : Scenario.values()) {
            Set<Site> met = new HashSet<>();
            for (String order : ORDERS) {
                long before = StandInWaits.reports();
                float[] result = run(scenario, order, new Site("none", 0), met);
                assertEquals(before, StandInWaits.reports(), () -> "reports of " + scenario + " in order " + order);
                float[] first = RESULTS.computeIfAbsent(scenario, s -> result);
                assertArrayEquals(first, result, () -> scenario + " in order " + order);
            }
            MET.put(scenario, met);
            assertTrue(known.containsAll(met), () -> "calls that the pattern for sources does not see: " + met);
        }
    }

    private static float[] run(Scenario scenario, String order, Site leftOut, Set<Site> met) {
        List<String> options = new ArrayList<>(
                List.of("SGPT_STANDIN_ORDER", order, "SGPT_STANDIN_GO_ON", "1", "SGPT_STANDIN_QUIET", "1"));
        options.addAll(scenario.options());
        try (var _ = CudaTests.standIn(options.toArray(String[]::new));
                StandInWaits waits = new StandInWaits(leftOut::equals)) {
            try {
                return scenario.run();
            } finally {
                met.addAll(waits.met());
            }
        }
    }

    private static boolean fails(Scenario scenario, String order, Site leftOut) {
        long before = StandInWaits.reports();
        try {
            float[] result = run(scenario, order, leftOut, new HashSet<>());
            return StandInWaits.reports() > before || !Arrays.equals(RESULTS.get(scenario), result);
        } catch (RuntimeException | AssertionError e) {
            return true;
        }
    }

    @ParameterizedTest
    @MethodSource("sites")
    void eachIsNeeded(Site site) {
        Set<Scenario> scenarios = EnumSet.allOf(Scenario.class);
        scenarios.removeIf(scenario -> !MET.get(scenario).contains(site));
        assertFalse(scenarios.isEmpty(), () -> "no scenario comes by " + site);
        for (String order : ORDERS) {
            for (Scenario scenario : scenarios) {
                if (fails(scenario, order, site)) {
                    return;
                }
            }
        }
        fail("nothing fails without the call at %s: it needs a scenario, or is not needed".formatted(site));
    }
}
