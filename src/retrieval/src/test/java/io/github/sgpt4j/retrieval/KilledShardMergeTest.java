package io.github.sgpt4j.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Another process merges shards again and again, and is killed without warning (SIGKILL).
class KilledShardMergeTest {
    private static final int KILLS = 8;
    private static final int MAX_MILLIS = 200;

    @TempDir
    private Path folder;

    @Test
    void theIndexIsThereAsAWholeOrNotAtAll() throws IOException, InterruptedException {
        long seed = Long.getLong("sgpt4j.seed", System.nanoTime());
        System.out.println("KilledShardMergeTest: -Dsgpt4j.seed=" + seed);
        Random random = new Random(seed);
        Path shards = folder.resolve("shards");
        int documents;
        try (BiEncoder encoder = BiEncoder.open(SmallIndex.MODEL)) {
            SmallIndex.make(shards.resolve("part-00000"), encoder, VectorStorage.FLOAT32);
            try (SemanticIndex index = SemanticIndex.openReadOnly(shards.resolve("part-00000"))) {
                documents = index.size();
            }
        }
        Files.writeString(shards.resolve("_SUCCESS"), "{\"format\":1,\"shards\":1}");
        int complete = 0;
        for (int i = 0; i < KILLS; i++) {
            Path place = Files.createDirectory(folder.resolve("place" + i));
            kill(shards, place, random.nextInt(MAX_MILLIS));
            for (String name : names(place)) {
                if (name.startsWith("made")) {
                    assertEquals(documents, size(place.resolve(name)), name);
                    complete++;
                } else {
                    assertTrue(name.matches("\\.made\\d+\\.sgpt-merge"), name);
                    Path again = place.resolve(name.substring(1, name.indexOf('.', 1)));
                    if (!Files.exists(again)) {
                        // The same call works again, and removes what the dead one left.
                        assertEquals(documents, ShardMerge.merge(shards, again, true));
                        assertEquals(documents, size(again), name);
                        assertTrue(Files.notExists(place.resolve(name)), name);
                    }
                }
            }
        }
        assertTrue(complete > 0, "no merge came to its end");
    }

    private static List<String> names(Path of) throws IOException {
        try (Stream<Path> files = Files.list(of)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private static int size(Path path) throws IOException {
        try (SemanticIndex index = SemanticIndex.openReadOnly(path)) {
            return index.size();
        }
    }

    private static void kill(Path shards, Path place, int millis) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--add-modules=jdk.incubator.vector",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Merging.class.getName(),
                        shards.toString(),
                        place.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            assertEquals('r', process.getInputStream().read());
            Thread.sleep(millis);
            assertTrue(process.isAlive());
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    /// The process that merges.
    static final class Merging {
        private Merging() {}

        /// @param arguments the folder of shards, and the folder to work in
        public static void main(String... arguments) throws IOException {
            Path shards = Path.of(arguments[0]);
            Path place = Path.of(arguments[1]);
            ShardMerge.merge(shards, place.resolve("made0"), true);
            System.out.print('r');
            System.out.flush();
            for (int i = 1; ; i++) {
                ShardMerge.merge(shards, place.resolve("made" + i), true);
            }
        }
    }
}
