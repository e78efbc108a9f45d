package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// `src/docs/reliability.md`: each promise names tests that exist.
class ReliabilityPageTest {
    private static final Path ROOT = Path.of("..", "..");
    private static final Pattern ROW = Pattern.compile("(?m)^\\| (?!promise |---)(.*) \\| (.*) \\|$");
    private static final Pattern TEST = Pattern.compile("`(\\w+)(?:\\.(\\w+))?`");

    @Test
    void everyPromiseNamesTestsThatExist() throws IOException {
        List<Path> sources = testSources();
        List<MatchResult> rows = ROW.matcher(Files.readString(ROOT.resolve("src/docs/reliability.md")))
                .results()
                .toList();
        assertAll(rows.stream().map(row -> () -> {
            List<MatchResult> tests = TEST.matcher(row.group(2)).results().toList();
            assertTrue(!tests.isEmpty(), () -> "no test for: " + row.group(1));
            for (MatchResult test : tests) {
                assertTrue(
                        exists(sources, test.group(1), test.group(2)),
                        () -> test.group() + " is no test: " + row.group(1));
            }
        }));
    }

    private static List<Path> testSources() throws IOException {
        try (Stream<Path> files = Files.find(
                ROOT,
                20,
                (file, attributes) -> file.toString().contains("src/test/java") && attributes.isRegularFile())) {
            return files.toList();
        }
    }

    private static boolean exists(List<Path> sources, String name, String method) throws IOException {
        for (Path source : sources) {
            if (source.endsWith(name + ".java")) {
                Matcher declared = Pattern.compile("void " + method + "\\(").matcher(Files.readString(source));
                return method == null || declared.find();
            }
        }
        return false;
    }
}
