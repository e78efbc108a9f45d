package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.sgpt4j.cli.console.Console;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// Runs the command inside the process of the test.
final class Cli {
    static final Path GOLDENS = Path.of("../engine/src/test/resources/goldens/models");
    static final ObjectMapper JSON = new ObjectMapper();

    /// The result of a run.
    record Result(int code, byte[] out, String err) {
        String text() {
            return new String(out, StandardCharsets.UTF_8);
        }

        List<JsonNode> lines() {
            assertEquals(0, code, err);
            return text().lines().map(Cli::parse).toList();
        }

        /// Asserts the exit code, exactly one line on stderr and nothing on stdout.
        ///
        /// @return the line
        String failure(int expectedCode) {
            assertEquals(1, err.lines().count(), err);
            assertEquals(expectedCode, code, err);
            assertEquals("", text());
            assertEquals("sgpt: ", err.substring(0, 6));
            return err.strip().substring(6);
        }
    }

    private Cli() {}

    static Result run(String... arguments) {
        return run(InputStream.nullInputStream(), arguments);
    }

    static Result runWithInput(String input, String... arguments) {
        return run(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)), arguments);
    }

    static Result run(InputStream in, String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        return run(in, out, out, Map.of(), arguments);
    }

    static Result runWithOutput(OutputStream out, String... arguments) {
        return run(InputStream.nullInputStream(), out, new ByteArrayOutputStream(), Map.of(), arguments);
    }

    static Result runWithEnvironment(Map<String, String> environment, String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        return run(InputStream.nullInputStream(), out, out, environment, arguments);
    }

    private static Result run(
            InputStream in,
            OutputStream out,
            ByteArrayOutputStream captured,
            Map<String, String> environment,
            String... arguments) {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        PrintStream printed = new PrintStream(err, true, StandardCharsets.UTF_8);
        int code = Main.run(new Console(in, out, printed, 0, false, environment), arguments);
        return new Result(code, captured.toByteArray(), err.toString(StandardCharsets.UTF_8));
    }

    static String model(String name) {
        return GOLDENS.resolve(name).toString();
    }

    static JsonNode expected(String model) {
        return read(GOLDENS.resolve(model).resolve("expected.json"));
    }

    static JsonNode read(Path file) {
        try {
            return JSON.readTree(Files.readString(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static JsonNode parse(String line) {
        try {
            return JSON.readTree(line);
        } catch (IOException e) {
            throw new UncheckedIOException(line, e);
        }
    }

    /// The tolerance of the engine's golden tests for 32-bit arithmetic: 5e-5 absolute plus 5e-5 relative.
    static void assertClose(JsonNode expected, JsonNode actual, String what) {
        assertEquals(expected.size(), actual.size(), what);
        for (int i = 0; i < expected.size(); i++) {
            assertClose(expected.get(i).asDouble(), actual.get(i).asDouble(), what + " component " + i);
        }
    }

    static void assertClose(double expected, double actual, String what) {
        assertEquals(expected, actual, 5e-5 + 5e-5 * Math.abs(expected), what);
    }

    static JsonNode array(float[] values) {
        return JSON.valueToTree(values);
    }
}
