package io.github.sgpt4j.files;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// The folder `sgpt4j` in a user's cache, for files that can be recreated. The cache is
/// `$XDG_CACHE_HOME`, on Windows `%LOCALAPPDATA%`, otherwise `~/.cache`.
///
/// @param source where the cache's location comes from, in a few words
/// @param base base folder, as text
/// @param more path components from there to the folder
public record UserCache(String source, String base, List<String> more) {
    private static final String FOLDER = "sgpt4j";

    public UserCache {
        more = List.copyOf(more);
    }

    /// The cache of this process's user.
    public static UserCache ofProcess() {
        return of(System.getenv());
    }

    /// From environment variables.
    public static UserCache of(Map<String, String> environment) {
        return of(environment, System.getProperty("user.home", "."));
    }

    /// From environment variables.
    ///
    /// @param home home directory, used if the variable `HOME` is not set
    public static UserCache of(Map<String, String> environment, String home) {
        for (String variable : List.of("XDG_CACHE_HOME", "LOCALAPPDATA")) {
            String value = environment.getOrDefault(variable, "");
            if (isUsable(value)) {
                return new UserCache("environment variable " + variable, value, List.of(FOLDER));
            }
        }
        String own = environment.getOrDefault("HOME", "");
        return own.isEmpty()
                ? new UserCache("system property user.home", home, List.of(".cache", FOLDER))
                : new UserCache("environment variable HOME", own, List.of(".cache", FOLDER));
    }

    /// The XDG base directory specification requires relative values to be ignored. A value that is not
    /// a valid path is kept, so that its use reports it.
    private static boolean isUsable(String value) {
        try {
            return !value.isBlank() && Path.of(value).isAbsolute();
        } catch (InvalidPathException e) {
            return true;
        }
    }

    /// The folder.
    ///
    /// @throws InvalidPathException if the file system does not allow such a name
    public Path folder() {
        return Path.of(base, more.toArray(String[]::new));
    }

    /// A folder in it.
    ///
    /// @throws InvalidPathException if the file system does not allow such a name
    public Path resolve(String name) {
        return folder().resolve(name);
    }
}
