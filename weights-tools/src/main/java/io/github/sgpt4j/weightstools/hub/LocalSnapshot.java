package io.github.sgpt4j.weightstools.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.error.SgptException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The part of a repository at one commit that a cache contains.
///
/// Whether that is all the engine reads is certain if this client downloaded it, since it records what
/// it downloaded, or if the Python client recorded which files the repository has or lacks. Otherwise
/// the snapshot may come from a program that needs less, such as one that ignores how texts are pooled.
///
/// @param commit its hash
/// @param directory the snapshot
/// @param state whether it can be used
record LocalSnapshot(String commit, Path directory, State state) {
    /// How much is known about it.
    enum State {
        /// All files are present.
        COMPLETE,
        /// A model is present; whether it has further files is unknown.
        USABLE,
        /// Files are missing.
        PARTIAL
    }

    /// Version of the records; to be raised when the engine reads more files.
    private static final int VERSION = 2;

    /// Folders that are searched for files of a dataset.
    private static final int MAX_DEPTH = 3;

    private static final long MAX_JSON_BYTES = 64 << 20;
    private static final ObjectMapper JSON = new ObjectMapper();

    /// Files whose absence is not an error but changes results.
    private static final List<String> OPTIONAL = List.of(
            NeededFiles.MODULES_FILE,
            NeededFiles.PROMPTS_FILE,
            NeededFiles.LENGTH_FILE,
            NeededFiles.TOKENIZER_CONFIG_FILE);

    boolean isComplete() {
        return state == State.COMPLETE;
    }

    boolean isUsable() {
        return state == State.USABLE;
    }

    /// The snapshot for a revision.
    ///
    /// @return empty if there is none
    static Optional<LocalSnapshot> of(RepositoryFolder folder, HubRepository repository) throws IOException {
        Optional<String> commit = folder.commit(repository.revision());
        if (commit.isEmpty() || !Files.isDirectory(folder.snapshot(commit.get()))) {
            return Optional.empty();
        }
        Path directory = folder.snapshot(commit.get());
        return Optional.of(
                new LocalSnapshot(commit.get(), directory, state(folder, repository, commit.get(), directory)));
    }

    private static State state(RepositoryFolder folder, HubRepository repository, String commit, Path directory)
            throws IOException {
        Optional<JsonNode> manifest = json(folder.manifest(commit))
                .filter(node -> node.path("version").asInt() == VERSION);
        if (manifest.isPresent()) {
            return matches(manifest.get(), directory) ? State.COMPLETE : State.PARTIAL;
        }
        Optional<JsonNode> tree = json(folder.tree(commit)).map(node -> node.path("files"));
        if (tree.isPresent() && hasAll(repository, listed(tree.get(), directory), directory)) {
            return State.COMPLETE;
        }
        if (!hasAll(repository, inDirectory(directory), directory)) {
            return State.PARTIAL;
        }
        return tree.isEmpty() && knowsOptional(folder, commit, directory) ? State.COMPLETE : State.USABLE;
    }

    private static boolean hasAll(HubRepository repository, NeededFiles.Repository contents, Path directory) {
        try {
            return RepositoryKind.of(repository).files(repository, contents).stream()
                    .allMatch(path -> isThere(directory, path));
        } catch (SgptException | IOException e) {
            return false;
        }
    }

    private static boolean knowsOptional(RepositoryFolder folder, String commit, Path directory) {
        boolean plain = Files.exists(folder.absent(commit, NeededFiles.MODULES_FILE));
        return OPTIONAL.stream()
                .filter(path -> !plain || path.equals(NeededFiles.TOKENIZER_CONFIG_FILE))
                .allMatch(path -> isThere(directory, path) || Files.exists(folder.absent(commit, path)));
    }

    private static boolean isThere(Path directory, String path) {
        return Files.isRegularFile(directory.resolve(path));
    }

    /// Chooses among the files that are present.
    private static NeededFiles.Repository inDirectory(Path directory) {
        return new NeededFiles.Repository() {
            @Override
            public boolean has(String path) {
                return isThere(directory, path);
            }

            @Override
            public Set<String> paths() throws IOException {
                try (Stream<Path> all = Files.walk(directory, MAX_DEPTH)) {
                    return all.filter(Files::isRegularFile)
                            .map(path -> directory.relativize(path).toString().replace('\\', '/'))
                            .collect(Collectors.toSet());
                }
            }

            @Override
            public String someNames() {
                return directory.toString();
            }

            @Override
            public Path obtain(String path) {
                return directory.resolve(path);
            }
        };
    }

    /// Chooses among the files in the Python client's list.
    private static NeededFiles.Repository listed(JsonNode tree, Path directory) {
        return new NeededFiles.Repository() {
            @Override
            public boolean has(String path) {
                return tree.has(path);
            }

            @Override
            public Set<String> paths() {
                Set<String> paths = new HashSet<>();
                tree.fieldNames().forEachRemaining(paths::add);
                return paths;
            }

            @Override
            public String someNames() {
                return directory.toString();
            }

            @Override
            public Path obtain(String path) throws IOException {
                if (!isThere(directory, path)) {
                    throw new NoSuchFileException(path);
                }
                return directory.resolve(path);
            }
        };
    }

    private static boolean matches(JsonNode manifest, Path directory) throws IOException {
        JsonNode files = manifest.path("files");
        if (!files.isObject() || files.isEmpty()) {
            return false;
        }
        try {
            for (Map.Entry<String, JsonNode> file : files.properties()) {
                Path path = directory.resolve(file.getKey());
                if (!Files.isRegularFile(path)
                        || Files.size(path) != file.getValue().asLong(-1)) {
                    return false;
                }
            }
            return true;
        } catch (InvalidPathException e) {
            return false;
        }
    }

    /// Records which files make a snapshot complete.
    static void note(RepositoryFolder folder, String commit, List<RemoteFile> files) throws IOException {
        ObjectNode manifest = JSON.createObjectNode().put("version", VERSION);
        ObjectNode lengths = manifest.putObject("files");
        files.forEach(file -> lengths.put(file.path(), file.bytes()));
        folder.write(folder.manifest(commit), JSON.writeValueAsString(manifest) + "\n");
    }

    /// A small record file.
    ///
    /// @return empty if there is none, or it is broken
    private static Optional<JsonNode> json(Path file) throws IOException {
        if (!Files.isRegularFile(file) || Files.size(file) > MAX_JSON_BYTES) {
            return Optional.empty();
        }
        try {
            return Optional.of(JSON.readTree(file.toFile()));
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }
}
