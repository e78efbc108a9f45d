package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.weightstools.ConvertListener;
import io.github.sgpt4j.weightstools.Converter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Another process merges base model and biases again and again, and is killed without warning.
class KilledMergeTest {
    private static final Path BASE = Cli.GOLDENS.resolve("gptneo-be");
    private static final int KILLS = 12;
    private static final int MAX_MILLIS = 250;

    @TempDir
    Path folder;

    /// Hashes of the files' contents by name.
    private static Map<String, Integer> contents(Path root) throws IOException {
        Map<String, Integer> contents = new TreeMap<>();
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                contents.put(root.relativize(file).toString(), Arrays.hashCode(Files.readAllBytes(file)));
            }
        }
        return contents;
    }

    private static void merge(Path biases, Path target) throws IOException {
        Converter.mergeBiases(BASE, Optional.empty(), biases, target, Optional.of("# A model\n"), ConvertListener.NONE);
    }

    @Test
    void theResultIsThereAsAWholeOrNotAtAll() throws IOException, InterruptedException {
        long seed = Long.getLong("sgpt4j.seed", System.nanoTime());
        System.out.println("KilledMergeTest: -Dsgpt4j.seed=" + seed);
        Random random = new Random(seed);
        Path biases = TrainedFile.write("gptneo", BASE, folder.resolve("biases.safetensors"));
        merge(biases, folder.resolve("whole"));
        Map<String, Integer> whole = contents(folder.resolve("whole"));
        int complete = 0;
        for (int i = 0; i < KILLS; i++) {
            Path place = Files.createDirectory(folder.resolve("place" + i));
            kill(biases, place, random.nextInt(MAX_MILLIS));
            List<Path> targets;
            try (Stream<Path> all = Files.list(place)) {
                targets = all.sorted().toList();
            }
            for (Path target : targets) {
                String name = target.getFileName().toString();
                if (name.startsWith("made")) {
                    assertEquals(whole, contents(target), name);
                    complete++;
                } else {
                    // What an interrupted run leaves is hidden, and the next run to that place removes it.
                    assertTrue(name.matches("\\.made\\d+\\.sgpt-convert"), name);
                    Path again = place.resolve(name.substring(1, name.indexOf('.', 1)));
                    if (!Files.exists(again)) {
                        merge(biases, again);
                        assertEquals(whole, contents(again), name);
                        assertTrue(Files.notExists(target), name);
                    }
                }
            }
        }
        assertTrue(complete > 0, "no run came to its end");
    }

    private static void kill(Path biases, Path place, int millis) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        ChildJvm.command(List.of(), Child.class, biases.toString(), place.toString()))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertEquals('r', process.getInputStream().read());
        Thread.sleep(millis);
        assertTrue(process.isAlive());
        process.destroyForcibly().waitFor();
    }

    /// The process that merges.
    static final class Child {
        private Child() {}

        /// @param arguments the trained tensors, and the folder to work in
        public static void main(String... arguments) throws IOException {
            Path biases = Path.of(arguments[0]);
            Path place = Path.of(arguments[1]);
            merge(biases, place.resolve("made0"));
            System.out.print('r');
            System.out.flush();
            for (int i = 1; ; i++) {
                merge(biases, place.resolve("made" + i));
            }
        }
    }
}
