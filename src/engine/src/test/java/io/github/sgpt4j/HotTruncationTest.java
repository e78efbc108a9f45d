package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.testing.CheckpointFolder;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.OtherJvm;
import io.github.sgpt4j.testing.StoredAs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// Files that are truncated while compiled code reads them end calls, not the process. Tested in
/// separate processes, for each implementation of products.
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "mapped files cannot be changed there")
class HotTruncationTest {
    @TempDir
    private Path folder;

    private void run(String... options) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of(options));
        all.add("-XX:-CreateCoredumpOnCrash");
        all.add("-XX:ErrorFile=" + folder.resolve("crash.log"));
        all.add("-Dfolder=" + folder);
        OtherJvm.Ended ended = OtherJvm.end(Hot.class, all.toArray(String[]::new));
        assertEquals(0, ended.status(), ended.output());
        String expected =
                IntStream.range(0, Hot.REFUSED).mapToObj(i -> "refused\n").reduce("", String::concat);
        assertEquals(expected + "ended\n", ended.output().replaceAll("(?m)^WARNING.*\n", ""));
    }

    @Test
    void withMachineCode() throws IOException, InterruptedException {
        run("-Dsgpt4j.cpu.workInPlace=0");
    }

    @Test
    void withTheVectorApi() throws IOException, InterruptedException {
        run("-Dsgpt4j.cpu.workInPlace=0", "-Dsgpt4j.cpu.vectorCode=false", "-Dsgpt4j.cpu.amx=false");
    }

    @Test
    void withProductsFromWhereWeightsAreStored() throws IOException, InterruptedException {
        run("-Dsgpt4j.cpu.workInPlace=" + Long.MAX_VALUE);
    }

    /// The other process.
    static final class Hot {
        /// Number of calls that are refused.
        static final int REFUSED = 15;

        private static final List<String> TEXTS =
                IntStream.range(0, 30).mapToObj(i -> "text number " + i).toList();

        private Hot() {}

        public static void main(String[] args) throws IOException, InterruptedException {
            Path folder = Path.of(System.getProperty("folder"));
            for (ElementType dtype : List.of(ElementType.BF16, ElementType.F16, ElementType.F32)) {
                ofType(dtype, folder);
            }
            System.out.print("ended\n");
        }

        private static void ofType(ElementType dtype, Path folder) throws IOException, InterruptedException {
            // Runs until the code that reads 16-bit floats is compiled; most of it is the same for all
            // types.
            for (int i = 0; i < (dtype == ElementType.BF16 ? 6 : 2); i++) {
                try (Model model = open(fresh(dtype, folder))) {
                    BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
                    CrossEncoder scorer = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT);
                    for (int pass = 0; pass < 4; pass++) {
                        encoder.embed(TEXTS);
                    }
                    scorer.score("query", TEXTS);
                    model.fingerprint();
                    model.scan();
                }
            }
            refusals(dtype, folder);
        }

        private static void refusals(ElementType dtype, Path folder) throws IOException, InterruptedException {
            Path file = fresh(dtype, folder);
            try (Model model = open(file)) {
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT.withBatchTokens(40));
                encoder.embed("text");
                refused(() -> encoder.embed(TEXTS, TextKind.TEXT, (done, total) -> cut(file, 8192)));
            }
            Path beforePacking = fresh(dtype, folder);
            try (Model model = open(beforePacking)) {
                CrossEncoder scorer = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT);
                cut(beforePacking, Files.size(beforePacking) / 2);
                refused(() -> scorer.score(TEXTS, TEXTS, ProgressListener.NONE));
            }
            for (int what = 0; what < 2; what++) {
                Path beforeReading = fresh(dtype, folder);
                try (Model model = open(beforeReading)) {
                    cut(beforeReading, 4096);
                    refused(what == 0 ? model::scan : model::fingerprint);
                }
            }
            // With the file under another name, its state cannot be checked: only the fault shows.
            Path moved = fresh(dtype, folder);
            try (Model model = open(moved)) {
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
                encoder.embed(TEXTS);
                cut(Files.move(moved, moved.resolveSibling("moved")), 8192);
                refused(() -> encoder.embed("other words: zebra, mountain, spider"));
            }
            whileOpening(fresh(dtype, folder));
        }

        /// Opens a file while its length changes.
        private static void whileOpening(Path file) throws IOException, InterruptedException {
            byte[] content = Files.readAllBytes(file);
            AtomicBoolean over = new AtomicBoolean();
            Thread writer = Thread.ofPlatform().start(() -> {
                while (!over.get()) {
                    cut(file, 0);
                    try {
                        Files.write(file, content, StandardOpenOption.WRITE);
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                }
            });
            long end = System.nanoTime() + 200_000_000L;
            while (System.nanoTime() < end) {
                try (Model model = open(file)) {
                    CrossEncoder.of(model, CrossEncoderOptions.DEFAULT).score("query", List.of("document"));
                } catch (SgptException e) {
                    // The message depends on the state at each moment.
                    continue;
                }
            }
            over.set(true);
            writer.join();
        }

        private static Path fresh(ElementType dtype, Path folder) {
            CheckpointFolder copy = CheckpointFolder.copy("gptneo-ce", folder);
            Path file = copy.file("model.safetensors");
            StoredAs.write(Goldens.model("gptneo-ce"), dtype, file);
            return file;
        }

        private static Model open(Path file) {
            return Model.open(
                    file.getParent(), ModelOptions.DEFAULT.withThreads(2).withDevice("cpu"));
        }

        private static void cut(Path file, long size) {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.truncate(size);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static void refused(Callable<?> call) {
            try {
                call.call();
                System.out.print("a result\n");
            } catch (FormatException e) {
                boolean told = String.valueOf(e.getMessage())
                        .matches(
                                ".*model\\.safetensors: expected (the file as it was opened|to read the mapped file).*");
                System.out.print(told ? "refused\n" : e.getMessage() + "\n");
            } catch (Exception e) {
                System.out.print(e + "\n");
            }
        }
    }
}
