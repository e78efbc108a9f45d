package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.vector.VectorCode;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.testing.Closeness;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.OtherJvm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// If the virtual machine permits no native calls, neither a GPU nor machine code is used, but results
/// are computed, and one sentence says why.
class NativeAccessTest {
    private static final String DENY = "--illegal-native-access=deny";
    private static final String TEXT = "hello";

    /// Output of another virtual machine that may make no native calls, with a path for CUDA's
    /// libraries.
    private static List<String> denied(String... work) throws IOException {
        String output = OtherJvm.run(
                Child.class,
                DENY,
                "-Dsgpt4j.cuda.path=/no/such/folder",
                "-Dwork=" + String.join(" ", work),
                "-Dmodel=" + Goldens.model("gptj-be"));
        return output.lines()
                .filter(line -> !line.startsWith("WARNING: Using incub"))
                .toList();
    }

    @Test
    void automaticIsTheCpuAndOneSentenceSaysWhy() throws IOException {
        List<String> said = denied("embed", "auto");
        assertEquals(3, said.size(), said::toString);
        assertEquals("cpu", said.getFirst());
        assertEquals(
                "computing on the CPU, cuda: native access is not enabled; start java with"
                        + " --enable-native-access=io.github.sgpt4j.engine (ALL-UNNAMED on the class path)",
                said.get(1));
        expectUsualVector(said.get(2));
    }

    @Test
    void theCpuByNameNeedsNoSentence() throws IOException {
        List<String> said = denied("embed", "cpu");
        assertEquals(List.of("cpu", ""), said.subList(0, said.size() - 1));
        expectUsualVector(said.getLast());
    }

    private static void expectUsualVector(String printed) {
        String[] numbers = printed.substring(1, printed.length() - 1).split(", ");
        float[] actual = new float[numbers.length];
        for (int i = 0; i < actual.length; i++) {
            actual[i] = Float.parseFloat(numbers[i]);
        }
        ModelOptions cpu = ModelOptions.DEFAULT.withDevice("cpu");
        try (BiEncoder encoder = BiEncoder.open(Goldens.model("gptj-be"), cpu, BiEncoderOptions.DEFAULT)) {
            Closeness.SAME.check(TEXT, encoder.embed(TEXT), actual);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"cuda", "cuda:1", "cuda:0,1"})
    void aGpuByNameIsRefusedInOneSentence(String device) throws IOException {
        assertEquals(
                List.of("refused: device \"%s\" is unavailable: cuda: native access is not enabled; start java with"
                                .formatted(device)
                        + " --enable-native-access=io.github.sgpt4j.engine (ALL-UNNAMED on the class path)"),
                denied("embed", device));
    }

    @Test
    void devicesAreListedWithTheReason() throws IOException {
        List<String> said = denied("devices");
        assertEquals(2, said.size(), said::toString);
        String cpu = said.getFirst();
        assertTrue(cpu.startsWith("cpu true "), cpu);
        // If machine code is supported here, this test's own virtual machine, which permits it, uses
        // it.
        Optional<VectorCode> code =
                VectorCode.of(Simd.BITS).filter(c -> c.problem().isEmpty() && Simd.FMA);
        code.ifPresent(c -> assertTrue(
                cpu.contains("no %s code (java lacks the option --enable-native-access)".formatted(c.title())), cpu));
        assertFalse(cpu.contains("Exception"), cpu);
        assertTrue(
                said.getLast().startsWith("cuda false native access is not enabled; start java with"), said::toString);
    }

    /// The other virtual machine.
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) {
            String[] work = System.getProperty("work").split(" ");
            if (work[0].equals("devices")) {
                Devices.list().forEach(d -> System.out.println(d.name() + " " + d.available() + " " + d.description()));
                return;
            }
            try (Model model =
                            Model.open(Path.of(System.getProperty("model")), ModelOptions.DEFAULT.withDevice(work[1]));
                    BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT)) {
                System.out.println(model.device());
                System.out.println(model.deviceNotice().orElse(""));
                System.out.println(Arrays.toString(encoder.embed(TEXT)));
            } catch (BackendException e) {
                System.out.println("refused: " + e.getMessage());
            }
        }
    }
}
