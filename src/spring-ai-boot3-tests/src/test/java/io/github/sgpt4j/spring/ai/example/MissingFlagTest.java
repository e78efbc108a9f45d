package io.github.sgpt4j.spring.ai.example;

import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import example.SearchApplication;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What happens without the options of the virtual machine that `src/docs/spring-ai.md` asks for.
class MissingFlagTest {
    private static final int MAX_SECONDS = 120;

    @Test
    @Timeout(MAX_SECONDS)
    void withoutTheVectorApiTheApplicationSaysWhatToDo() throws IOException, InterruptedException {
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        ProcessBuilder builder = new ProcessBuilder(
                java.toString(), "-XX:TieredStopAtLevel=1", SearchApplication.class.getName(), "--server.port=0");
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        builder.environment().remove("JDK_JAVA_OPTIONS");
        builder.environment().remove("JAVA_TOOL_OPTIONS");
        Process process = builder.redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertNotEquals(0, process.waitFor(), output);
        assertTrue(
                output.contains("cpu: module jdk.incubator.vector is missing; start java with --add-modules"
                        + " jdk.incubator.vector"),
                output);
        assertTrue(output.contains("Action:\n\nStart java with --add-modules jdk.incubator.vector"), output);
    }
}
