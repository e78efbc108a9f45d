package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Rules for names in the sources of every module.
class NamesTest {
    private static final Path ROOT = Path.of("..", "..");

    private static final Pattern OTHER_BOUND = Pattern.compile(
            "static final [\\w<>]+ (?:MOST|LEAST|FEWEST|LONGEST|SHORTEST|SMALLEST|LARGEST|BIGGEST|HIGHEST"
                    + "|LOWEST|OLDEST|WIDEST|DEEPEST)(?:_\\w+)? =");

    private static List<Path> sources(String folder) throws IOException {
        try (Stream<Path> files = Files.walk(ROOT.resolve(folder))) {
            return files.filter(file -> file.toString().endsWith(".java")).toList();
        }
    }

    /// A class name is unambiguous within a module, whatever a file imports.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "src/engine/src/main/java",
                "src/retrieval/src/main/java",
                "src/training/src/main/java",
                "src/nano/src/main/java",
                "src/langchain4j/src/main/java",
                "src/spark/src/main/java",
                "src/spring-ai/src/main/java",
                "src/spring-ai-autoconfigure/src/main/java",
                "src/cli/src/main/java",
                "weights-tools/src/main/java",
                "jmh/src/main/java"
            })
    void noTwoClassesOfAModuleHaveOneName(String folder) throws IOException {
        Map<String, Path> byName = new HashMap<>();
        List<String> twice = new ArrayList<>();
        for (Path file : sources(folder)) {
            Path other = byName.put(file.getFileName().toString(), file);
            if (other != null && !file.endsWith("package-info.java")) {
                twice.add(other + " and " + file);
            }
        }
        assertTrue(byName.size() > 1, folder);
        assertEquals(List.of(), twice);
    }

    /// Bounds are recognised by their first word.
    @Test
    void boundsAreNamedMaxOrMin() throws IOException {
        Set<String> found = new TreeSet<>();
        for (String folder : List.of("src", "weights-tools/src", "jmh/src")) {
            for (Path file : sources(folder)) {
                if (OTHER_BOUND.matcher(Files.readString(file)).find()) {
                    found.add(file.getFileName().toString());
                }
            }
        }
        assertEquals(Set.of(), found);
    }
}
