package io.github.sgpt4j.weights;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.function.Executable;

/// Builds broken files and checks the error messages.
public final class Hostile {
    private Hostile() {}

    /// A file whose length field fits its header.
    public static byte[] file(String header, int dataBytes) {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        return file(json.length, json, dataBytes);
    }

    public static byte[] file(long headerLength, byte[] header, int dataBytes) {
        return ByteBuffer.allocate(8 + header.length + dataBytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(headerLength)
                .put(header)
                .array();
    }

    public static Path write(Path directory, String name, byte[] bytes) throws IOException {
        return Files.write(directory.resolve(name), bytes);
    }

    public static Path write(Path directory, String name, String text) throws IOException {
        return Files.writeString(directory.resolve(name), text);
    }

    /// Runs a call and checks that it fails with one sentence that contains all the parts.
    public static void assertRefused(Executable action, Object... parts) {
        String message =
                String.valueOf(assertThrows(FormatException.class, action).getMessage());
        assertFalse(message.contains("\n"), "one line: " + message);
        for (Object part : parts) {
            assertTrue(message.contains(part.toString()), () -> "expected <%s> in <%s>".formatted(part, message));
        }
    }
}
