package io.github.sgpt4j.nano;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class NanoFilesTest {
    private static final String FOLDER = "/META-INF/sgpt4j/nano/";

    @Test
    void listNamesEveryFileWithItsSizeAndDigest() throws IOException, NoSuchAlgorithmException {
        for (String line : lines()) {
            String[] fields = line.split("\t", -1);
            assertEquals(3, fields.length, line);
            byte[] bytes = read(fields[2]);
            assertEquals(Long.parseLong(fields[1]), bytes.length, fields[2]);
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
            assertEquals(fields[0], HexFormat.of().formatHex(digest), fields[2]);
        }
    }

    @Test
    void listLeavesNoFileOut() throws IOException, URISyntaxException {
        TreeSet<String> listed = new TreeSet<>();
        for (String line : lines()) {
            listed.add(line.substring(line.lastIndexOf('\t') + 1));
        }
        listed.add("files.tsv");
        Path folder = Path.of(
                        NanoFilesTest.class.getResource(FOLDER + "files.tsv").toURI())
                .getParent();
        TreeSet<String> present = new TreeSet<>();
        try (Stream<Path> files = Files.walk(folder)) {
            files.filter(Files::isRegularFile)
                    .forEach(file ->
                            present.add(folder.relativize(file).toString().replace('\\', '/')));
        }
        assertEquals(present, listed);
    }

    private static List<String> lines() throws IOException {
        return new String(read("files.tsv"), StandardCharsets.UTF_8).lines().toList();
    }

    private static byte[] read(String name) throws IOException {
        try (InputStream in = NanoFilesTest.class.getResourceAsStream(FOLDER + name)) {
            assertNotNull(in, name);
            return in.readAllBytes();
        }
    }
}
