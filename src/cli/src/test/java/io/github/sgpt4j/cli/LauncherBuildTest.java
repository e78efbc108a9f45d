package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.cli.FakeCheckout.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// The launcher script and its builds: moved, copied, damaged, truncated, and started twice at the same time.
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the launcher is a bash script")
class LauncherBuildTest {
    private static final String BUILDING = "sgpt: building (on first use this can take a minute) ...\n";
    private static final String PREPARING = "sgpt: preparing for faster starts (once, some seconds) ...\n";

    @TempDir
    Path folder;

    private FakeCheckout checkout;

    @BeforeEach
    void makeCheckout() throws IOException {
        folder = folder.toRealPath();
        checkout = FakeCheckout.create(folder.resolve("checkout"), folder.resolve("jdk"));
    }

    /// Starts and expects the program of the current sources, run with this checkout's jars, and only `note` on
    /// stderr.
    private static Result expectRun(FakeCheckout checkout, String note) throws IOException, InterruptedException {
        Result result = checkout.start("embed", "a b");
        assertEquals(note, result.err());
        assertEquals(0, result.code());
        assertEquals(
                Files.readString(checkout.root().resolve("src/cli/src/main/Source"))
                        .strip(),
                result.value("program"));
        assertEquals(checkout.jar("picocli-1.jar") + ":" + checkout.programJar(), result.value("jars"));
        assertEquals("embed a b", result.value("arguments"));
        return result;
    }

    private static void expectFailure(FakeCheckout checkout, String sentence) throws IOException, InterruptedException {
        Result result = checkout.start("embed");
        assertEquals(sentence, result.err());
        assertEquals("", result.out());
        assertEquals(1, result.code());
    }

    private static void copy(Path from, Path to) throws IOException, InterruptedException {
        assertEquals(
                0,
                new ProcessBuilder("cp", "-Rp", from.toString(), to.toString())
                        .start()
                        .waitFor());
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(file);
            }
        }
    }

    private static List<Path> builds(FakeCheckout checkout) throws IOException {
        try (Stream<Path> files = Files.list(checkout.state())) {
            return files.filter(file -> file.getFileName().toString().startsWith("2"))
                    .toList();
        }
    }

    @Test
    void buildsOnceAndWhenSourcesChange() throws IOException, InterruptedException {
        Result first = expectRun(checkout, BUILDING);
        assertEquals(checkout.cache().toString(), first.value("cache"));
        expectRun(checkout, "");
        Files.writeString(checkout.root().resolve("src/cli/src/main/Source"), "second\n");
        expectRun(checkout, BUILDING);
        expectRun(checkout, "");
        assertEquals(2, checkout.builds());
        assertEquals(2, checkout.caches());
    }

    @Test
    void aMovedCheckoutRunsWithItsOwnJarsAndMakesItsCacheAgain() throws IOException, InterruptedException {
        expectRun(checkout, BUILDING);
        FakeCheckout moved = checkout.at(folder.resolve("moved to"));
        Files.move(checkout.root(), moved.root());
        assertEquals(moved.cache().toString(), expectRun(moved, PREPARING).value("cache"));
        assertEquals(moved.cache().toString(), expectRun(moved, "").value("cache"));
        assertEquals(1, moved.builds());
        assertEquals(2, moved.caches());
    }

    @Test
    void aCopyNeverRunsTheJarsOfTheOriginal() throws IOException, InterruptedException {
        expectRun(checkout, BUILDING);
        FakeCheckout copy = checkout.at(folder.resolve("copy"));
        copy(checkout.root(), copy.root());
        Files.writeString(checkout.programJar(), "another\n");
        expectRun(copy, PREPARING);
        delete(checkout.root());
        expectRun(copy, "");
        assertEquals(1, copy.builds());
    }

    @Test
    void aDamagedBuildIsMadeAgain() throws IOException, InterruptedException {
        expectRun(checkout, BUILDING);
        Files.delete(checkout.jar("picocli-1.jar"));
        expectRun(checkout, BUILDING);
        Files.writeString(checkout.programJar(), "");
        expectRun(checkout, BUILDING);
        Files.writeString(checkout.programJar(), "fir");
        expectRun(checkout, BUILDING);
        Files.writeString(checkout.programJar(), "other\n");
        expectRun(checkout, BUILDING);
        Files.delete(checkout.build().resolve("stamp"));
        expectRun(checkout, BUILDING);
        List<String> jars = Files.readAllLines(checkout.build().resolve("jars"));
        Files.write(checkout.build().resolve("jars"), jars.subList(0, 1));
        expectRun(checkout, BUILDING);
        delete(checkout.build());
        expectRun(checkout, BUILDING);
        expectRun(checkout, "");
    }

    @Test
    void aPointerToNoBuildLeadsToANewOne() throws IOException, InterruptedException {
        expectRun(checkout, BUILDING);
        Path current = checkout.state().resolve("current");
        for (String content : List.of("", "\n", "elsewhere\n", "..\n", "\0\0\0")) {
            Files.writeString(current, content);
            expectRun(checkout, BUILDING);
        }
        Files.delete(current);
        Files.createDirectories(current.resolve("folder"));
        expectRun(checkout, BUILDING);
        expectRun(checkout, "");
    }

    @Test
    void aBuildIsKeptWhileItIsInUse() throws IOException, InterruptedException {
        Path source = checkout.root().resolve("src/cli/src/main/Source");
        expectRun(checkout, BUILDING);
        Path first = checkout.build();
        Process running =
                new ProcessBuilder("bash", "-c", "exec -a \"$0\" sleep 60", first + "/lib/program.jar").start();
        try {
            for (String text : List.of("second\n", "third\n", "fourth\n")) {
                Files.writeString(source, text);
                expectRun(checkout, BUILDING);
            }
            assertEquals(3, builds(checkout).size(), "the current build, the one it replaced, and the one in use");
            assertTrue(Files.exists(first.resolve("lib/picocli-1.jar")));
        } finally {
            running.destroyForcibly().waitFor();
        }
        Files.writeString(source, "fifth\n");
        expectRun(checkout, BUILDING);
        assertFalse(Files.exists(first));
        assertEquals(2, builds(checkout).size());
    }

    @Test
    void whatCannotBeWrittenToIsUsedAsItIs() throws IOException, InterruptedException {
        expectRun(checkout, BUILDING);
        // Not even the superuser can write to a folder as if it were a file.
        Path lock = checkout.state().resolve("lock");
        Files.delete(lock);
        Files.createDirectory(lock);
        expectRun(checkout, "");
        FakeCheckout moved = checkout.at(folder.resolve("moved"));
        Files.move(checkout.root(), moved.root());
        assertEquals("none", expectRun(moved, "").value("cache"), "this cache is for jars at another place");
        Files.writeString(moved.root().resolve("src/cli/src/main/Source"), "second\n");
        expectFailure(
                moved,
                "sgpt: there is no build of these sources, and none can be made: cannot write to %s (Is a directory).\n"
                        .formatted(moved.state()));
    }

    @Test
    void aFullDiskIsToldInOneSentenceAndLeavesNoHalves() throws IOException, InterruptedException {
        String sentence = BUILDING
                + "sgpt: the build failed: no space is left on the disk of %s or of Maven's repository.\n"
                        .formatted(checkout.state());
        Path classes = checkout.root().resolve("src/cli/target/classes/Half.class");
        checkout.mavenDoes("""
                mkdir -p "$root/src/cli/target/classes"
                echo half >"$root/src/cli/target/classes/Half.class"
                echo "[ERROR] writing Half.class: No space left on device"
                exit 1
                """);
        expectFailure(checkout, sentence);
        assertTrue(builds(checkout).isEmpty());
        assertTrue(Files.exists(classes));
        checkout.mavenDoes("");
        // Here copying the jars fails.
        expectFailure(
                checkout.with(
                        "BASH_ENV",
                        Files.writeString(folder.resolve("environment"), """
                        case $0 in
                            */sgpt) cp() { echo "cp: error writing '$3': No space left on device" >&2; return 1; } ;;
                        esac
                        """).toString()),
                sentence);
        assertFalse(Files.exists(classes), "partial output of the failed build must not get into the next");
        assertTrue(builds(checkout).isEmpty());
        checkout.mavenDoes("");
        expectRun(checkout, BUILDING);
    }

    @Test
    void aMistakeInTheSourcesIsShown() throws IOException, InterruptedException {
        checkout.mavenDoes("echo '[INFO] compiling'; echo '[ERROR] Source:1: no'; exit 1");
        expectFailure(
                checkout,
                BUILDING
                        + "[ERROR] Source:1: no\nsgpt: the build failed; all of its output is in %s\n"
                                .formatted(checkout.state().resolve("build.log")));
        checkout.mavenDoes("");
        expectRun(checkout, BUILDING);
    }

    @Test
    void aBuildThatWasKilledIsMadeAgainFromTheStart() throws IOException, InterruptedException {
        Path classes = checkout.root().resolve("src/cli/target/classes/Half.class");
        checkout.mavenDoes("""
                mkdir -p "$root/src/cli/target/classes"
                echo half >"$root/src/cli/target/classes/Half.class"
                kill -9 $PPID
                exit 1
                """);
        assertEquals(137, checkout.start().code());
        checkout.mavenDoes("");
        expectRun(checkout, BUILDING);
        assertFalse(Files.exists(classes));
        assertEquals(1, builds(checkout).size());
        expectRun(checkout, "");
    }

    /// Maven continues when only the script is killed; its output must not become part of another build.
    @Test
    void theNextStartWaitsForTheMavenOfAKilledOne() throws IOException, InterruptedException {
        checkout.mavenDoes("kill -9 $PPID; sleep 0.5; echo end >>\"$root/order\"");
        Process killed = checkout.begin(Path.of("/"), List.of("bash", checkout.root() + "/sgpt"));
        assertEquals(137, killed.waitFor());
        checkout.mavenDoes("echo begin >>\"$root/order\"");
        expectRun(checkout, "sgpt: waiting for another sgpt that builds ...\n" + BUILDING);
        assertEquals("end\nbegin\n", Files.readString(checkout.root().resolve("order")));
    }

    @Test
    void twoAtOnceBuildOnce() throws IOException, InterruptedException {
        checkout.mavenDoes("sleep 0.3");
        List<String> command = List.of("bash", checkout.root() + "/sgpt");
        List<Process> starts = List.of(
                checkout.begin(Path.of("/"), command),
                checkout.begin(Path.of("/"), command),
                checkout.begin(Path.of("/"), command));
        for (Process start : starts) {
            Result result = FakeCheckout.end(start);
            assertEquals(0, result.code(), result.err());
            assertEquals("first", result.value("program"));
            assertEquals(checkout.cache().toString(), result.value("cache"));
        }
        assertEquals(1, checkout.builds());
        assertEquals(1, checkout.caches());
    }

    /// The lock for systems without flock, such as macOS.
    @Test
    void aLockOfAProcessThatEndedIsTaken() throws IOException, InterruptedException {
        expectRun(checkout, BUILDING);
        Process ended = new ProcessBuilder("true").start();
        ended.waitFor();
        Path lock = checkout.state().resolve("lock.by");
        Files.createSymbolicLink(lock, Path.of(Long.toString(ended.pid())));
        String script = "set -eu; state=$1; say() { echo \"$@\"; }; . \"$2/.mvn/build.sh\"; lock_by_link; "
                + "[ \"$(readlink \"$state/lock.by\")\" = $$ ] && echo held; unlock; "
                + "[ -L \"$state/lock.by\" ] || echo free";
        List<String> command = List.of(
                "bash",
                "-c",
                script,
                "bash",
                checkout.state().toString(),
                checkout.root().toString());
        Result result = checkout.run(Path.of("/"), command);
        assertEquals("held\nfree\n", result.out(), result.err());
        Process alive = new ProcessBuilder("sleep", "0.5").start();
        Files.createSymbolicLink(lock, Path.of(Long.toString(alive.pid())));
        assertEquals(
                "waiting for another sgpt that builds (process %d) ...\nheld\nfree\n".formatted(alive.pid()),
                checkout.run(Path.of("/"), command).out());
        assertFalse(alive.isAlive());
    }

    @Test
    void foldersMayHaveAnyNameThatAClassPathCanHold() throws IOException, InterruptedException {
        for (String name :
                List.of("a b", "it's \"quoted\"", "[a]*?", "$HOME", "back\\slash", "-n", "grün", "per%cent")) {
            expectRun(FakeCheckout.create(folder.resolve(name), folder.resolve("jdk")), BUILDING);
            expectRun(checkout.at(folder.resolve(name)), "");
        }
        for (String name : List.of("a:b", "a\nb")) {
            FakeCheckout bad = FakeCheckout.create(folder.resolve(name), folder.resolve("jdk"));
            expectFailure(
                    bad,
                    "sgpt: the path of this checkout, " + bad.root() + ", contains a colon or a line break, "
                            + "which Java's class path cannot express; rename the folder.\n");
            assertEquals(0, bad.builds());
        }
    }

    @Test
    void theScriptRunsFromAnywhere() throws IOException, InterruptedException {
        expectRun(checkout, BUILDING);
        Path links = Files.createDirectories(folder.resolve("links/deep"));
        Files.createSymbolicLink(links.resolve("one"), Path.of("../../checkout/sgpt"));
        Files.createSymbolicLink(folder.resolve("links/two"), Path.of("deep/one"));
        Files.createDirectories(folder.resolve("other/checkout"));
        FakeCheckout elsewhere = checkout.with("CDPATH", folder.resolve("other").toString());
        for (Map.Entry<Path, String> start : Map.of(
                        links,
                        "./one",
                        folder,
                        "links/two",
                        folder.resolve("links"),
                        "two",
                        folder.resolve("other"),
                        "../checkout/sgpt",
                        checkout.root(),
                        "sgpt")
                .entrySet()) {
            Result result = elsewhere.run(start.getKey(), List.of("bash", start.getValue()));
            assertEquals("", result.err());
            assertEquals("first", result.value("program"));
        }
        Result result = elsewhere.run(folder, List.of("bash", "checkout/sgpt"));
        assertEquals("", result.err(), "CDPATH leads elsewhere");
        assertEquals("first", result.value("program"));
        Files.copy(checkout.root().resolve("sgpt"), links.resolve("sgpt"));
        assertEquals(
                "sgpt: %s is no checkout of sgpt4j; make a symbolic link to this script, not a copy.\n"
                        .formatted(links),
                checkout.run(folder, List.of("bash", links + "/sgpt")).err());
    }

    @Test
    void theEnvironmentMayBePoor() throws IOException, InterruptedException {
        Files.createDirectories(folder.resolve("empty"));
        FakeCheckout poor =
                checkout.without("HOME").with("PATH", folder.resolve("empty").toString());
        Result result = poor.run(
                Path.of("/"),
                List.of("/bin/bash", checkout.root().resolve("sgpt").toString(), "embed"));
        assertEquals(BUILDING, result.err());
        assertEquals("first", result.value("program"));
    }
}
