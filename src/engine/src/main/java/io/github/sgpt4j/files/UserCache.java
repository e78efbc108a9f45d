package io.github.sgpt4j.files;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// The folder `sgpt4j` in a user's cache, where things are kept that can be made again. The cache is
/// `$XDG_CACHE_HOME`, on Windows `%LOCALAPPDATA%`, otherwise `~/.cache`.
///
/// @param source what says where the cache is, in a few words
/// @param base folder in which the cache is, as text
/// @param more the way from there to the folder
public record UserCache(String source, String base, List<String> more) {
    private static final String FOLDER = "sgpt4j";

    public UserCache {
        more = List.copyOf(more);
    }

    /// The cache of this process's user.
    public static UserCache ofProcess() {
        return of(System.getenv());
    }

    /// As environment variables say.
    public static UserCache of(Map<String, String> environment) {
        return of(environment, System.getProperty("user.home", "."));
    }

    /// As environment variables say.
    ///
    /// @param home of the user, unless the variable `HOME` says so
    public static UserCache of(Map<String, String> environment, String home) {
        for (String variable : List.of("XDG_CACHE_HOME", "LOCALAPPDATA")) {
            String value = environment.getOrDefault(variable, "");
            if (isMeant(value)) {
                return new UserCache("environment variable " + variable, value, List.of(FOLDER));
            }
        }
        String own = environment.getOrDefault("HOME", "");
        return own.isEmpty()
                ? new UserCache("system property user.home", home, List.of(".cache", FOLDER))
                : new UserCache("environment variable HOME", own, List.of(".cache", FOLDER));
    }

    /// Relative values are to be ignored, says the XDG base directory specification. What is no
    /// path at all is left to whoever uses it.
    private static boolean isMeant(String value) {
        try {
            return !value.isBlank() && Path.of(value).isAbsolute();
        } catch (InvalidPathException e) {
            return true;
        }
    }

    /// The folder.
    ///
    /// @throws InvalidPathException if files cannot have such a name here
    public Path folder() {
        return Path.of(base, more.toArray(String[]::new));
    }

    /// A folder in it.
    ///
    /// @throws InvalidPathException if files cannot have such a name here
    public Path resolve(String name) {
        return folder().resolve(name);
    }
}
