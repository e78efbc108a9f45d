package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.testing.CudaTests;
import io.github.sgpt4j.testing.Goldens;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// After some failures a device does not come back in the same process. Each case has a process of its own, on the
/// stand-in, which then fails with everything that is asked of the device.
@Tag("cuda-only")
@Timeout(300)
class CudaLostDeviceTest {
    private static final String MODEL = "gptneo-be";
    private static final List<String> TEXTS = List.of("hello", "deep learning on the Java virtual machine", "a b c");
    private static final String ADVICE = "this process has lost the device and must be started again to use it";

    @BeforeEach
    void requireStandIn() {
        CudaTests.requireStandIn();
    }

    @ParameterizedTest
    @CsvSource({
        "cuMemcpyHtoDAsync,700,3",
        "cuLaunchKernel,719,12",
        "cuMemcpyDtoHAsync,715,1",
        "cuEventSynchronize,702,2",
        "cuStreamCreate,719,2"
    })
    void everythingAfterwardsFailsAtOnceWithTheReason(String function, int status, int call) throws Exception {
        List<String> lines = child(Loss.class, Map.of("SGPT_STANDIN_FAIL", function + ":" + status + "@" + call));
        assertEquals(7, lines.size(), lines::toString);
        String first = lines.getFirst();
        assertTrue(first.contains(function) && first.contains("(" + status + ")") && first.endsWith(ADVICE), first);
        for (String later : lines.subList(1, 4)) {
            assertTrue(later.contains("cuda:0: earlier, " + function), later);
            assertTrue(later.contains("(" + status + ")") && later.endsWith(ADVICE), later);
        }
        assertEquals("false", lines.get(4), "available");
        assertTrue(lines.get(5).startsWith("cpu: computing on the CPU, cuda:0: earlier, " + function), lines.get(5));
        assertEquals("closed", lines.getLast());
    }

    /// While a pass is recorded, when its graph is launched, and while that runs.
    @ParameterizedTest
    @CsvSource({
        "cuStreamBeginCapture,719,1",
        "cuStreamEndCapture,700,1",
        "cuGraphInstantiateWithFlags,715,1",
        "cuGraphLaunch,719,2",
        "cuEventSynchronize,702,3"
    })
    void aDeviceThatIsLostWithAGraphIsLost(String function, int status, int call) throws Exception {
        List<String> lines =
                child(LossOfGraphs.class, Map.of("SGPT_STANDIN_FAIL", function + ":" + status + "@" + call));
        assertEquals(6, lines.size(), lines::toString);
        int failing = 0;
        while (lines.get(failing).equals("no failure")) {
            failing++;
        }
        String first = lines.get(failing);
        assertTrue(first.contains(function) && first.contains("(" + status + ")") && first.endsWith(ADVICE), first);
        for (String later : lines.subList(failing + 1, 4)) {
            assertTrue(later.contains("cuda:0: earlier, " + function) && later.endsWith(ADVICE), later);
        }
        assertTrue(failing < 3, lines::toString);
        assertEquals(List.of("[]", "closed"), lines.subList(4, 6));
    }

    @Test
    void anotherDeviceIsStillThere() throws Exception {
        Map<String, String> options =
                Map.of("SGPT_STANDIN_DEVICES", "2", "SGPT_STANDIN_FAIL", "cuMemcpyHtoDAsync:719@1");
        List<String> lines = child(Other.class, options);
        assertEquals(2, lines.size(), lines::toString);
        assertTrue(lines.getFirst().contains("(719)"), lines.getFirst());
        assertEquals("cuda:1", lines.getLast());
    }

    /// Lines that a process of its own prints.
    private static List<String> child(Class<?> main, Map<String, String> standIn)
            throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                main.getName(),
                Goldens.model(MODEL).toString());
        builder.environment().remove("SGPT_STANDIN_OPTIONS");
        builder.environment().putAll(standIn);
        Process process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
        List<String> lines =
                new String(process.getInputStream().readAllBytes()).lines().toList();
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), lines::toString);
        return lines;
    }

    private static ModelOptions options(String device) {
        return ModelOptions.DEFAULT.withDevice(device).withDtype(Dtype.FP32);
    }

    private static String failure(Runnable action) {
        try {
            action.run();
        } catch (BackendException e) {
            return e.getMessage();
        }
        return "no failure";
    }

    /// Loses the device while opening or embedding; prints what every use says.
    static final class Loss {
        public static void main(String[] arguments) {
            Path directory = Path.of(arguments[0]);
            String opening = failure(() -> use(directory));
            if (!opening.equals("no failure")) {
                // While opening: so are the others.
                System.out.println(opening);
                System.out.println(failure(() -> use(directory)));
                System.out.println(failure(() -> use(directory)));
            }
            System.out.println(failure(() -> use(directory)));
            System.out.println(Devices.list().stream()
                    .filter(device -> device.name().equals("cuda:0"))
                    .findFirst()
                    .orElseThrow()
                    .available());
            fallBack(directory);
            System.out.println("closed");
        }

        private static void use(Path directory) {
            try (Model model = Model.open(directory, options("cuda"))) {
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
                System.out.println(failure(() -> encoder.embed(TEXTS)));
                System.out.println(failure(() -> encoder.embed(TEXTS)));
                System.out.println(failure(() -> encoder.embed(TEXTS.getFirst())));
            }
        }

        private static void fallBack(Path directory) {
            try (Model model = Model.open(directory, options("auto"));
                    Model cpu = Model.open(directory, options("cpu"));
                    BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
                    BiEncoder expected = BiEncoder.of(cpu, BiEncoderOptions.DEFAULT)) {
                assertArrayEquals(expected.embed(TEXTS), encoder.embed(TEXTS));
                System.out.println(model.device() + ": " + model.deviceNotice().orElse(""));
            }
        }
    }

    /// Loses the device while single texts are computed by graphs; prints what every use says, and the notices.
    static final class LossOfGraphs {
        public static void main(String[] arguments) {
            try (var _ = CudaTests.graphs();
                    Model model = Model.open(Path.of(arguments[0]), options("cuda"));
                    BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT)) {
                for (int i = 0; i < 4; i++) {
                    System.out.println(failure(() -> encoder.embed(TEXTS.getFirst())));
                }
                System.out.println(model.noticesInUse());
            }
            System.out.println("closed");
        }
    }

    /// Loses one device, and computes on another.
    static final class Other {
        public static void main(String[] arguments) {
            Path directory = Path.of(arguments[0]);
            try (Model lost = Model.open(directory, options("cuda:0"))) {
                System.out.println(failure(() -> embed(lost)));
            }
            try (Model model = Model.open(directory, options("cuda:1"))) {
                embed(model);
                System.out.println(model.device());
            }
        }

        private static void embed(Model model) {
            try (BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT)) {
                encoder.embed(TEXTS);
            }
        }
    }
}
