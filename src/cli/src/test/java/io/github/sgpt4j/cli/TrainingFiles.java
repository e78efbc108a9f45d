package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/// What tests of `sgpt train` write and compare.
final class TrainingFiles {
    private TrainingFiles() {}

    /// Rows with a negative each; different for each `kind`.
    static Path rows(Path folder, String kind, int count) throws IOException {
        List<String> rows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            rows.add("{\"query\": \"%s number %d\", \"positive\": \"the %s %d\", \"negative\": \"a %s other than %d\"}"
                    .formatted(kind, i, kind, i * i, kind, i));
        }
        return Files.write(folder.resolve(kind + ".jsonl"), rows);
    }

    /// All files of a folder by name; of the curve, only what does not depend on time.
    static Map<String, String> contents(Path folder) throws IOException {
        Map<String, String> contents = new TreeMap<>();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String name = folder.relativize(file).toString();
                contents.put(
                        name,
                        name.equals("curve.jsonl")
                                ? withoutTimes(file)
                                : Files.readString(file, StandardCharsets.ISO_8859_1));
            }
        }
        return contents;
    }

    private static String withoutTimes(Path curve) throws IOException {
        List<String> lines = new ArrayList<>();
        for (String line : Files.readAllLines(curve)) {
            ObjectNode node = (ObjectNode) Cli.parse(line);
            node.remove(List.of("seconds", "tokens_per_second"));
            lines.add(node.toString());
        }
        return String.join("\n", lines);
    }

    /// Runs the command; it must succeed.
    static Cli.Result train(List<String> arguments) {
        Cli.Result result = Cli.run(arguments.toArray(String[]::new));
        assertEquals(0, result.code(), result.err());
        return result;
    }

    /// The settings in the README of a trained model.
    static Map<String, String> settings(Path made) throws IOException {
        Map<String, String> settings = new TreeMap<>();
        for (String line : Files.readAllLines(made.resolve("README.md"))) {
            String[] cells = line.split("\\|");
            if (cells.length == 3) {
                settings.put(cells[1].strip(), cells[2].strip());
            }
        }
        return settings;
    }
}
