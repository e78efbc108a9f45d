package io.github.sgpt4j.weightstools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Messages of the libraries name calls of their own, not commands; the command line adds its own
/// advice.
class LibraryMessagesTest {
    private static final Pattern VERB = Pattern.compile("\\bsgpt [a-z]+\\b");

    @Test
    void noMessageOfALibraryRecommendsACommand() throws IOException {
        List<String> found = new ArrayList<>();
        int files = 0;
        for (String module : List.of("../src/engine", "../src/retrieval", "../src/training", "../src/nano", ".")) {
            try (Stream<Path> sources = Files.walk(Path.of(module, "src/main/java"))) {
                for (Path source : sources.filter(file -> file.toString().endsWith(".java"))
                        .toList()) {
                    files++;
                    Files.readAllLines(source).stream()
                            .filter(line -> !line.strip().startsWith("//"))
                            .filter(line -> VERB.matcher(line).find())
                            .forEach(line -> found.add(source + ": " + line.strip()));
                }
            }
        }
        assertTrue(files > 100, files + " files");
        assertEquals(List.of(), found);
    }
}
