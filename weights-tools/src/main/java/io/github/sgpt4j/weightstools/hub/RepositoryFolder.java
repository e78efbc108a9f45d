package io.github.sgpt4j.weightstools.hub;

import io.github.sgpt4j.weightstools.LockedFolder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A repository's folder in a cache, in the layout of the Python client: `blobs` by tag, `snapshots` by
/// commit with links to blobs, `refs` by branch or tag, each with a commit. Beside these, `.sgpt4j`
/// holds this client's own data: which snapshots are complete, and snapshots being made.
///
/// @param cache folder of all repositories
/// @param root folder of this one
record RepositoryFolder(Path cache, Path root) {
    private static final Pattern COMMIT = Pattern.compile("[0-9A-Za-z][0-9A-Za-z_.-]{0,127}");
    private static final int MAX_REFERENCE_LENGTH = 1024;
    private static final String STAGE = "stage-";
    private static final String TEMPORARY = "writing-";
    private static final String CACHE_TAG = """
            Signature: 8a477f597d28d172789f06886806bc55
            # This file is a cache directory tag created by sgpt4j.
            # For information about cache directory tags, see https://bford.info/cachedir/
            """;

    static RepositoryFolder of(Path cache, HubRepository repository) {
        return new RepositoryFolder(
                cache, cache.resolve(RepositoryKind.of(repository).folder(repository)));
    }

    Path blob(RemoteFile file) {
        return root.resolve("blobs").resolve(file.etag());
    }

    Path snapshot(String commit) {
        return root.resolve("snapshots").resolve(commit);
    }

    Path lockFile() {
        return cache.resolve(".locks")
                .resolve(String.valueOf(root.getFileName()))
                .resolve("sgpt4j.lock");
    }

    Path manifest(String commit) {
        return own().resolve(commit + ".json");
    }

    /// The Python client's list of all files at a commit.
    Path tree(String commit) {
        return root.resolve("trees").resolve(commit + ".json");
    }

    /// Where the Python client notes that a file does not exist.
    Path absent(String commit, String path) {
        return root.resolve(".no_exist").resolve(commit).resolve(path);
    }

    private Path own() {
        return root.resolve(".sgpt4j");
    }

    /// The commit of a revision when the hub was last asked.
    ///
    /// @return empty if unknown, or if the recorded value is invalid
    Optional<String> commit(String revision) throws IOException {
        if (RepositoryName.isCommit(revision)) {
            return Optional.of(revision);
        }
        Path reference = reference(revision);
        if (!Files.isRegularFile(reference) || Files.size(reference) > MAX_REFERENCE_LENGTH) {
            return Optional.empty();
        }
        String commit = new String(Files.readAllBytes(reference), StandardCharsets.UTF_8).strip();
        return COMMIT.matcher(commit).matches() && !commit.contains("..") ? Optional.of(commit) : Optional.empty();
    }

    private Path reference(String revision) {
        return root.resolve("refs").resolve(revision);
    }

    /// Records the commit of a revision. A commit itself needs no record.
    void refer(String revision, String commit) throws IOException {
        if (revision.equals(commit) || commit(revision).filter(commit::equals).isPresent()) {
            return;
        }
        write(reference(revision), commit);
    }

    /// Writes a small file completely or not at all. The caller holds the lock.
    void write(Path file, String text) throws IOException {
        Path parent = file.getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
        Path temporary = Files.createDirectories(own()).resolve(TEMPORARY + random());
        try {
            Files.writeString(temporary, text);
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    /// Creates the folders, and tells backup programs that they may skip the cache.
    void create() throws IOException {
        Files.createDirectories(root.resolve("blobs"));
        Path tag = cache.resolve("CACHEDIR.TAG");
        if (!Files.exists(tag)) {
            write(tag, CACHE_TAG);
        }
    }

    /// A new empty folder, as deep in the repository as a snapshot, so that the same relative links
    /// work in both.
    Path newStage() throws IOException {
        return Files.createDirectories(own().resolve(STAGE + random()));
    }

    /// Removes leftovers of interrupted runs. The caller holds the lock.
    void clean() throws IOException {
        if (!Files.isDirectory(own())) {
            return;
        }
        List<Path> left;
        try (Stream<Path> all = Files.list(own())) {
            left = all.filter(path -> isTemporary(String.valueOf(path.getFileName())))
                    .toList();
        }
        for (Path path : left) {
            LockedFolder.remove(path);
        }
    }

    private static boolean isTemporary(String name) {
        return name.startsWith(STAGE) || name.startsWith(TEMPORARY);
    }

    private static String random() {
        return HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
    }
}
