package io.github.sgpt4j.weightstools.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.weightstools.LockedFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Another process downloads a model and is killed without warning, again and again.
class KilledDownloadTest extends HubFixture {
    private static final int KILLS = 30;
    private static final int MAX_MILLIS = 150;

    @Test
    void theNextRunHasTheWholeModelAndNothingIsLeftOver() throws Exception {
        long seed = Long.getLong("sgpt4j.seed", System.nanoTime());
        System.out.println("KilledDownloadTest: -Dsgpt4j.seed=" + seed);
        Random random = new Random(seed);
        server.with("model.safetensors", FakeHub.random(3_000_000, 7));
        for (int i = 0; i < KILLS; i++) {
            kill(random.nextInt(MAX_MILLIS));
            // Sometimes several kills follow each other.
            if (random.nextInt(3) > 0) {
                checkComplete();
                if (random.nextBoolean()) {
                    LockedFolder.remove(cache);
                }
            }
        }
        checkComplete();
    }

    private void kill(int millis) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-Xmx64m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Child.class.getName(),
                        server.endpoint(),
                        cache.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertEquals('r', process.getInputStream().read());
        Thread.sleep(millis);
        assertTrue(process.isAlive());
        process.destroyForcibly().waitFor();
    }

    private void checkComplete() throws IOException {
        Path snapshot = hub().download(MODEL, HubOptions.DEFAULT, listener);
        TreeSet<String> expected = new TreeSet<>(List.of("refs/main", ".sgpt4j/" + FakeHub.COMMIT + ".json"));
        for (String path : FakeHub.NEEDED) {
            assertArrayEquals(server.files.get(path), Files.readAllBytes(snapshot.resolve(path)), path);
            expected.add("blobs/" + server.tag(path));
            expected.add("snapshots/" + FakeHub.COMMIT + "/" + path);
        }
        assertEquals(expected, files(repository()));
        assertEquals(
                new TreeSet<>(List.of(".locks", "CACHEDIR.TAG", "models--owner--some-model")),
                new TreeSet<>(names(cache)));
    }

    private static List<String> names(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    private static TreeSet<String> files(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return new TreeSet<>(files.filter(Files::isRegularFile)
                    .map(file -> directory.relativize(file).toString())
                    .toList());
        }
    }

    /// The downloading process.
    static final class Child {
        private Child() {}

        /// @param arguments endpoint and cache
        public static void main(String... arguments) throws IOException {
            HubSettings settings = new Settings(arguments[0], Path.of(arguments[1])).build();
            System.out.print('r');
            System.out.flush();
            for (int i = 0; ; i++) {
                new Hub(settings).download(MODEL, HubOptions.DEFAULT.withForce(i > 0), HubListener.NONE);
            }
        }
    }
}
