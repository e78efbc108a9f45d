package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.weights.Weights;
import io.github.sgpt4j.weightstools.ConvertListener;
import io.github.sgpt4j.weightstools.ConvertOptions;
import io.github.sgpt4j.weightstools.Converter;
import io.github.sgpt4j.weightstools.ModelsListener;
import io.github.sgpt4j.weightstools.store.ConvertedModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Another process converts a checkpoint, into the cache and in place, and is repeatedly killed without warning.
class KilledConversionTest {
    private static final String NAME = "gptneo-be-bin";
    private static final Path PICKLES =
            Path.of("../../weights-tools/src/test/resources/checkpoints", NAME, "pytorch_model.bin");
    private static final ConvertOptions SHARDS = ConvertOptions.DEFAULT.withMaxShardBytes(100_000);
    private static final int KILLS = 30;
    private static final int MAX_MILLIS = 120;

    @TempDir
    Path folder;

    private byte[] weights;
    private List<String> shards;

    @BeforeEach
    void convertOnce() throws IOException {
        Path source = checkpoint(Files.createDirectory(folder.resolve("once")));
        Path target = folder.resolve("target");
        Converter.convert(source, target, ConvertOptions.DEFAULT, ConvertListener.NONE);
        weights = Files.readAllBytes(target.resolve("model.safetensors"));
        Converter.convert(source, source, SHARDS, ConvertListener.NONE);
        shards = names(source);
    }

    private static Path checkpoint(Path directory) throws IOException {
        for (String file : List.of("config.json", "tokenizer.json")) {
            Files.copy(Cli.GOLDENS.resolve(NAME).resolve(file), directory.resolve(file));
        }
        Files.copy(PICKLES, directory.resolve("pytorch_model.bin"));
        return directory;
    }

    private static List<String> names(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.map(file -> directory.relativize(file).toString())
                    .sorted()
                    .toList();
        }
    }

    private static ConvertedModels models(Path cache) {
        return new ConvertedModels(ModelsListener.NONE, cache);
    }

    @Test
    void theNextRunHasTheWholeModelAndNothingIsLeftOver() throws Exception {
        long seed = Long.getLong("sgpt4j.seed", System.nanoTime());
        System.out.println("KilledConversionTest: -Dsgpt4j.seed=" + seed);
        Random random = new Random(seed);
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            List<Future<?>> results = new ArrayList<>();
            for (int worker = 0; worker < 2; worker++) {
                Path own = Files.createDirectory(folder.resolve("worker" + worker));
                Path source = checkpoint(Files.createDirectory(own.resolve(NAME)));
                long workerSeed = random.nextLong();
                results.add(threads.submit(() -> {
                    Random moments = new Random(workerSeed);
                    for (int i = 0; i < KILLS / 2; i++) {
                        kill(own, source, moments.nextInt(MAX_MILLIS));
                        checkCache(own.resolve("cache"), source);
                        checkInPlace(own);
                    }
                    return null;
                }));
            }
            for (Future<?> result : results) {
                result.get();
            }
        }
    }

    private static void kill(Path own, Path source, int millis) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        ChildJvm.command(List.of(), Child.class, own.toString(), source.toString()))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertEquals('r', process.getInputStream().read());
        Thread.sleep(millis);
        assertTrue(process.isAlive());
        process.destroyForcibly().waitFor();
    }

    private void checkCache(Path cache, Path source) throws IOException {
        Path converted = models(cache).readable(source);
        assertArrayEquals(weights, Files.readAllBytes(converted.resolve("model.safetensors")));
        Path state = cache.relativize(converted.getParent());
        Path entry = state.getParent();
        List<String> expected = Stream.of(
                        Path.of(""),
                        entry,
                        entry.resolve("lock"),
                        state,
                        state.resolve(NAME),
                        state.resolve(NAME + ".files"),
                        state.resolve(NAME).resolve("config.json"),
                        state.resolve(NAME).resolve("model.safetensors"),
                        state.resolve(NAME).resolve("tokenizer.json"))
                .map(Path::toString)
                .sorted()
                .toList();
        assertEquals(expected, names(cache));
    }

    private void checkInPlace(Path own) throws IOException {
        List<Path> folders;
        try (Stream<Path> all = Files.list(own)) {
            folders = all.filter(path -> path.getFileName().toString().startsWith("place"))
                    .toList();
        }
        for (Path place : folders) {
            if (Converter.isNeeded(place)) {
                if (!Files.exists(place.resolve("complete"))) {
                    io.github.sgpt4j.weightstools.LockedFolder.remove(place);
                    continue;
                }
                Converter.convert(place, place, SHARDS, ConvertListener.NONE);
            }
            assertFalse(Converter.isNeeded(place));
            List<String> found = new ArrayList<>(names(place));
            found.remove("complete");
            // The folder of an interrupted run may still be there: the next run empties it.
            found.removeIf(name -> name.startsWith(".sgpt-convert"));
            assertEquals(shards, found);
            try (Weights opened = Weights.open(place)) {
                assertTrue(opened.names().size() > 10);
            }
            io.github.sgpt4j.weightstools.LockedFolder.remove(place);
        }
    }

    /// The process that converts.
    static final class Child {
        private Child() {}

        /// @param arguments folder to work in, and the checkpoint
        public static void main(String... arguments) throws IOException {
            Path own = Path.of(arguments[0]);
            Path source = Path.of(arguments[1]);
            Path config = source.resolve("config.json");
            System.out.print('r');
            System.out.flush();
            for (int i = 0; ; i++) {
                Files.setLastModifiedTime(config, FileTime.fromMillis(1000L * i));
                models(own.resolve("cache")).readable(source);
                Path place = checkpoint(Files.createDirectories(own.resolve("place" + i)));
                Files.createFile(place.resolve("complete"));
                Converter.convert(place, place, SHARDS, ConvertListener.NONE);
            }
        }
    }
}
