package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/// One version everywhere: `sgpt4j-bom` names every published artifact, and it, the examples and JBang's catalog name
/// the version of the build.
class VersionsTest {
    private static final Path ROOT = Path.of("..", "..");
    private static final Pattern NAMED = Pattern.compile("io\\.github\\.sgpt4j:[\\w-]+:([\\w.-]+)");
    private static final Pattern PROPERTY = Pattern.compile("<sgpt4j\\.version>(.*)</sgpt4j\\.version>");

    private static Element pom(Path file) {
        try {
            return DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .parse(file.toFile())
                    .getDocumentElement();
        } catch (Exception e) {
            throw new AssertionError(file.toString(), e);
        }
    }

    /// The text of a child; empty if there is none.
    private static String text(Node element, String child) {
        for (Node node = element.getFirstChild(); node != null; node = node.getNextSibling()) {
            if (node.getNodeName().equals(child)) {
                return node.getTextContent().strip();
            }
        }
        return "";
    }

    private static String version() {
        return text(pom(ROOT.resolve("pom.xml")), "version");
    }

    private static List<Path> files(String name) throws IOException {
        try (Stream<Path> files = Files.walk(ROOT.resolve("src"), 6)) {
            return files.filter(file -> file.endsWith(name) && !file.toString().contains("target"))
                    .toList();
        }
    }

    /// Artifacts with jars that are published, by their folders.
    private static Set<String> published() throws IOException {
        TreeMap<String, Path> modules = new TreeMap<>();
        List<Path> poms = new ArrayList<>(files("pom.xml"));
        poms.add(ROOT.resolve("weights-tools/pom.xml"));
        for (Path file : poms) {
            Element pom = pom(file);
            String properties = Files.readString(file);
            if (properties.contains("<artifactId>sgpt4j-parent</artifactId>")
                    && !text(pom, "packaging").equals("pom")
                    && !properties.contains("<maven.deploy.skip>true")) {
                modules.put(text(pom, "artifactId"), file);
            }
        }
        return modules.keySet();
    }

    @Test
    void versionsNameEveryPublishedArtifact() throws IOException {
        Element bom = pom(ROOT.resolve("src/bom/pom.xml"));
        Set<String> named = new TreeSet<>();
        var dependencies = bom.getElementsByTagName("dependency");
        for (int i = 0; i < dependencies.getLength(); i++) {
            named.add(text(dependencies.item(i), "artifactId"));
            assertEquals("${project.version}", text(dependencies.item(i), "version"));
        }
        Set<String> published = published();
        assertTrue(published.size() > 5, published::toString);
        assertEquals(published, named);
    }

    @Test
    void versionsAreOfThisBuild() throws IOException {
        assertEquals(version(), text(pom(ROOT.resolve("src/bom/pom.xml")), "version"));
        String catalog = Files.readString(ROOT.resolve("jbang-catalog.json"));
        new JsonMapper().readTree(catalog);
        List<String> all = new ArrayList<>();
        NAMED.matcher(catalog).results().forEach(match -> all.add(match.group(1)));
        String gradle = Files.readString(ROOT.resolve("src/examples/gradle/build.gradle.kts"));
        NAMED.matcher(gradle).results().forEach(match -> all.add(match.group(1)));
        for (String example : List.of("maven", "quarkus", "spring-boot")) {
            String text = Files.readString(ROOT.resolve("src/examples").resolve(example, "pom.xml"));
            PROPERTY.matcher(text).results().forEach(match -> all.add(match.group(1)));
        }
        assertEquals(Collections.nCopies(5, version()), all);
    }
}
