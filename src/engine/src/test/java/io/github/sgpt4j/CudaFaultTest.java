package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.testing.Closeness;
import io.github.sgpt4j.testing.CudaTests;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Refusal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// A failure on a device is reported in one sentence, releases its memory, and does not prevent further
/// work, except for what [CudaLostDeviceTest] is about. Runs on the stand-in, which fails on request.
@Tag("cuda-only")
class CudaFaultTest {
    private static final String MODEL = "gptneo-be";
    private static final List<String> TEXTS = List.of("hello", "deep learning on the Java virtual machine", "a b c");

    @TempDir
    private Path scratch;

    @BeforeEach
    void requireStandIn() {
        CudaTests.requireStandIn();
    }

    private static ModelOptions cuda() {
        return ModelOptions.DEFAULT.withDevice("cuda").withDtype(Dtype.FP32);
    }

    private static BiEncoder open(ModelOptions options) {
        return BiEncoder.open(Goldens.model(MODEL), options, BiEncoderOptions.DEFAULT);
    }

    private static float[][] embed(ModelOptions options) {
        try (BiEncoder encoder = open(options)) {
            return encoder.embed(TEXTS);
        }
    }

    private void expectRefusal(ModelOptions options, List<String> parts, String... standIn) {
        try (var _ = CudaTests.standIn(standIn)) {
            Refusal.check(BackendException.class, () -> embed(options), parts.toArray(String[]::new));
        }
        assertEquals(TEXTS.size(), embed(cuda()).length, "the next model works");
    }

    @Test
    void aDriverThatIsTooOldIsNamed() {
        expectRefusal(cuda(), List.of("too old", "12.0", "11.4"), "SGPT_STANDIN_DRIVER", "11040");
    }

    @Test
    void anArchitectureThatIsTooOldIsNamed() {
        expectRefusal(cuda(), List.of("cuda:0", "6.1", "7.5"), "SGPT_STANDIN_CC", "61");
    }

    @Test
    void aTypeThatTheDeviceLacksIsNamed() {
        for (Dtype dtype : List.of(Dtype.BF16, Dtype.TF32)) {
            ModelOptions options = cuda().withDtype(dtype);
            expectRefusal(options, List.of(dtype.name(), "8.0", "7.5"), "SGPT_STANDIN_CC", "75");
        }
        expectRefusal(cuda().withDtype(Dtype.FP8), List.of("FP8", "8.9", "8.6"), "SGPT_STANDIN_CC", "86");
    }

    /// Half precision is what its tensor cores multiply, but GPT-Neo and Qwen2 exceed it.
    @ParameterizedTest
    @CsvSource({"gptj-be,true", "gpt2-be,true", "qwen2-be,false", "gptneo-be,false"})
    void turingComputesInHalfPrecisionWhereThatIsEnough(String model, boolean half) {
        Dtype expected = half ? Dtype.FP16 : Dtype.FP32;
        try (var _ = CudaTests.standIn("SGPT_STANDIN_CC", "75");
                BiEncoder chosen =
                        BiEncoder.open(Goldens.model(model), cuda().withDtype(Dtype.AUTO), BiEncoderOptions.DEFAULT);
                BiEncoder named =
                        BiEncoder.open(Goldens.model(model), cuda().withDtype(expected), BiEncoderOptions.DEFAULT)) {
            assertArrayEquals(named.embed(TEXTS), chosen.embed(TEXTS));
            assertEquals(Dtype.AUTO, chosen.model().dtype());
            assertEquals(expected, chosen.model().dtypeInUse());
            assertEquals(half, chosen.model().nonFiniteHint().contains("use dtype fp32"));
        }
    }

    /// Of the multiprocessors of an H100 and a T4, and of the memory.
    @ParameterizedTest
    @CsvSource({"90,17179869184,16384,16384", "75,17179869184,8192,8192", "90,60000000,256,8192"})
    void theDeviceDecidesHowManyTokensAreComputedAtATime(String capability, String memory, int least, int most) {
        try (var _ = CudaTests.standIn("SGPT_STANDIN_CC", capability, "SGPT_STANDIN_MEMORY", memory);
                Model model = Model.open(Goldens.model(MODEL), cuda());
                BiEncoder embedder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
                BiEncoder other = BiEncoder.of(model, BiEncoderOptions.DEFAULT.withBatchTokens(77))) {
            assertTrue(model.batchTokens() >= least && model.batchTokens() <= most, () -> "" + model.batchTokens());
            assertEquals(model.batchTokens(), embedder.batchTokens());
            assertEquals(77, other.batchTokens());
        }
    }

    @Test
    void turingComputesGptNeoIn32BitsByDefault() {
        float[][] expected = embed(cuda());
        try (var _ = CudaTests.standIn("SGPT_STANDIN_CC", "75")) {
            float[][] actual = embed(cuda().withDtype(Dtype.AUTO));
            for (int i = 0; i < expected.length; i++) {
                Closeness.SAME.check("text " + i, expected[i], actual[i]);
            }
        }
    }

    @Test
    void aDeviceNumberThatIsNotThereIsNamed() {
        expectRefusal(cuda().withDevice("cuda:3"), List.of("cuda:3", "0 to 0"));
    }

    @Test
    void noDeviceIsAReason() {
        try (var _ = CudaTests.standIn("SGPT_STANDIN_DEVICES", "0")) {
            Refusal.check(BackendException.class, () -> embed(cuda()), "no device");
            List<Devices.Device> devices = Devices.list();
            assertTrue(devices.stream().anyMatch(d -> d.name().equals("cuda") && !d.available()), devices::toString);
        }
    }

    @Test
    void devicesAndLibrariesAreListed() {
        List<Devices.Device> devices = Devices.list();
        assertTrue(devices.stream().anyMatch(d -> d.name().equals("cuda:0") && d.available()), devices::toString);
        assertEquals(
                List.of("CUDA driver", "cuBLASLt", "NVRTC"),
                Devices.libraries().stream().map(Devices.Library::name).toList());
        assertTrue(Devices.libraries().stream().allMatch(Devices.Library::available));
    }

    @Test
    void tooLittleMemoryIsToldInBytes() {
        expectRefusal(
                cuda(), List.of("out of device memory", "bytes needed", "free of"), "SGPT_STANDIN_MEMORY", "33700000");
    }

    @Test
    void anAllocationThatFailsInTheMiddleLeavesTheModelUsable() {
        try (var _ = CudaTests.standIn("SGPT_STANDIN_FAIL", "cuMemAlloc:2@12");
                BiEncoder encoder = open(cuda())) {
            Refusal.check(BackendException.class, () -> encoder.embed(TEXTS), "out of device memory", "cuda:0");
            assertArrayEquals(embed(cuda()), encoder.embed(TEXTS));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "cuDevicePrimaryCtxRetain,2,1",
        "cuStreamCreate,2,2",
        "cublasLtCreate,3,1",
        "cuModuleLoadDataEx,300,1",
        "cuMemHostAlloc,2,1",
        "cuMemcpyHtoDAsync_v2,710,3",
        "cublasLtMatmul,13,2",
        "cublasLtMatmulAlgoGetHeuristic,14,1",
        "cuLaunchKernel,701,9",
        "cuLaunchKernel,710,12",
        "cuMemcpyDtoHAsync_v2,710,1",
        "cuEventSynchronize,214,2"
    })
    void aCallThatFailsIsNamedAndTheNextModelWorks(String function, int status, int call) {
        expectRefusal(
                cuda(),
                List.of(function, "(" + status + ")"),
                "SGPT_STANDIN_FAIL",
                "%s:%d@%d".formatted(function.replace("_v2", ""), status, call));
    }

    @Test
    void anImageWithoutCodeForTheDeviceIsCompiledInstead() {
        float[][] expected = embed(cuda());
        try (var _ = CudaTests.standIn("SGPT_STANDIN_FAIL", "cuModuleLoadDataEx:209@1")) {
            assertArrayEquals(expected, embed(cuda()));
        }
    }

    @Test
    void automaticFallsBackToTheCpuAndSaysWhy() {
        ModelOptions auto = ModelOptions.DEFAULT.withDtype(Dtype.FP32);
        try (var _ = CudaTests.standIn("SGPT_STANDIN_MEMORY", "60000000");
                Model model = Model.open(Goldens.model(MODEL), auto)) {
            assertEquals("cpu", model.device());
            assertTrue(model.deviceNotice().orElse("").contains("device memory"), model.deviceNotice()::toString);
        }
        try (var _ = CudaTests.standIn("SGPT_STANDIN_DRIVER", "11040");
                Model model = Model.open(Goldens.model(MODEL), auto)) {
            assertEquals("cpu", model.device());
            assertTrue(model.deviceNotice().orElse("").contains("too old"), model.deviceNotice()::toString);
        }
        try (Model model = Model.open(Goldens.model(MODEL), auto)) {
            assertEquals("cuda:0", model.device());
            assertFalse(model.deviceNotice().isPresent());
        }
    }

    @Test
    void speedIsMeasuredOnTheDeviceThatAModelWouldGet() {
        ModelOptions auto = ModelOptions.DEFAULT.withDtype(Dtype.FP32);
        try (var _ = CudaTests.standIn("SGPT_STANDIN_MEMORY", "200000000")) {
            try (SpeedTest small = SpeedTest.of(Goldens.model(MODEL), auto)) {
                assertFalse(small.deviceNotice().isPresent());
            }
            try (SpeedTest large = SpeedTest.ofShape("125M", auto)) {
                assertTrue(large.deviceNotice().orElse("").contains("device memory"), large.deviceNotice()::toString);
            }
        }
        try (var _ = CudaTests.standIn("SGPT_STANDIN_MEMORY", "60000000");
                SpeedTest small = SpeedTest.of(Goldens.model(MODEL), auto)) {
            assertTrue(small.deviceNotice().orElse("").contains("device memory"), small.deviceNotice()::toString);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "2", "7"})
    void theOrderOfThreadsDoesNotMatter(String order) {
        float[][] expected = embed(cuda());
        try (var _ = CudaTests.standIn("SGPT_STANDIN_ORDER", order)) {
            assertArrayEquals(expected, embed(cuda()));
        }
    }

    @Test
    void severalDevicesShareTheWorkAndKeepTheOrder() {
        try (var _ = CudaTests.standIn("SGPT_STANDIN_DEVICES", "2")) {
            List<String> texts = List.of("one", "two words", "three words here", "", "five", "six and a half", "seven");
            BiEncoderOptions small = BiEncoderOptions.DEFAULT.withBatchTokens(4);
            try (BiEncoder alone = BiEncoder.open(Goldens.model(MODEL), cuda(), small);
                    BiEncoder shared = BiEncoder.open(Goldens.model(MODEL), cuda().withDevice("cuda:0,1"), small)) {
                assertArrayEquals(alone.embed(texts), shared.embed(texts));
            }
            try (Model model = Model.open(Goldens.model("gptneo-ce"), cuda().withDevice("cuda:1,0"))) {
                assertEquals("cuda:1,0", model.device());
                CrossEncoderOptions pairs = CrossEncoderOptions.DEFAULT.withBatchTokens(40);
                try (CrossEncoder shared = CrossEncoder.of(model, pairs);
                        CrossEncoder alone = CrossEncoder.open(Goldens.model("gptneo-ce"), cuda(), pairs)) {
                    assertEquals(alone.score("query", texts), shared.score("query", texts));
                }
            }
        }
    }

    @Test
    void aFailureOnOneOfSeveralDevicesEndsTheCall() {
        try (var _ = CudaTests.standIn("SGPT_STANDIN_DEVICES", "2", "SGPT_STANDIN_FAIL", "cuLaunchKernel:710@12");
                BiEncoder encoder = BiEncoder.open(
                        Goldens.model(MODEL),
                        cuda().withDevice("cuda:0,1"),
                        BiEncoderOptions.DEFAULT.withBatchTokens(2))) {
            assertThrows(BackendException.class, () -> encoder.embed(TEXTS));
        }
    }

    @Test
    void aMissingLibraryIsAReason() throws IOException, InterruptedException {
        Files.createSymbolicLink(
                scratch.resolve("libcuda.so.1"),
                Path.of(System.getenv("SGPT_CUDA_PATH"), "libcuda.so.1").toRealPath());
        String output = child("cuda");
        assertTrue(output.contains("cuBLASLt") && output.contains(scratch.toString()), output);
        assertTrue(child("auto").startsWith("cpu: computing on the CPU, "), output);
    }

    /// Opens a model in a process that finds libraries only in [#scratch].
    private String child(String device) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                Child.class.getName(),
                Goldens.model(MODEL).toString(),
                device);
        builder.environment().put("SGPT_CUDA_PATH", scratch.toString());
        Process process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
        String output = new String(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        return output;
    }

    /// The other process.
    static final class Child {
        public static void main(String[] arguments) {
            try (Model model = Model.open(Path.of(arguments[0]), ModelOptions.DEFAULT.withDevice(arguments[1]))) {
                System.out.println(model.device() + ": " + model.deviceNotice().orElse(""));
            } catch (BackendException e) {
                System.out.println(e.getMessage());
            }
        }
    }
}
