package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// Libraries with old class files get newer ones that the virtual machine accepts.
class ClassFileUpgradeTest {
    @TempDir
    Path folder;

    private static Path picocli() throws URISyntaxException {
        return Path.of(CommandLine.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
    }

    private static List<String> names(Path jar) throws IOException {
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            return zip.stream().map(ZipEntry::getName).sorted().collect(Collectors.toList());
        }
    }

    private static int version(URLClassLoader loader, String name) throws IOException {
        try (InputStream in = loader.getResourceAsStream(name)) {
            DataInputStream data = new DataInputStream(in);
            data.readInt();
            data.readShort();
            return data.readShort();
        }
    }

    @Test
    void everyClassIsRewrittenOnceAndCanBeLoaded()
            throws IOException, URISyntaxException, ReflectiveOperationException {
        Path jar = Files.copy(picocli(), folder.resolve("picocli.jar"));
        assertTrue(ClassFileUpgrade.upgrade(jar) > 100);
        assertEquals(names(picocli()), names(jar));
        assertEquals(0, ClassFileUpgrade.upgrade(jar), "nothing is left to do");
        assertFalse(Files.exists(folder.resolve("picocli.jar.new")));
        try (URLClassLoader loader = new URLClassLoader(new URL[] {jar.toUri().toURL()}, null)) {
            int loaded = 0;
            for (String name : names(jar)) {
                if (!name.startsWith("picocli/") || !name.endsWith(".class") || name.contains("groovy")) {
                    continue;
                }
                assertEquals(52, version(loader, name), name);
                String type =
                        name.substring(0, name.length() - ".class".length()).replace('/', '.');
                // Verifies the class.
                Class.forName(type, true, loader);
                loaded++;
            }
            assertTrue(loaded > 100);
        }
    }

    @Test
    void aJarWithoutOldClassesStaysAsItIs() throws IOException, URISyntaxException {
        Path jar = Files.copy(
                Path.of(Assertions.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .toURI()),
                folder.resolve("other.jar"));
        byte[] before = Files.readAllBytes(jar);
        ClassFileUpgrade.main(new String[] {jar.toString()});
        assertEquals(-1, Arrays.mismatch(before, Files.readAllBytes(jar)));
    }
}
