package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// With too few files, threads or bytes of memory, the command works or fails with one sentence, and never hangs. The
/// limits are set with the shell's `ulimit`.
@EnabledOnOs(value = OS.LINUX, disabledReason = "needs the limits of Linux")
class MachineLimitsTest {
    private static final String MODEL = Cli.model("gptneo-be");

    /// Memory outside the heap is small and each thread reserves a gigabyte of address space, so that a limit
    /// on the address space limits the number of threads.
    private static final List<String> GIGABYTE_THREADS =
            List.of("-Xmx64m", "-XX:ReservedCodeCacheSize=32m", "-XX:CompressedClassSpaceSize=32m", "-Xss1g");

    @TempDir
    Path folder;

    private Cli.Result run(String limits, List<String> options, String... command)
            throws IOException, InterruptedException {
        return ChildCommand.runLimited(folder, limits, options, command);
    }

    /// Asserts success, or failure with one sentence.
    private static void assertSound(Cli.Result result, String limits) {
        String all = result.err() + result.text();
        assertFalse(all.contains("\tat ") || all.contains("Exception in thread"), limits + ": " + all);
        if (result.err().startsWith("Error: ")) {
            // The virtual machine could not load the main class and printed its own message.
            assertEquals(1, result.code(), all);
        } else if (result.code() != 0) {
            assertEquals(1, result.code(), all);
            assertEquals(1, result.err().lines().count(), limits + ": " + result.err());
            assertTrue(result.err().startsWith("sgpt: "), limits + ": " + result.err());
            assertFalse(result.err().contains("internal error"), limits + ": " + result.err());
        }
    }

    private Path texts() throws IOException {
        return Files.write(
                folder.resolve("in.txt"),
                IntStream.range(0, 300).mapToObj(i -> "text number " + i).toList());
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 12, 16, 24})
    void fewOpenFilesAreASentence(int files) throws IOException, InterruptedException {
        Path out = folder.resolve("out.jsonl");
        String limits = "ulimit -n " + files;
        Cli.Result embed = run(limits, List.of(), "embed", "-m", MODEL, "-o", out.toString(), "x");
        assertSound(embed, limits);
        assertEquals(embed.code() == 0, Files.exists(out));
        assertSound(run(limits, List.of(), "search", "--quiet", "spider"), limits);
        Files.deleteIfExists(out);
        try (var left = Files.list(folder)) {
            assertEquals(List.of(), left.toList());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8, 16})
    void littleMemoryIsASentence(int megabytes) throws IOException, InterruptedException {
        String heap = "-Xmx%dm".formatted(megabytes);
        assertSound(run("true", List.of(heap), "search", "--quiet", "spider"), heap);
    }

    @Test
    void fewThreadsDoTheWork() throws IOException, InterruptedException {
        String[] command = {"embed", "-m", MODEL, "--quiet", "--threads", "8", "-i", texts().toString()};
        String expected = Cli.run(command).text();
        int least = 4;
        while (run(gigabytes(least), GIGABYTE_THREADS, "--version").code() != 0) {
            least++;
            assertTrue(least < 40, "the virtual machine starts with no limit");
        }
        int worked = 0;
        for (int more = 0; more < 5; more++) {
            Cli.Result result = run(gigabytes(least + more), GIGABYTE_THREADS, command);
            assertSound(result, gigabytes(least + more));
            if (result.code() == 0) {
                assertEquals(expected, result.text());
                worked++;
            }
        }
        // There was room for at most 4 of the 8 threads and the others.
        assertTrue(worked > 0, "none worked");
    }

    @Test
    void anUnknownProcessorComputesTheSame() throws IOException, InterruptedException {
        Assumptions.assumeTrue(ChildCommand.canMount(), "needs to mount over files of the kernel");
        String[] command = {"embed", "-m", MODEL, "--quiet", "x"};
        Cli.Result result = run(
                ChildCommand.mounted("mount --bind /dev/null /proc/cpuinfo; mount -t tmpfs none /sys"),
                List.of(),
                command);
        assertEquals("", result.err());
        // The Vector API gives the same bits as the machine code that it replaces.
        assertEquals(Cli.run(command).text(), result.text());
    }

    private static String gigabytes(int count) {
        return "ulimit -v " + count * 1_000_000L;
    }
}
