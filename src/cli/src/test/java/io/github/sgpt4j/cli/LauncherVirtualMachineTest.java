package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.cli.FakeCheckout.Result;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// The launcher script with the real virtual machine and a small program: caches that are damaged or were created
/// with other options.
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the launcher is a bash script")
class LauncherVirtualMachineTest {
    private static final String PROGRAM = """
            package io.github.sgpt4j.cli;

            final class Main {
                public static void main(String[] arguments) throws Exception {
                    System.out.println("hello");
                    if (arguments[0].equals("crash")) {
                        long self = ProcessHandle.current().pid();
                        new ProcessBuilder("kill", "-SEGV", Long.toString(self)).start();
                        Thread.sleep(60_000);
                    }
                }
            }

            final class Training {
                public static void main(String[] arguments) throws Exception {
                    Main.main(new String[] {"train"});
                }
            }
            """;

    private static final String PREPARING = "sgpt: preparing for faster starts (once, some seconds) ...\n";

    @TempDir
    private static Path folder;

    private static FakeCheckout checkout;

    @BeforeAll
    static void build() throws IOException, InterruptedException {
        folder = folder.toRealPath();
        checkout = FakeCheckout.create(folder.resolve("checkout"), Path.of(System.getProperty("java.home")));
        Path source = Files.writeString(folder.resolve("Main.java"), PROGRAM);
        int code = ToolProvider.getSystemJavaCompiler()
                .run(null, null, null, "-proc:none", "-d", folder.toString(), source.toString());
        assertEquals(0, code);
        Path main = checkout.root().resolve("src/cli/src/main");
        writeJar(main.resolve("Source"), List.of("Main.class", "Training.class"));
        writeJar(main.resolve("Library"), List.of());
        Result result = checkout.start("run");
        assertEquals("hello\n", result.out(), result.err());
    }

    private static void writeJar(Path jar, List<String> names) throws IOException {
        try (OutputStream file = Files.newOutputStream(jar);
                ZipOutputStream zip = new ZipOutputStream(file)) {
            zip.putNextEntry(new ZipEntry("io/github/sgpt4j/cli/"));
            for (String name : names) {
                zip.putNextEntry(new ZipEntry("io/github/sgpt4j/cli/" + name));
                zip.write(Files.readAllBytes(
                        folder.resolve("io/github/sgpt4j/cli").resolve(name)));
            }
        }
    }

    /// Runs the program, which must print nothing else, and returns whether it was loaded from the cache.
    private static boolean isFromCache(FakeCheckout checkout, String options) throws IOException, InterruptedException {
        Path log = folder.resolve("classes.log");
        Result result = checkout.with("SGPT_JAVA_OPTS", options + " -Xlog:class+load:file=" + log)
                .start("run");
        assertEquals("", result.err(), options);
        assertEquals("hello\n", result.out(), options);
        assertEquals(0, result.code(), options);
        return Files.readAllLines(log).stream()
                .anyMatch(line -> line.contains("sgpt4j.cli.Main source: shared objects file"));
    }

    /// Replaces a file's content but keeps its time, like a failing disk.
    private static void replace(Path file, byte[] content) throws IOException {
        FileTime time = Files.getLastModifiedTime(file);
        Files.write(file, content);
        Files.setLastModifiedTime(file, time);
    }

    private static String damaged() throws IOException {
        return "sgpt: the cache for faster starts, %s, was damaged; the next start makes it again.\n"
                .formatted(checkout.cache());
    }

    @Test
    void damagedCachesNeitherStopARunNorStay() throws IOException, InterruptedException {
        byte[] cache = Files.readAllBytes(checkout.cache());
        byte[] record = Files.readAllBytes(made());
        // The magic number and the version.
        for (int place : new int[] {0, 8}) {
            byte[] flipped = cache.clone();
            flipped[place] ^= 4;
            replace(checkout.cache(), flipped);
            Result result = checkout.start("run");
            assertEquals("hello\n", result.out());
            assertEquals(damaged(), result.err());
            Files.write(made(), record);
        }
        Files.write(checkout.cache(), Arrays.copyOf(cache, cache.length / 2));
        Result result = checkout.start("run");
        assertEquals("hello\n", result.out());
        assertEquals(PREPARING, result.err());
        assertTrue(isFromCache(checkout, ""));
    }

    @Test
    void aCrashWithADamagedCacheTakesItBack() throws IOException, InterruptedException {
        byte[] cache = Files.readAllBytes(checkout.cache());
        byte[] record = Files.readAllBytes(made());
        FakeCheckout quiet = checkout.with(
                "SGPT_JAVA_OPTS", "-XX:-CreateCoredumpOnCrash -XX:ErrorFile=" + folder.resolve("crash.log"));
        Result intact = quiet.start("crash");
        assertEquals("", intact.err(), "an intact cache is not blamed");
        assertTrue(intact.code() != 0);
        byte[] flipped = cache.clone();
        // These bytes are unused: they only pad the last page.
        flipped[cache.length - 1] ^= 4;
        replace(checkout.cache(), flipped);
        assertEquals(damaged(), quiet.start("crash").err());
        assertFalse(Files.exists(made()));
        replace(checkout.cache(), cache);
        Files.write(made(), record);
    }

    @Test
    void optionsOfTheCallerMakeNoNoise() throws IOException, InterruptedException {
        assertTrue(isFromCache(checkout, ""));
        assertTrue(isFromCache(checkout, "-Xmx100m"));
        assertTrue(isFromCache(checkout, "-XX:+UseSerialGC"));
        for (String options : List.of(
                "-XX:+UseG1GC",
                "-XX:+UseZGC",
                "-XX:+UseCompactObjectHeaders",
                "-XX:-UseCompressedOops",
                "-Xshare:off",
                "-Xint",
                "--add-opens=java.base/java.lang=ALL-UNNAMED",
                "--add-modules=java.sql",
                "-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,quiet=y,address=0")) {
            isFromCache(checkout, options);
        }
    }

    @Test
    void optionsThatTheVirtualMachineLacksAreItsToTell() throws IOException, InterruptedException {
        Result unknown = checkout.with("SGPT_JAVA_OPTS", "-XX:+UseFoo").start("run");
        assertEquals(1, unknown.code());
        assertEquals("", unknown.out());
        assertTrue(unknown.err().startsWith("Unrecognized VM option 'UseFoo'\n"), unknown.err());
        Result conflict =
                checkout.with("SGPT_JAVA_OPTS", "-XX:+UseG1GC -XX:+UseSerialGC").start("run");
        assertEquals(1, conflict.code());
        assertEquals("", conflict.out());
        assertTrue(conflict.err().contains("garbage collectors selected"), conflict.err());
    }

    @Test
    void aMovedCheckoutStartsFromItsCacheAsBefore() throws IOException, InterruptedException {
        FakeCheckout moved = checkout.at(folder.resolve("moved"));
        byte[] cache = Files.readAllBytes(checkout.cache());
        byte[] record = Files.readAllBytes(made());
        Files.move(checkout.root(), moved.root());
        try {
            assertEquals(PREPARING, moved.start("run").err());
            assertTrue(isFromCache(moved, ""));
        } finally {
            Files.move(moved.root(), checkout.root());
            replace(checkout.cache(), cache);
            Files.write(made(), record);
        }
        assertTrue(isFromCache(checkout, ""));
    }

    /// The script's record of the cache.
    private static Path made() throws IOException {
        return Path.of(checkout.cache().toString().replaceAll("aot$", "made"));
    }
}
