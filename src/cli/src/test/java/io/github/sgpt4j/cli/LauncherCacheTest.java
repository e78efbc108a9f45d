package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.cli.FakeCheckout.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// The launcher script and the ahead-of-time caches that it passes to Java: damaged caches, other JDKs, and the
/// caller's options.
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the launcher is a bash script")
class LauncherCacheTest {
    private static final String BUILDING = "sgpt: building (on first use this can take a minute) ...\n";
    private static final String PREPARING = "sgpt: preparing for faster starts (once, some seconds) ...\n";

    /// The virtual machine's output when it rejects a cache.
    private static final String REFUSAL = """
            echo "[aot] The AOT cache was created by a different version or build of HotSpot" >&2
            echo "[   ] The saved state is different." >&2
            """;

    @TempDir
    Path folder;

    private FakeCheckout checkout;

    @BeforeEach
    void build() throws IOException, InterruptedException {
        folder = folder.toRealPath();
        checkout = FakeCheckout.create(folder.resolve("checkout"), folder.resolve("jdk"));
        assertEquals(0, checkout.start().code());
    }

    private static Result expectCache(FakeCheckout checkout, String note) throws IOException, InterruptedException {
        Result result = checkout.start("embed");
        assertEquals(note, result.err());
        assertEquals(0, result.code());
        assertEquals("first", result.value("program"));
        assertEquals(checkout.cache().toString(), result.value("cache"));
        assertFalse(result.out().contains("damaged"), result.out());
        return result;
    }

    /// Changes a file's bytes but not its time, like a failing disk.
    private static void decay(Path file) throws IOException {
        FileTime time = Files.getLastModifiedTime(file);
        byte[] content = Files.readAllBytes(file);
        content[3] ^= 4;
        Files.write(file, content);
        Files.setLastModifiedTime(file, time);
    }

    @Test
    void aCacheThatWasCutEmptiedReplacedOrDeletedIsMadeAgain() throws IOException, InterruptedException {
        expectCache(checkout, "");
        Files.writeString(checkout.cache(), "classes");
        expectCache(checkout, PREPARING);
        Files.writeString(checkout.cache(), "");
        expectCache(checkout, PREPARING);
        Files.writeString(checkout.cache(), "classes leArned\n");
        expectCache(checkout, PREPARING);
        Files.delete(checkout.cache());
        expectCache(checkout, PREPARING);
        Files.delete(checkout.cache());
        Files.createDirectory(checkout.cache());
        expectCache(checkout, PREPARING);
        for (String record : List.of("", "\n", "12 x\n", "1 16\n", "failed")) {
            Files.writeString(checkout.cache().resolveSibling(made()), record);
            expectCache(checkout, PREPARING);
        }
        expectCache(checkout, "");
        assertEquals(1, checkout.builds());
    }

    private String made() throws IOException {
        return checkout.cache().getFileName().toString().replace(".aot", ".made");
    }

    @Test
    void aCacheThatDecayedIsMadeAgainOnceItWasRefused() throws IOException, InterruptedException {
        decay(checkout.cache());
        checkout.javaDoes(REFUSAL);
        assertEquals(
                "sgpt: the cache for faster starts, %s, was damaged; the next start makes it again.\n"
                        .formatted(checkout.cache()),
                checkout.start().err());
        checkout.javaDoes("");
        expectCache(checkout, PREPARING);
    }

    @Test
    void aRefusedCacheWithoutDamageIsNoTrouble() throws IOException, InterruptedException {
        checkout.javaDoes(REFUSAL);
        expectCache(checkout, "");
        expectCache(checkout, "");
        assertEquals(1, checkout.caches());
    }

    @Test
    void aCrashLeadsToALookIntoTheFiles() throws IOException, InterruptedException {
        // Like the virtual machine, which runs the command of -XX:OnError on a fatal error.
        checkout.javaDoes("""
                for option in "$@"; do
                    case $option in
                        -XX:OnError=*) sh -c "${option#*=}"; kill -ABRT $$ ;;
                    esac
                done
                """);
        Result intact = checkout.start();
        assertEquals("", intact.err());
        assertEquals(134, intact.code());
        decay(checkout.cache());
        assertTrue(checkout.start().err().endsWith("was damaged; the next start makes it again.\n"));
        checkout.javaDoes("");
        expectCache(checkout, PREPARING);
    }

    @Test
    void jarsThatDecayedAreMadeAgainAfterAFailure() throws IOException, InterruptedException {
        decay(checkout.jar("picocli-1.jar"));
        for (String mark : List.of(
                "Exception in thread \"main\" java.lang.NoClassDefFoundError: picocli/CommandLine",
                "Error: Could not find or load main class io.github.sgpt4j.cli.Main")) {
            checkout.javaDoes("echo '" + mark + "' >&2; exit 1");
            assertEquals(
                    mark + "\nsgpt: the jars in " + checkout.build().resolve("lib")
                            + " were damaged; the next start makes them again.\n",
                    checkout.start().err());
            checkout.javaDoes("");
            expectCache(checkout, BUILDING);
            decay(checkout.programJar());
        }
    }

    @Test
    void aCacheThatCannotBeMadeIsToldOnceAndTriedAgainAfterADay() throws IOException, InterruptedException {
        Files.delete(checkout.cache());
        Path made = checkout.cache().resolveSibling(made());
        checkout.javaDoes("case $* in *AOTMode=create*) exit 1 ;; esac");
        Result failed = checkout.start();
        assertEquals(
                PREPARING + "sgpt: cannot make the cache for faster starts (its output is in "
                        + checkout.state().resolve("cache.log") + "); everything works without.\n",
                failed.err());
        assertEquals("none", failed.value("cache"));
        checkout.javaDoes("");
        assertEquals("none", checkout.start().value("cache"));
        Files.setLastModifiedTime(made, FileTime.from(Instant.now().minus(Duration.ofDays(3))));
        expectCache(checkout, PREPARING);
    }

    @Test
    void anInterruptIsNoFailureToMakeACache() throws IOException, InterruptedException {
        Files.delete(checkout.cache());
        // The exit code of Java and Maven after the signal.
        checkout.javaDoes("case $* in *AOTMode=record*) exit 130 ;; esac");
        Result interrupted = checkout.start();
        assertEquals(130, interrupted.code());
        assertEquals("", interrupted.out());
        assertEquals(PREPARING, interrupted.err());
        checkout.javaDoes("");
        expectCache(checkout, PREPARING);
        Files.delete(checkout.programJar());
        checkout.mavenDoes("exit 130");
        interrupted = checkout.start();
        assertEquals(130, interrupted.code());
        assertEquals(BUILDING, interrupted.err());
        checkout.mavenDoes("");
        expectCache(checkout, BUILDING);
    }

    @Test
    void aKillWhileTheCacheIsMadeLeavesNoHalf() throws IOException, InterruptedException {
        Files.delete(checkout.cache());
        checkout.javaDoes("""
                case $* in *AOTMode=create*)
                    for option in "$@"; do
                        case $option in -XX:AOTCache=*) echo half >"${option#*=}" ;; esac
                    done
                    kill -9 "$(ps -o ppid= -p $PPID)" $PPID ;;
                esac
                """);
        assertEquals(137, checkout.start().code());
        checkout.javaDoes("");
        expectCache(checkout, PREPARING);
    }

    @Test
    void everyJdkHasItsCacheAndANewerOneInItsPlaceAnother() throws IOException, InterruptedException {
        Path second = folder.resolve("jdks/a:b/second");
        FakeCheckout.create(folder.resolve("unused"), second);
        FakeCheckout other = checkout.on(second);
        expectCache(other, PREPARING);
        expectCache(checkout, "");
        expectCache(other, "");
        // Package managers preserve file times, so a new file may be older than the last use of the one it
        // replaces.
        Path release = second.resolve("release");
        Files.writeString(release, "JAVA_VERSION=\"25.0.2\"\n");
        Files.setLastModifiedTime(release, FileTime.from(Instant.EPOCH));
        expectCache(other, PREPARING);
        expectCache(other, "");
        expectCache(checkout, "");
    }

    @Test
    void theCallerMayChooseACollector() throws IOException, InterruptedException {
        assertEquals("-XX:+UseParallelGC", checkout.start().value("collectors"));
        for (String name : List.of("SGPT_JAVA_OPTS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")) {
            for (String collector : List.of("Serial", "Parallel", "G1", "Z", "Shenandoah", "Epsilon")) {
                String option = "-XX:+Use" + collector + "GC";
                String expected = name.equals("SGPT_JAVA_OPTS") ? option : "";
                Result result = expectCache(checkout.with(name, "-Xmx1g  " + option + " -Da=*"), "");
                assertEquals(expected, result.value("collectors"));
            }
        }
        assertEquals(
                "-XX:+UseParallelGC",
                expectCache(
                                checkout.with(
                                        "SGPT_JAVA_OPTS",
                                        "-XX:-UseDynamicNumberOfGCThreads -XX:+UseStringDeduplication"),
                                "")
                        .value("collectors"));
    }

    @Test
    void theCallerMayNameAnotherArchive() throws IOException, InterruptedException {
        for (String option : List.of("-Xshare:off", "-XX:SharedArchiveFile=/other.jsa", "-XX:AOTCacheOutput=/a")) {
            assertEquals("none", checkout.with("SGPT_JAVA_OPTS", option).start().value("cache"));
        }
        expectCache(checkout, "");
    }

    @Test
    void cachesAreMadeWithoutTheCallersOptions() throws IOException, InterruptedException {
        Files.delete(checkout.cache());
        checkout.javaDoes("case $* in *AOTMode=*) [ -z \"${JAVA_TOOL_OPTIONS:-}\" ] || exit 1 ;; esac");
        expectCache(checkout.with("JAVA_TOOL_OPTIONS", "-XX:+UseG1GC").with("SGPT_JAVA_OPTS", "-Xint"), PREPARING);
    }
}
