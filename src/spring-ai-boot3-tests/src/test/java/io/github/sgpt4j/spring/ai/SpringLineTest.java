package io.github.sgpt4j.spring.ai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.boot.SpringBootVersion;

/// These tests run on the line of Spring that their module names, with the engine's libraries as that line has them.
class SpringLineTest {
    @Test
    void versionsAreThoseOfTheLine() {
        assertEquals(System.getProperty("test.spring.boot"), SpringBootVersion.getVersion());
        assertTrue(jar(EmbeddingModel.class).endsWith("-" + System.getProperty("test.spring.ai") + ".jar"));
        assertEquals(
                System.getProperty("test.jackson"), new ObjectMapper().version().toString());
    }

    private static String jar(Class<?> type) {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().getPath())
                .toString();
    }
}
