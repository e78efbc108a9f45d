package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// `src/examples`: what its projects share, and the one that needs no build. The Maven project is a module of the
/// build.
class ExamplesTest {
    private static final Path EXAMPLES = Path.of("..", "examples");

    private static String run(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                EXAMPLES.resolve("plain-java/Similarity.java").toString()));
        command.addAll(List.of(arguments));
        Process java = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String out = new String(java.getInputStream().readAllBytes());
        assertEquals(0, java.waitFor());
        return out.strip();
    }

    @Test
    void aSourceFileRunsWithoutABuild() throws IOException, InterruptedException {
        float near = Float.parseFloat(run("being afraid of insects", "a morbid fear of spiders"));
        float far = Float.parseFloat(run("being afraid of insects", "a small boat"));
        assertTrue(near > far + 0.1f, near + " and " + far);
        assertTrue(near <= 1, Float.toString(near));
    }

    @Test
    void gradleAndMavenRunTheSameProgram() throws IOException {
        String program = "src/main/java/example/Ranking.java";
        assertEquals(
                Files.readString(EXAMPLES.resolve("maven").resolve(program)),
                Files.readString(EXAMPLES.resolve("gradle").resolve(program)));
    }
}
