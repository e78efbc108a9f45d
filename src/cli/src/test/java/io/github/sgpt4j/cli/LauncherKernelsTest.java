package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.cli.FakeCheckout.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// What the launcher does about CUDA kernels, with scripts in place of nvcc and nvidia-smi: it compiles them for the
/// GPUs of this machine alone, and only where there are both.
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the launcher is a bash script")
class LauncherKernelsTest {
    private static final String BUILDING = "sgpt: building (on first use this can take a minute) ...\n";
    private static final String COMPILING =
            "sgpt: compiling the kernels for this machine's GPU with nvcc (once, less than a minute) ...\n";

    /// Keeps its options, and writes what `-o` names.
    private static final String NVCC = """
            #!/usr/bin/env bash
            [ "$1" != --version ] || { echo nvcc 13; exit; }
            echo "$*" >>"${0%/*}/options"
            while [ "$1" != -o ]; do shift; done
            echo image >"$2"
            """;

    private static final String BROKEN = """
            #!/usr/bin/env bash
            [ "$1" = --version ] || echo "$*" >>"${0%/*}/options"
            [ "$1" = --version ] || { echo "nvcc fatal: unsupported gpu architecture" >&2; exit 1; }
            """;

    @TempDir
    Path folder;

    private FakeCheckout checkout;
    private Path programs;

    @BeforeEach
    void makeCheckout() throws IOException {
        folder = folder.toRealPath();
        programs = Files.createDirectory(folder.resolve("programs"));
        FakeCheckout plain = FakeCheckout.create(folder.resolve("checkout"), folder.resolve("jdk"));
        checkout = plain.with("PATH", programs + ":" + System.getenv("PATH"))
                .with("NVCC", programs.resolve("nvcc").toString());
        Path real = Path.of("").toAbsolutePath();
        while (!Files.exists(real.resolve("sgpt"))) {
            real = real.getParent();
        }
        Path kernels = checkout.root().resolve("kernels");
        Files.copy(real.resolve("kernels/build.sh"), kernels.resolve("build.sh"), StandardCopyOption.COPY_ATTRIBUTES);
        Files.writeString(kernels.resolve("common/b.cuh"), "");
        Files.writeString(kernels.resolve("spills.txt"), "");
    }

    private void program(String name, String text) throws IOException {
        Path file = programs.resolve(name);
        Files.writeString(file, text);
        assertTrue(file.toFile().setExecutable(true));
    }

    /// A driver with these GPUs.
    private void gpus(String... capabilities) throws IOException {
        program("nvidia-smi", "#!/bin/sh\nprintf '%s\\n' " + String.join(" ", capabilities) + "\n");
    }

    private void expectStart(String note) throws IOException, InterruptedException {
        Result result = checkout.start("embed");
        assertEquals(note, result.err());
        assertEquals(0, result.code());
    }

    private Path fatbin() {
        return checkout.root().resolve("kernels/target/resources/io/github/sgpt4j/backend/cuda/launch/sgpt4j.fatbin");
    }

    private List<String> compilations() throws IOException {
        Path options = programs.resolve("options");
        return Files.exists(options) ? Files.readAllLines(options) : List.of();
    }

    @Test
    void kernelsAreCompiledOnceForTheGpusThatAreThere() throws IOException, InterruptedException {
        program("nvcc", NVCC);
        gpus("9.0", "7.5", "9.0", "6.1");
        expectStart(BUILDING + COMPILING);
        assertEquals(1, compilations().size());
        String options = compilations().getFirst();
        assertTrue(
                options.contains("-gencode arch=compute_75,code=sm_75"
                        + " -gencode arch=compute_80,code=[sm_90,compute_80] -t 0"),
                options);
        assertEquals("image\n", Files.readString(fatbin()));
        expectStart("");
        Files.writeString(checkout.root().resolve("src/cli/src/main/Source"), "second\n");
        expectStart(BUILDING);
        assertEquals(1, compilations().size(), "the kernels have not changed");
        Files.writeString(checkout.root().resolve("kernels/a.cu"), "// changed");
        expectStart(BUILDING + COMPILING);
        assertEquals(2, compilations().size());
    }

    @Test
    void withoutAGpuNothingIsCompiled() throws IOException, InterruptedException {
        program("nvcc", NVCC);
        program("nvidia-smi", "#!/bin/sh\necho 'No devices were found'\nexit 6\n");
        expectStart(BUILDING);
        assertEquals(List.of(), compilations());
        assertFalse(Files.exists(fatbin()));
    }

    @Test
    void withoutACompilerNothingIsSaid() throws IOException, InterruptedException {
        gpus("9.0");
        checkout = checkout.with("NVCC", "none");
        expectStart(BUILDING);
        assertFalse(Files.exists(fatbin()));
    }

    @Test
    void aCompilerThatFailsIsNoFailureOfTheBuild() throws IOException, InterruptedException {
        program("nvcc", BROKEN);
        gpus("12.1");
        Path log = checkout.state().resolve("kernels.log");
        expectStart(BUILDING
                + COMPILING
                + "sgpt: nvcc could not compile the kernels (its output is in %s); a GPU's first use compiles them.\n"
                        .formatted(log));
        assertTrue(Files.readString(log).contains("unsupported gpu architecture"), log::toString);
        assertFalse(Files.exists(fatbin()));
        expectStart("");
        Files.writeString(checkout.root().resolve("src/cli/src/main/Source"), "second\n");
        expectStart(BUILDING);
        assertEquals(1, compilations().size(), "the same would fail again");
        program("nvcc", NVCC);
        Files.writeString(checkout.root().resolve("kernels/a.cu"), "// changed");
        expectStart(BUILDING + COMPILING);
        assertEquals("image\n", Files.readString(fatbin()));
    }

    @Test
    void theDriverIsAskedOnceForEachBuild() throws IOException, InterruptedException {
        program("nvcc", NVCC);
        program("nvidia-smi", "#!/bin/sh\necho asked >>\"${0%/*}/asked\"\necho 9.0\n");
        expectStart(BUILDING + COMPILING);
        assertEquals(List.of("asked"), Files.readAllLines(programs.resolve("asked")));
    }
}
