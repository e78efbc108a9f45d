package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.cli.console.StandardError;
import io.github.sgpt4j.retrieval.SearchMode;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// The parts that the launcher script relies on: choosing a JDK without starting one, and passing on stderr.
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the launcher is a bash script")
class LauncherTest {
    private static Path root;

    @TempDir
    Path folder;

    @BeforeAll
    static void findRoot() {
        root = Path.of("").toAbsolutePath();
        while (!Files.exists(root.resolve("sgpt"))) {
            root = root.getParent();
        }
    }

    @Test
    void takesTheNamedJdkWhenItIsNewEnough() throws IOException, InterruptedException {
        Path jdk = fakeJdk("jdk one", "JAVA_VERSION=\"25.0.3\"");
        assertEquals(jdk.toString(), findJdk(25, jdk));
    }

    @Test
    void readsVersionsOfEveryForm() throws IOException, InterruptedException {
        assertEquals(
                "25", major(fakeJdk("a", "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"25\"\nJAVA_VERSION_DATE=\"2026-04-21\"")));
        assertEquals("26", major(fakeJdk("b", "JAVA_VERSION=\"26-ea\"")));
        assertEquals("8", major(fakeJdk("c", "JAVA_VERSION=\"1.8.0_402\"")));
        assertEquals("", major(fakeJdk("d", "OS_NAME=\"Linux\"")));
        assertEquals("", major(folder.resolve("absent")));
    }

    @Test
    void passesOverAnOlderJdkAndOneWithoutCompiler() throws IOException, InterruptedException {
        Path older = fakeJdk("older", "JAVA_VERSION=\"99.0.1\"");
        Path runtime = fakeJdk("runtime", "JAVA_VERSION=\"100\"");
        Files.delete(runtime.resolve("bin/javac"));
        assertEquals("none", findJdk(100, older));
        assertEquals("none", findJdk(100, runtime));
        assertEquals(older.toString(), findJdk(99, older));
    }

    @Test
    void writesErrorsToTheDescriptorThatTheScriptNames() throws IOException, InterruptedException {
        List<String> command = List.of(
                "bash",
                "-c",
                "exec 3>&2 2>/dev/null; exec \"$@\"",
                "bash",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-opens=java.base/java.io=ALL-UNNAMED",
                "-Dsgpt4j.stderr=3",
                "-cp",
                System.getProperty("java.class.path"),
                Complaint.class.getName());
        assertEquals("grün", run(command, List.of()));
    }

    /// Without one of its libraries, the command fails with one sentence and prints the marker on descriptor 2.
    @Test
    void aBrokenClassLetsTheScriptCompareItsFiles() throws IOException, InterruptedException, URISyntaxException {
        Path library = Path.of(SearchMode.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        String classPath = Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> !Path.of(entry).toAbsolutePath().normalize().equals(library))
                .collect(Collectors.joining(File.pathSeparator));
        List<String> command = List.of(
                "bash",
                "-c",
                "exec 3>/dev/null; \"$@\" || [ $? = 1 ]",
                "bash",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector",
                "--add-opens=java.base/java.io=ALL-UNNAMED",
                "-Dsgpt4j.stderr=3",
                "-cp",
                classPath,
                Breakage.class.getName());
        assertEquals("sgpt: check", run(command, List.of()).lines().reduce("", (first, last) -> last));
    }

    @Test
    void closedDescriptorsAreNotThoseOfOtherFiles() throws IOException, InterruptedException {
        String guard = Files.readAllLines(root.resolve("sgpt")).stream()
                .filter(line -> line.contains("|| exec "))
                .reduce("set -eu\n", (a, b) -> a + b + "\n");
        assertEquals("end", run(List.of("bash", "-c", "exec <&-; " + guard + "cat; echo end"), List.of()));
        assertEquals("out", run(List.of("bash", "-c", "exec 2>&-; " + guard + "echo out; echo err >&2"), List.of()));
    }

    /// Writes one line to the stderr that the launcher passed on.
    static final class Complaint {
        public static void main(String[] arguments) {
            StandardError.restore();
            System.err.println("grün");
        }
    }

    /// Runs a command like the launcher.
    static final class Breakage {
        public static void main(String[] arguments) {
            Main.main(new String[] {"tokenize", "a"});
        }
    }

    private static String findJdk(int major, Path candidate) throws IOException, InterruptedException {
        return script("if find_jdk " + major + "; then echo \"$jdk\"; else echo none; fi", candidate);
    }

    private static String major(Path jdk) throws IOException, InterruptedException {
        return script("jdk_major \"$SGPT_JAVA_HOME\"; echo \"$major\"", jdk);
    }

    private static String script(String command, Path candidate) throws IOException, InterruptedException {
        String text = "set -eu; . '" + root + "/.mvn/jdk.sh'; " + command;
        return run(List.of("bash", "-c", text), List.of("SGPT_JAVA_HOME=" + candidate));
    }

    private static String run(List<String> command, List<String> environment) throws IOException, InterruptedException {
        List<String> whole = new ArrayList<>(List.of("env", "LC_ALL=C.UTF-8"));
        whole.addAll(environment);
        whole.addAll(command);
        Process process = new ProcessBuilder(whole).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertEquals(0, process.waitFor(), output);
        return output;
    }

    private Path fakeJdk(String name, String release) throws IOException {
        Path home = folder.resolve(name);
        Files.createDirectories(home.resolve("bin"));
        Files.writeString(home.resolve("release"), release);
        for (String tool : List.of("java", "javac")) {
            Path file = Files.writeString(home.resolve("bin").resolve(tool), "");
            assertTrue(file.toFile().setExecutable(true));
        }
        return home;
    }
}
