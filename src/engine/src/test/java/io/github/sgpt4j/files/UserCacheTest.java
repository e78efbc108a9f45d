package io.github.sgpt4j.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// The location of the cache, for every module.
class UserCacheTest {
    private static final String CHOSEN = Path.of("chosen").toAbsolutePath().toString();
    private static final String OTHER = Path.of("other").toAbsolutePath().toString();

    private static Path folder(Map<String, String> environment) {
        return UserCache.of(environment, "home").folder();
    }

    @Test
    void theEnvironmentNamesTheCache() {
        assertEquals(
                Path.of(CHOSEN, "sgpt4j"),
                folder(Map.of("XDG_CACHE_HOME", CHOSEN, "LOCALAPPDATA", OTHER, "HOME", OTHER)));
        assertEquals(Path.of(OTHER, "sgpt4j"), folder(Map.of("LOCALAPPDATA", OTHER, "HOME", CHOSEN)));
        assertEquals(Path.of(CHOSEN, ".cache", "sgpt4j"), folder(Map.of("HOME", CHOSEN)));
        assertEquals(
                Path.of(CHOSEN, "sgpt4j", "kernels"),
                UserCache.of(Map.of("XDG_CACHE_HOME", CHOSEN), "home").resolve("kernels"));
    }

    @Test
    void emptyAndRelativeNamesCountAsNone() {
        Path home = Path.of("home", ".cache", "sgpt4j");
        assertEquals(home, folder(Map.of()));
        assertEquals(home, folder(Map.of("XDG_CACHE_HOME", "", "LOCALAPPDATA", " ", "HOME", "")));
        assertEquals(home, folder(Map.of("XDG_CACHE_HOME", "relative")));
    }

    @Test
    void whatIsNoPathIsToldByWhoeverUsesIt() {
        UserCache cache = UserCache.of(Map.of("XDG_CACHE_HOME", "/a\0b"), "home");
        assertEquals("environment variable XDG_CACHE_HOME", cache.source());
        assertThrows(InvalidPathException.class, cache::folder);
    }
}
