package io.github.sgpt4j.spark;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.Version;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.module.scala.DefaultScalaModule;
import org.junit.jupiter.api.Test;

/// The tests of this module run the engine with the Jackson that Spark brings, not with the newer one that
/// the engine is built with.
class JacksonTest {
    @Test
    void theEngineRunsWithTheJacksonOfSpark() {
        Version version = new ObjectMapper().version();
        assertEquals("2.21", version.getMajorVersion() + "." + version.getMinorVersion());
        // This module, with which Spark writes its own files, refuses other releases than its own.
        assertDoesNotThrow(
                () -> JsonMapper.builder().addModule(new DefaultScalaModule()).build());
    }
}
