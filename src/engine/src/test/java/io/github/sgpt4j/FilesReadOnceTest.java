package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Variants;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Opening a model reads none of its JSON files twice. The Java runtime's event recording (JFR) shows
/// which files are read.
class FilesReadOnceTest {
    private static final String READ = "jdk.FileRead";

    @TempDir
    private Path folder;

    private static Stream<Path> checkpoints() {
        return Stream.concat(
                Stream.of("gpt2-be", "qwen3-be").map(Goldens::model),
                Stream.of("st-two-dense-f16", "st-token-dense-position-weights", "st-subfolder")
                        .map(Variants::model));
    }

    @ParameterizedTest
    @MethodSource("checkpoints")
    void openingAModelReadsEachFileOnce(Path directory) throws IOException {
        // Loads classes and reads tables of keys first.
        open(directory);
        Map<Path, Long> read = new TreeMap<>();
        try (Recording recording = new Recording()) {
            recording.enable(READ).withoutThreshold().withoutStackTrace().with("throttle", "off");
            recording.start();
            open(directory);
            recording.stop();
            Path file = folder.resolve("reads.jfr");
            recording.dump(file);
            for (RecordedEvent event : RecordingFile.readAllEvents(file)) {
                Path path = Path.of(event.getString("path"));
                if (path.startsWith(directory) && path.toString().endsWith(".json")) {
                    read.merge(path, Math.max(0, event.getLong("bytesRead")), Long::sum);
                }
            }
        }
        assertTrue(read.keySet().stream().anyMatch(file -> file.endsWith("config.json")), () -> "recorded: " + read);
        for (Map.Entry<Path, Long> file : read.entrySet()) {
            assertEquals(Files.size(file.getKey()), file.getValue(), () -> "bytes read of " + file.getKey());
        }
    }

    private static void open(Path directory) {
        try (Model model = Model.open(directory);
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT)) {
            assertTrue(encoder.dimension() > 0);
        }
    }
}
