package io.github.sgpt4j.spring.ai.autoconfigure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.springframework.core.io.Resource;
import org.springframework.core.io.support.PathMatchingResourcePatternResolver;

/// The properties as editors see them.
class PropertiesMetadataTest {
    private static final Path PAGE = Path.of("..", "docs", "spring-ai.md");

    /// Descriptions of this library's properties by name.
    private static TreeMap<String, String> described() throws IOException {
        TreeMap<String, String> properties = new TreeMap<>();
        for (Resource resource : new PathMatchingResourcePatternResolver()
                .getResources("classpath*:META-INF/spring-configuration-metadata.json")) {
            try (InputStream in = resource.getInputStream()) {
                JsonNode list = new ObjectMapper().readTree(in).get("properties");
                for (JsonNode property : list == null ? Collections.<JsonNode>emptyList() : list) {
                    String name = property.get("name").asText();
                    if (name.startsWith(SgptProperties.PREFIX + ".")) {
                        properties.put(name, property.path("description").asText());
                    }
                }
            }
        }
        return properties;
    }

    @Test
    void everyPropertyIsDescribedInMetadataAndOnThePage() throws IOException {
        TreeMap<String, String> properties = described();
        assertEquals(12, properties.size(), properties::toString);
        String page = Files.readString(PAGE);
        properties.forEach((name, description) -> {
            assertTrue(description.endsWith("."), () -> name + " has no description");
            String shown = name.substring(SgptProperties.PREFIX.length() + 1);
            assertTrue(page.contains("| `" + shown + "` |"), () -> shown + " is not on the page");
        });
    }
}
