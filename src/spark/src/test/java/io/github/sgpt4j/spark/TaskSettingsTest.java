package io.github.sgpt4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.sgpt4j.spark.partition.EngineSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TaskSettingsTest {
    private static final Path NONE = Path.of("none");

    private static EngineSettings of(EngineSettings settings, List<String> gpus, int cores) {
        return TaskSettings.of(settings, gpus, cores, NONE);
    }

    @Test
    void autoIsTheGpuOfTheTask() {
        EngineSettings auto = EngineSettings.DEFAULT;
        assertEquals("auto", of(auto, List.of(), 0).device());
        assertEquals("cuda:3", of(auto, List.of("3"), 0).device());
        assertEquals("cuda:0,2", of(auto, List.of("0", "2"), 0).device());
    }

    @Test
    void aDeviceThatWasSetStays() {
        assertEquals(
                "cpu",
                of(EngineSettings.DEFAULT.withDevice("cpu"), List.of("3"), 0).device());
        assertEquals(
                "cuda:1",
                of(EngineSettings.DEFAULT.withDevice("cuda:1"), List.of("3"), 0).device());
    }

    @Test
    void anAddressThatIsNoNumberIsRefused() {
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class, () -> of(EngineSettings.DEFAULT, List.of("GPU-5fd4f087"), 0));
        assertEquals(
                "resource \"gpu\": expected addresses that are numbers of GPUs, got \"GPU-5fd4f087\"; set the device instead",
                e.getMessage());
    }

    @Test
    void theEngineHasTheCoresOfTheExecutor() {
        assertEquals(0, of(EngineSettings.DEFAULT, List.of(), 0).threads());
        assertEquals(4, of(EngineSettings.DEFAULT, List.of(), 4).threads());
        assertEquals(2, of(EngineSettings.DEFAULT.withThreads(2), List.of(), 4).threads());
    }

    @Test
    void aModelMayBeSentWithTheJob(@TempDir Path files) throws IOException {
        Files.createDirectory(files.resolve("sent"));
        EngineSettings sent = EngineSettings.DEFAULT.withModel("sent");
        assertEquals(
                files.resolve("sent").toString(),
                TaskSettings.of(sent, List.of(), 0, files).model());
        assertEquals(
                "other",
                TaskSettings.of(sent.withModel("other"), List.of(), 0, files).model());
        assertEquals(
                "", TaskSettings.of(sent.withModel(""), List.of(), 0, files).model());
    }
}
