package io.github.sgpt4j.testing;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrowsExactly;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.function.Executable;

/// Checks that a call is refused with one sentence that contains the expected parts.
public final class Refusal {
    private static final int MAX_LENGTH = 1200;

    private Refusal() {}

    /// @param parts strings that the message must contain
    public static void check(Class<? extends RuntimeException> type, Executable action, String... parts) {
        String message = message(assertThrowsExactly(type, action));
        assertAll(Arrays.stream(parts)
                .map(part ->
                        () -> assertTrue(message.contains(part), "expected \"%s\" in: %s".formatted(part, message))));
    }

    /// The message of an exception, which must be one line of readable length.
    public static String message(RuntimeException e) {
        String message = String.valueOf(e.getMessage());
        assertEquals(
                0,
                message.chars().filter(Refusal::breaksLine).count(),
                () -> "line breaks or control characters in: " + message);
        assertTrue(message.length() <= MAX_LENGTH, () -> "%d characters: %s".formatted(message.length(), message));
        return message;
    }

    private static boolean breaksLine(int c) {
        return Character.isISOControl(c) || c == 0x2028 || c == 0x2029 || Character.isSurrogate((char) c);
    }
}
