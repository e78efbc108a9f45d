package io.github.sgpt4j.retrieval.evaluation;

import static org.junit.jupiter.api.Assumptions.abort;

import java.nio.file.Files;
import java.nio.file.Path;

/// Collections beside the project, not in it: `shared/data` in some parent folder.
final class SharedData {
    private SharedData() {}

    /// The folder of that name; the calling test is skipped if there is none.
    static Path folder(String name) {
        for (Path above = Path.of("").toAbsolutePath(); above != null; above = above.getParent()) {
            Path folder = above.resolve("shared").resolve("data").resolve(name);
            if (Files.isDirectory(folder)) {
                return folder;
            }
        }
        return abort("needs the collection shared/data/" + name + " beside the project");
    }
}
