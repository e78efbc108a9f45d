package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.sgpt4j.cli.console.Console;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// The scripts of `jmh/gpu`, which nobody runs before there is a GPU: what they name exists, no step stops the others,
/// and a report is left in any case. Programs are replaced by small scripts here.
@EnabledOnOs(value = OS.LINUX, disabledReason = "the scripts are for Linux")
@Timeout(300)
class FirstGpuRunTest {
    private static final Path ROOT = Path.of("..", "..");
    private static final Path SCRIPTS = ROOT.resolve("jmh/gpu");
    private static final ObjectMapper JSON = new ObjectMapper();

    private static final String TESTS = """
            io.github.sgpt4j.backend.RowContractTest
            io.github.sgpt4j.CudaFaultTest
            io.github.sgpt4j.CudaGoldenTest#scoresAgreeIn32Bits(java.lang.String)
            io.github.sgpt4j.CudaInterruptTest
            """;

    /// Answers like the programs that are started with Java.
    private static final String JAVA = """
            #!/usr/bin/env bash
            case "$*" in
                *fuseActivations=false*" bench "*) kill -SEGV $$ ;;
                *" bench "*)
                    echo 'a notice with "quotes", a \\ and a | line'
                    printf '{"model": "x", "tokens_per_second": {"median": 123456.78, "least": 1.0}, '
                    printf '"texts_per_second": {"median": 11.5}, "pairs_per_second": {"median": 7e2}, '
                    printf '"time": {"products": 0.9, "attention": 0.06, "rest": 0.04}}\\n'
                    ;;
                *CudaFaultTest*)
                    echo "0 passed, 0 failed, 9 skipped"
                    exit 77
                    ;;
                *RowContractTest*)
                    printf 'tab\\there, bell \\a, no UTF-8 \\xff\\n1 passed, 2 failed\\n'
                    exit 1
                    ;;
                *) echo "fine" ;;
            esac
            """;

    /// By options.
    private static final Map<List<String>, List<Step>> LISTS = new ConcurrentHashMap<>();

    private record Step(String name, int limit, List<String> words) {
        /// The words after the first that ends like this.
        List<String> after(String word) {
            for (int i = 0; i < words.size(); i++) {
                if (words.get(i).endsWith(word)) {
                    return words.subList(i + 1, words.size());
                }
            }
            return List.of();
        }
    }

    @TempDir
    private Path folder;

    private Path pack;

    @BeforeEach
    void copyScripts() throws IOException {
        pack = Files.createDirectory(folder.resolve("pack"));
        for (Path script : scripts("there")) {
            Files.copy(script, pack.resolve(script.getFileName().toString()));
        }
        Files.copy(SCRIPTS.resolve("compare.py"), pack.resolve("compare.py"));
        Files.writeString(pack.resolve("tests.txt"), TESTS);
    }

    private static List<Path> scripts(String below) throws IOException {
        try (Stream<Path> files = Files.list(SCRIPTS.resolve(below))) {
            return files.filter(file -> file.toString().endsWith(".sh")).toList();
        }
    }

    private String run(int expected, Map<String, String> environment, String... command)
            throws IOException, InterruptedException {
        Path out = folder.resolve("output");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(out.toFile());
        builder.environment().putAll(environment);
        builder.environment().remove("OUT");
        int code = builder.start().waitFor();
        String text = Files.readString(out, StandardCharsets.UTF_8);
        assertEquals(expected, code, text);
        return text;
    }

    /// What `--list` prints, which is the same for each test.
    private List<Step> steps(String... options) throws IOException, InterruptedException {
        List<Step> known = LISTS.get(List.of(options));
        if (known == null) {
            known = list(options);
            LISTS.put(List.of(options), known);
        }
        return known;
    }

    private List<Step> list(String... options) throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(List.of("bash", pack.resolve("run.sh").toString(), "--list"));
        command.addAll(List.of(options));
        // The shell itself takes the quotes of its commands off again.
        String text = run(0, Map.of(), command.toArray(String[]::new));
        List<Step> steps = new ArrayList<>();
        for (String line : text.lines().toList()) {
            String[] parts = line.split("\t");
            assertEquals(3, parts.length, line);
            steps.add(new Step(
                    parts[0],
                    Integer.parseInt(parts[1]),
                    List.of(parts[2].trim().split(" +"))));
        }
        return steps;
    }

    @Test
    void scriptsAreBash() throws IOException, InterruptedException {
        List<Path> all = new ArrayList<>(scripts("."));
        all.addAll(scripts("there"));
        assertTrue(all.size() >= 6, all::toString);
        for (Path script : all) {
            assertEquals(
                    "", run(0, Map.of(), "bash", "-n", script.toAbsolutePath().toString()));
        }
    }

    @Test
    void stepsHaveOneNameAndALimit() throws IOException, InterruptedException {
        Set<String> names = new HashSet<>();
        for (Step step : steps()) {
            assertTrue(names.add(step.name()), () -> step.name() + " twice");
            assertTrue(step.limit() > 0 && step.limit() <= 120, step::toString);
        }
        assertTrue(
                names.containsAll(List.of(
                        "devices-sgpt",
                        "kernels-fatbin",
                        "kernels-nvrtc",
                        "memcheck-attention-sizes",
                        "racecheck-rows",
                        "synccheck-pooling",
                        "initcheck-elements",
                        "fatbin-RowContractTest",
                        "nvrtc-CudaGoldenTest-scoresAgreeIn32Bits",
                        "memory-CudaInterruptTest",
                        "bench-4k",
                        "bench-8k",
                        "bench-16k",
                        "bench-32k",
                        "bench-query",
                        "bench-fp8",
                        "bench-5.8B",
                        "gelu-fused",
                        "gelu-unfused",
                        "graphs-off",
                        "graphs-on",
                        "compare-125M",
                        "compare-GPT2",
                        "compare-5.8B",
                        "compile-GPT2")),
                names::toString);
        assertFalse(names.contains("fatbin-CudaInterruptTest"), "it runs alone");
    }

    /// Tests end after a share of the time; into the rest fit the limits of everything that is measured in any case.
    @Test
    void everyMeasurementHasItsTurn() throws IOException, InterruptedException {
        String text = Files.readString(SCRIPTS.resolve("there/steps.sh"));
        var share = Pattern.compile("(?m)^readonly share_of_tests=(\\d+)$").matcher(text);
        assertTrue(share.find());
        int all = 6 * 60 - 2 * 3;
        int left = all - all * Integer.parseInt(share.group(1)) / 100;
        List<Step> measured = steps().stream()
                .dropWhile(step -> !step.name().startsWith("bench-"))
                .takeWhile(step -> !step.name().equals("compare-5.8B"))
                .toList();
        assertTrue(measured.size() >= 11, measured::toString);
        int limits = measured.stream().mapToInt(Step::limit).sum();
        assertTrue(limits <= left, () -> limits + " of " + left + " seconds");
    }

    @Test
    void onlySomeStepsCanBeChosen() throws IOException, InterruptedException {
        Set<String> names =
                steps("--only", "bench-4k,gelu").stream().map(Step::name).collect(Collectors.toSet());
        assertEquals(Set.of("bench-4k", "gelu-fused", "gelu-unfused"), names);
    }

    @Test
    void classesExist() throws IOException, InterruptedException {
        Set<String> classes = new TreeSet<>();
        Stream.concat(steps().stream(), steps("--practice", ".").stream())
                .flatMap(step -> step.words().stream())
                .map(word -> word.replaceFirst("\\\\.*|#.*", ""))
                .filter(word -> word.startsWith("io.github.sgpt4j.")
                        && Character.isUpperCase(word.charAt(word.lastIndexOf('.') + 1)))
                .forEach(classes::add);
        assertTrue(classes.contains("io.github.sgpt4j.jmh.ComparedModel"), classes::toString);
        assertTrue(classes.size() >= 6, classes::toString);
        for (String name : classes) {
            String file = name.replace('.', '/') + ".java";
            assertTrue(
                    Stream.of("src/engine/src/test/java", "src/cli/src/main/java", "jmh/src/main/java")
                            .anyMatch(sources ->
                                    Files.exists(ROOT.resolve(sources).resolve(file))),
                    name);
        }
    }

    @Test
    void commandsOfSgptAreAccepted() throws IOException, InterruptedException {
        int commands = 0;
        for (String mode : List.of("", "practice")) {
            for (Step step : mode.isEmpty() ? steps() : steps("--practice", ".")) {
                String[] arguments = step.after(Main.class.getName()).toArray(String[]::new);
                if (arguments.length > 0) {
                    assertDoesNotThrow(
                            () -> Main.commandLine(Console.ofProcess()).parseArgs(arguments), step::toString);
                    commands++;
                }
            }
        }
        assertTrue(commands >= 18, "only " + commands);
    }

    @Test
    void optionsOfTheComparisonExist() throws IOException, InterruptedException {
        String script = Files.readString(SCRIPTS.resolve("compare.py"));
        int options = 0;
        for (String mode : List.of("", "practice")) {
            for (Step step : mode.isEmpty() ? steps() : steps("--practice", ".")) {
                // The first option's value is a quoted command, with options of its own.
                List<String> words = step.after("/compare.py");
                for (String word : words.subList(Math.max(0, words.indexOf("--dtype")), words.size())) {
                    if (word.startsWith("--")) {
                        assertTrue(script.contains("add_argument(\"" + word + "\""), step::toString);
                        options++;
                    }
                }
                int shape = words.indexOf("--shape");
                assertTrue(shape < 0 || script.contains("\"" + words.get(shape + 1) + "\": ("), step::toString);
            }
        }
        assertTrue(options >= 30, "only " + options);
    }

    /// A kernel's test that belongs to no group would not be run under compute-sanitizer.
    @Test
    void everyTestOfAKernelIsInOneGroup() throws IOException, InterruptedException {
        Set<String> prefixes = steps().stream()
                .filter(step -> step.name().startsWith("memcheck-"))
                .flatMap(step -> step.after("/sources").stream())
                .collect(Collectors.toSet());
        Set<String> used = new HashSet<>();
        Pattern test = Pattern.compile("(?m)^SGPT_TEST\\((\\w+)\\)");
        try (Stream<Path> files = Files.list(ROOT.resolve("kernels/test"))) {
            for (Path file : files.filter(f -> f.toString().endsWith(".cpp")).toList()) {
                for (var match : test.matcher(Files.readString(file)).results().toList()) {
                    List<String> groups =
                            prefixes.stream().filter(match.group(1)::startsWith).toList();
                    assertEquals(1, groups.size(), () -> match.group(1) + ": " + groups);
                    used.addAll(groups);
                }
            }
        }
        assertEquals(prefixes, used);
    }

    private Path script(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
        assertTrue(file.toFile().setExecutable(true));
        return file;
    }

    private void archive(String name) throws IOException, InterruptedException {
        String file = pack.resolve(name + ".tar.xz").toString();
        run(0, Map.of(), "tar", "-C", folder.resolve(name).toString(), "-cJf", file, ".");
    }

    /// A machine with a driver and compute-sanitizer, whose Python lacks everything.
    private Map<String, String> fakeMachine() throws IOException, InterruptedException {
        script(folder.resolve("runtime/bin/java"), JAVA);
        script(folder.resolve("kernels/test/kernels"), "#!/usr/bin/env bash\necho usage, or kernels: 3 tests\n");
        Files.createDirectories(folder.resolve("java/lib"));
        for (String name : List.of("runtime", "java", "kernels")) {
            archive(name);
        }
        script(folder.resolve("bin/nvidia-smi"), "#!/usr/bin/env bash\necho NVIDIA Test, 580.1\n");
        script(folder.resolve("bin/python3"), "#!/usr/bin/env bash\necho no torch\nexit 3\n");
        script(
                folder.resolve("bin/compute-sanitizer"),
                "#!/usr/bin/env bash\nshift 6\n[ \"${1##*/}\" = kernels ] || exit 3\nexec \"$@\"\n");
        Map<String, String> environment = new HashMap<>();
        environment.put("PATH", folder.resolve("bin") + ":" + System.getenv("PATH"));
        return environment;
    }

    private JsonNode report() throws IOException {
        return JSON.readTree(folder.resolve("first-gpu/report.json").toFile());
    }

    private static Map<String, JsonNode> byName(JsonNode report) {
        Map<String, JsonNode> steps = new HashMap<>();
        report.get("steps").forEach(step -> steps.put(step.get("name").textValue(), step));
        return steps;
    }

    @Test
    void noStepStopsTheOthers() throws IOException, InterruptedException {
        Map<String, String> environment = fakeMachine();
        String printed = run(1, environment, "bash", pack.resolve("run.sh").toString());
        JsonNode report = report();
        assertTrue(report.get("finished").booleanValue());
        assertEquals("NVIDIA Test, 580.1", report.get("machine").textValue());
        Map<String, JsonNode> steps = byName(report);
        assertEquals(steps().stream().map(Step::name).collect(Collectors.toSet()), steps.keySet());
        Map<String, String> expected = Map.of(
                "devices-driver", "passed",
                "devices-python", "failed",
                "kernels-fatbin", "passed",
                "racecheck-rows", "passed",
                "fatbin-RowContractTest", "failed",
                "nvrtc-CudaFaultTest", "skipped",
                "nvrtc-CudaGoldenTest-scoresAgreeIn32Bits", "passed",
                "memory-CudaInterruptTest", "passed",
                "bench-32k", "passed",
                "compare-125M", "failed");
        expected.forEach((name, status) ->
                assertEquals(status, steps.get(name).get("status").textValue(), name));
        assertEquals("crashed", steps.get("gelu-unfused").get("status").textValue());
        String median = "/result/tokens_per_second/median";
        assertEquals(123456.78, steps.get("bench-32k").at(median).doubleValue());
        assertEquals(
                "1 passed, 2 failed",
                steps.get("fatbin-RowContractTest").get("lines").get(1).textValue());
        assertTrue(printed.contains("| bench-32k | 123456.8 | 11.5 | 700.0 | 0.90 | 0.06 | 0.04 |"), printed);
        assertEquals(Files.readString(folder.resolve("first-gpu/report.md")), printed);
        try (Stream<Path> files = Files.list(folder.resolve("first-gpu"))) {
            assertEquals(
                    Set.of("report.md", "report.json", "logs.tar.gz"),
                    files.map(file -> file.getFileName().toString()).collect(Collectors.toSet()));
        }
    }

    @Test
    void aSanitizerThatIsNotThereIsAReason() throws IOException, InterruptedException {
        Map<String, String> environment = fakeMachine();
        environment.put("SGPT_SANITIZER", folder.resolve("none").toString());
        run(0, environment, "bash", pack.resolve("run.sh").toString(), "--only", "unpack,memcheck-rows");
        JsonNode step = byName(report()).get("memcheck-rows");
        assertEquals("left out", step.get("status").textValue());
        assertTrue(step.get("lines").get(0).textValue().contains("no compute-sanitizer"), step::toString);
    }

    /// The report of a shell that sources report.sh and then does this.
    private JsonNode runSteps(String commands) throws IOException, InterruptedException {
        String script = """
                set -u
                shopt -s nullglob
                out=$PWD/first-gpu deadline=60 processes=2 chosen=() listing=
                mkdir "$out"
                . pack/report.sh
                start_report
                trap 'rm -rf "$records" "$logs"' EXIT
                """ + commands + "\nfinished=yes\nwrite_report\n";
        run(0, Map.of(), "bash", "-c", script);
        return report();
    }

    @Test
    void aStepThatTakesTooLongIsEnded() throws IOException, InterruptedException {
        Map<String, JsonNode> steps = byName(runSteps("""
                step slow 2 bash -c 'echo begun; sleep 100'
                step next 5 echo done
                deadline=$SECONDS
                step late 5 echo done
                """));
        assertEquals("time limit", steps.get("slow").get("status").textValue());
        assertEquals("begun", steps.get("slow").get("lines").get(0).textValue());
        assertTrue(steps.get("slow").get("seconds").doubleValue() < 30);
        assertEquals("passed", steps.get("next").get("status").textValue());
        assertEquals("not run: no time left", steps.get("late").get("status").textValue());
        String markdown = Files.readString(folder.resolve("first-gpu/report.md"));
        assertTrue(markdown.contains("What there was no time for: `run.sh --only late`"), markdown);
    }

    @Test
    void aStepThatNeedsMoreThanIsLeftIsNotStarted() throws IOException, InterruptedException {
        Map<String, JsonNode> steps = byName(runSteps("""
                deadline=$((SECONDS + 30))
                least=31
                step long 60 echo done
                least=2
                step short 60 echo done
                """));
        assertEquals("not run: no time left", steps.get("long").get("status").textValue());
        assertEquals("passed", steps.get("short").get("status").textValue());
    }

    /// Only the limit of the step itself is called so.
    @Test
    void aStepThatIsKilledByOthersHasCrashed() throws IOException, InterruptedException {
        Map<String, JsonNode> steps = byName(runSteps("""
                step killed 20 bash -c 'kill -KILL $$'
                step aborted 20 bash -c 'kill -ABRT $$'
                step odd 20 bash -c 'exit 124'
                """));
        assertEquals("crashed", steps.get("killed").get("status").textValue());
        assertEquals("crashed", steps.get("aborted").get("status").textValue());
        assertEquals("failed", steps.get("odd").get("status").textValue());
    }

    @Test
    void whatAStepHadMeasuredBeforeItWasEndedIsInTheReport() throws IOException, InterruptedException {
        JsonNode step = byName(runSteps("""
                        export logs
                        step slow 2 bash -c 'trap "" TERM
                            echo "{\\"rate\\": 7}" >"$logs/slow.json"
                            printf "| a |\\n| --- |\\n| 7 |\\n" >"$logs/slow.md"
                            while :; do sleep 1; done'
                        """)).get("slow");
        assertEquals("time limit", step.get("status").textValue());
        assertEquals(7, step.at("/result/rate").intValue());
        assertTrue(Files.readString(folder.resolve("first-gpu/report.md")).contains("| a |\n| --- |\n| 7 |\n"));
    }

    /// Each of the two waits for the other.
    @Test
    void stepsRunBesideEachOther() throws IOException, InterruptedException {
        String meet = "'touch %s; while ! [ -e %s ]; do sleep 0.1; done'";
        Map<String, JsonNode> steps = byName(runSteps("beside a 30 bash -c " + meet.formatted("a", "b")
                + "\nbeside b 30 bash -c " + meet.formatted("b", "a") + "\ntogether\n"));
        assertEquals("passed", steps.get("a").get("status").textValue());
        assertEquals("passed", steps.get("b").get("status").textValue());
    }

    @Test
    void aRunThatIsEndedLeavesWhatItHadAndNoProcess() throws IOException, InterruptedException {
        Map<String, String> environment = fakeMachine();
        Path child = folder.resolve("child");
        script(folder.resolve("bin/nvidia-smi"), "#!/usr/bin/env bash\necho $$ >" + child + "\nexec sleep 200\n");
        ProcessBuilder builder = new ProcessBuilder(
                        "bash", pack.resolve("run.sh").toString())
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("output").toFile());
        builder.environment().putAll(environment);
        builder.environment().remove("OUT");
        Process process = builder.start();
        while (process.isAlive() && !(Files.exists(child) && Files.size(child) > 1)) {
            Thread.sleep(50);
        }
        long sleeper = Long.parseLong(Files.readString(child).trim());
        process.destroy();
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(143, process.exitValue(), () -> "exit code");
        JsonNode report = report();
        assertFalse(report.get("finished").booleanValue());
        assertEquals("passed", byName(report).get("unpack-java").get("status").textValue());
        assertEquals(
                "not finished",
                byName(report).get("devices-driver").get("status").textValue());
        assertTrue(Files.readString(folder.resolve("first-gpu/report.md")).contains("**Not finished.**"));
        assertTrue(Files.exists(folder.resolve("first-gpu/logs.tar.gz")));
        while (ProcessHandle.of(sleeper).filter(ProcessHandle::isAlive).isPresent()) {
            Thread.sleep(50);
        }
    }
}
