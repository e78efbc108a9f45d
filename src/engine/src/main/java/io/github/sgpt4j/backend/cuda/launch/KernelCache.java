package io.github.sgpt4j.backend.cuda.launch;

import io.github.sgpt4j.backend.cuda.launch.KeptFiles.Content;
import io.github.sgpt4j.files.UserCache;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/// Compiled kernels on disk, by a hash of everything that went into them, in a folder that may have other [KeptFiles]
/// as well. [#notices] tells of all.
public final class KernelCache {
    /// System property that names another folder.
    public static final String PROPERTY = "sgpt4j.cuda.cache";

    /// Changes with the form of the files.
    private static final String FORM = "sgpt4j kernels 2";

    private static final Content KERNELS =
            new Content("compiled kernels", "it is compiled again", "each process compiles them again", 1L << 28);

    private final Optional<Path> folder;
    private final Set<String> notices = Collections.synchronizedSet(new LinkedHashSet<>());
    private final KeptFiles kernels;

    /// @param folder where they lie; made when needed
    KernelCache(Path folder) {
        this(Optional.of(folder));
    }

    private KernelCache(Optional<Path> folder) {
        this.folder = folder;
        kernels = files(KERNELS);
    }

    /// The folder of this user.
    public static KernelCache ofUser() {
        String chosen = System.getProperty(PROPERTY, "");
        if (!chosen.isBlank()) {
            return in("system property " + PROPERTY, () -> Path.of(chosen));
        }
        UserCache cache = UserCache.ofProcess();
        return in(cache.source(), () -> cache.resolve("kernels"));
    }

    /// A name that files cannot have here, perhaps for the system's character encoding, is one more reason to keep
    /// nothing.
    ///
    /// @param source where the name comes from
    private static KernelCache in(String source, Supplier<Path> folder) {
        try {
            return new KernelCache(folder.get());
        } catch (InvalidPathException e) {
            KernelCache none = new KernelCache(Optional.empty());
            none.kernels.noticeNotKept(source, "no name that a folder can have here");
            return none;
        }
    }

    /// What people should know about files that were damaged or could not be written, one sentence each.
    public List<String> notices() {
        synchronized (notices) {
            return List.copyOf(notices);
        }
    }

    /// The name of what a compiler makes of a source.
    ///
    /// @param compiler its name and version
    static String key(String compiler, String source, Map<String, String> headers, List<String> options) {
        List<String> parts = new ArrayList<>(List.of(FORM, compiler, source));
        headers.forEach((name, text) -> {
            parts.add(name);
            parts.add(text);
        });
        parts.addAll(options);
        return KeptFiles.key(parts);
    }

    /// Files of another content in the same folder.
    public KeptFiles files(Content content) {
        return new KeptFiles(content, folder, notices);
    }

    /// What was stored under a key, or empty if there is nothing whole.
    Optional<byte[]> get(String key) {
        return kernels.get(key);
    }

    /// Stores an image: whole or not at all, also with other processes doing the same.
    void put(String key, byte[] image) {
        kernels.put(key, image);
    }
}
