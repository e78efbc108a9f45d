package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// `src/docs/architecture.md` and the tree agree: the page names every module and every package of the engine and the
/// command line, and no package that does not exist.
class ArchitecturePageTest {
    private static final Path ROOT = Path.of("..", "..");
    private static final Pattern MODULE = Pattern.compile("<module>(.*)</module>");
    private static final Pattern ROW = Pattern.compile("(?m)^\\| (`[^|]*`) \\|");
    private static final Pattern NAME = Pattern.compile("`([\\w./-]+)`");

    private static String page() throws IOException {
        return Files.readString(ROOT.resolve("src/docs/architecture.md"));
    }

    /// Names in the first column of the table under a heading.
    private static Set<String> names(String heading) throws IOException {
        String section = page().split("## " + heading + "\n", 2)[1].split("\n## ", 2)[0];
        return ROW.matcher(section)
                .results()
                .flatMap(row -> NAME.matcher(row.group(1)).results())
                .map(match -> match.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /// Packages with classes, without their common prefix and without the root package.
    private static Set<String> packages(String module, String root) throws IOException {
        Path sources =
                ROOT.resolve(module).resolve("src/main/java/io/github/sgpt4j").normalize();
        try (Stream<Path> files = Files.walk(sources)) {
            return files.filter(file -> file.toString().endsWith(".java"))
                    .map(file -> sources.relativize(file.getParent()).toString().replace('\\', '/'))
                    .map(folder -> folder.replace('/', '.'))
                    .filter(name -> !name.equals(root))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    @Test
    void everyModuleIsNamed() throws IOException {
        String pom = Files.readString(ROOT.resolve("pom.xml"));
        Set<String> modules =
                MODULE.matcher(pom).results().map(MatchResult::group).collect(Collectors.toCollection(TreeSet::new));
        assertTrue(modules.size() > 5, modules::toString);
        Set<String> folders = names("Modules");
        for (String module : modules) {
            String folder = module.replaceAll("</?module>", "");
            assertTrue(folders.contains(folder), () -> folder + " is not in " + folders);
        }
    }

    @Test
    void thePackagesOfTheEngineAreNamed() throws IOException {
        assertEquals(packages("src/engine", ""), names("Packages of the engine"));
    }

    @Test
    void thePackagesOfTheCommandLineAreNamed() throws IOException {
        Set<String> named = names("Packages of the command line");
        named.remove("cli");
        named.remove("sgpt4j-cli");
        assertEquals(packages("src/cli", "cli"), named);
    }
}
