package io.github.sgpt4j.weightstools;

import java.nio.file.Files;
import java.nio.file.Path;

/// Files outside the project, if they exist: the folder `shared` beside it, or `-Dsgpt4j.shared=…`.
public final class Shared {
    private Shared() {}

    public static Path file(String name) {
        String property = System.getProperty("sgpt4j.shared");
        if (property != null) {
            return Path.of(property).resolve(name);
        }
        Path root = Path.of("").toAbsolutePath();
        while (root.getParent() != null && !Files.exists(root.resolve("mvnw"))) {
            root = root.getParent();
        }
        return root.resolveSibling("shared").resolve(name);
    }
}
