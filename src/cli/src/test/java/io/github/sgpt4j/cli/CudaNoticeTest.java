package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Notices about GPUs, with the stand-in that the module `kernels` builds, in separate processes.
class CudaNoticeTest {
    private static final Path STAND_IN =
            Path.of("../../kernels/target/standin").toAbsolutePath().normalize();

    @TempDir
    private Path folder;

    private static final String BUILT_KERNELS = "io/github/sgpt4j/backend/cuda/launch/sgpt4j.fatbin";

    @BeforeEach
    void requireStandIn() {
        assumeTrue(Files.exists(STAND_IN.resolve("libcuda.so.1")), "needs the stand-in, see kernels/build.sh");
    }

    /// The lines that a process with the stand-in writes to stderr, without warnings of the virtual machine.
    private List<String> embed(List<String> javaOptions, String... options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--add-modules=jdk.incubator.vector");
        command.add("-Dsgpt4j.cuda.cache=" + folder.resolve("kernels"));
        command.addAll(javaOptions);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        command.addAll(List.of("embed", "-m", Cli.model("gptj-be"), "a text"));
        Collections.addAll(command, options);
        Path err = folder.resolve("err");
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(err.toFile());
        builder.environment().put("SGPT_CUDA_PATH", STAND_IN.toString());
        if (ClassLoader.getSystemResource(BUILT_KERNELS) != null) {
            // Makes the stand-in refuse the image from the build, so that kernels are compiled at run time.
            builder.environment().put("SGPT_STANDIN_FAIL", "cuModuleLoadDataEx:209@1");
        }
        Process process = builder.start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int code = process.waitFor();
        List<String> said = Files.readAllLines(err).stream()
                .filter(line -> !line.startsWith("WARNING: Using incubator modules"))
                .toList();
        assertEquals(0, code, said::toString);
        assertEquals(1, out.lines().count(), out);
        return said;
    }

    @Test
    void damagedKernelsAreToldOnce() throws IOException, InterruptedException {
        List<String> java = List.of("--enable-native-access=ALL-UNNAMED");
        assertEquals(List.of(), embed(java, "--device", "cuda"));
        Path damaged;
        try (Stream<Path> files = Files.list(folder.resolve("kernels"))) {
            damaged = files.findFirst().orElseThrow();
        }
        Files.write(damaged, new byte[10]);
        assertEquals(
                List.of("sgpt: cuda: %s: expected compiled kernels, got a damaged file; it is compiled again"
                        .formatted(damaged)),
                embed(java, "--device", "cuda"));
        assertEquals(List.of(), embed(java, "--device", "cuda"));
    }

    @Test
    void withoutPermissionForNativeCallsTheCpuComputesAndOneSentenceSaysSo() throws IOException, InterruptedException {
        List<String> said = embed(List.of("--illegal-native-access=deny"));
        assertEquals(1, said.size(), said::toString);
        assertTrue(
                said.getFirst().startsWith("sgpt: computing on the CPU, cuda: native access is not enabled;"),
                said::toString);
    }
}
