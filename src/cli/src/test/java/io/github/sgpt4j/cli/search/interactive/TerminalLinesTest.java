package io.github.sgpt4j.cli.search.interactive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.cli.console.Console;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TerminalLinesTest {
    @TempDir
    private Path folder;

    private static Console console(Map<String, String> environment, boolean interactive) {
        return new Console(
                InputStream.nullInputStream(),
                OutputStream.nullOutputStream(),
                System.err,
                80,
                interactive,
                environment);
    }

    @Test
    void onlyTheOwnerMayReadTheHistory() throws IOException {
        Path file = TerminalLines.history(console(Map.of("XDG_STATE_HOME", folder.toString()), false))
                .orElseThrow();
        assertEquals(folder.resolve("sgpt4j/history"), file);
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        Path named = folder.resolve("other/typed");
        assertEquals(
                Optional.of(named), TerminalLines.history(console(Map.of("SGPT_HISTORY", named.toString()), false)));
        assertTrue(Files.exists(named));
    }

    @Test
    void noHistoryIsKeptIfItIsOffOrCannotBe() throws IOException {
        assertEquals(Optional.empty(), TerminalLines.history(console(Map.of("SGPT_HISTORY", "off"), false)));
        Path file = Files.writeString(folder.resolve("file"), "");
        assertEquals(
                Optional.empty(), TerminalLines.history(console(Map.of("XDG_STATE_HOME", file.toString()), false)));
    }

    @Test
    void linesAreEditedOnATerminalOnly() {
        assertFalse(TerminalLines.open(console(Map.of("TERM", "xterm"), false)).isPresent());
        assertFalse(TerminalLines.open(console(Map.of("TERM", "dumb"), true)).isPresent());
    }
}
