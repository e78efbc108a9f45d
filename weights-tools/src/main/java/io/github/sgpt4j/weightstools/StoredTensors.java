package io.github.sgpt4j.weightstools;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.files.FileEntries;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.weights.SafetensorsFile;
import io.github.sgpt4j.weights.ShardIndex;
import io.github.sgpt4j.weights.Weights;
import io.github.sgpt4j.weightstools.torch.TorchFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The tensors in a folder's weight files by name, read from headers. Problems of a file are reported,
/// and the other files are still read.
final class StoredTensors {
    private static final Pattern SHARD = Pattern.compile("model-\\d{5}-of-\\d{5}\\.safetensors");

    private final Path folder;
    private final Findings findings;
    private final Map<String, Stored> tensors = new TreeMap<>();

    /// @param file the file that contains it
    /// @param place equal for tensors that share their elements
    record Stored(Path file, ElementType type, Shape shape, String place) {
        long bytes() {
            return type.bytes(shape.elements());
        }
    }

    private StoredTensors(Path folder, Findings findings) {
        this.folder = folder;
        this.findings = findings;
    }

    /// @throws IOException if temporary files cannot be made
    static Map<String, Stored> read(Path folder, Findings findings) throws IOException {
        StoredTensors stored = new StoredTensors(folder, findings);
        stored.read();
        return stored.tensors;
    }

    private void read() throws IOException {
        boolean single = FileEntries.exists(folder.resolve(Weights.SINGLE_FILE));
        boolean index = FileEntries.exists(folder.resolve(Weights.INDEX_FILE));
        if (single) {
            readSafetensors(Weights.SINGLE_FILE);
            if (index) {
                findings.warn("%s: is not used, since %s exists as well"
                        .formatted(folder.resolve(Weights.INDEX_FILE), Weights.SINGLE_FILE));
            }
        } else if (index) {
            readShards(folder.resolve(Weights.INDEX_FILE), this::readSafetensors);
        } else if (FileEntries.exists(folder.resolve(SourceFolder.SINGLE_FILE))) {
            readPickled(SourceFolder.SINGLE_FILE);
        } else if (FileEntries.exists(folder.resolve(SourceFolder.INDEX_FILE))) {
            readShards(folder.resolve(SourceFolder.INDEX_FILE), this::readPickled);
        } else {
            findings.error("%s: expected %s, %s or pickled weights, found none"
                    .formatted(folder, Weights.SINGLE_FILE, Weights.INDEX_FILE));
        }
    }

    @FunctionalInterface
    private interface FileReader {
        void read(String name) throws IOException;
    }

    private void readSafetensors(String name) {
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile file = SafetensorsFile.open(folder.resolve(name), arena);
            file.tensors().forEach((tensor, t) -> put(tensor, new Stored(file.path(), t.dtype(), t.shape(), tensor)));
            file.unknown()
                    .forEach((tensor, type) -> findings.warn("%s: tensor %s: is not read, since its type %s is unknown"
                            .formatted(file.path(), Quoted.of(tensor), Quoted.of(type))));
        } catch (SgptException e) {
            findings.error(e);
        }
    }

    private void readPickled(String name) throws IOException {
        Path scratch = Files.createTempDirectory("sgpt-verify-");
        try (TorchFile file = TorchFile.open(folder.resolve(name), scratch)) {
            file.tensors().forEach((tensor, view) -> {
                String place = "%s %s %d".formatted(name, view.storage().key(), view.start());
                put(tensor, new Stored(file.path(), view.type(), view.shape(), place));
            });
        } catch (SgptException e) {
            findings.error(e);
        } finally {
            Files.deleteIfExists(scratch);
        }
    }

    private void put(String name, Stored tensor) {
        Stored other = tensors.putIfAbsent(name, tensor);
        if (other != null) {
            findings.error("%s: expected tensor %s in one file, got it in %s as well"
                    .formatted(tensor.file(), Quoted.of(name), other.file().getFileName()));
        }
    }

    private void readShards(Path path, FileReader reader) throws IOException {
        ShardIndex index;
        try {
            index = ShardIndex.read(path);
        } catch (FormatException e) {
            findings.error(e);
            return;
        }
        for (String shard : new TreeSet<>(index.shards().values())) {
            if (FileEntries.exists(folder.resolve(shard))) {
                reader.read(shard);
            } else {
                findings.error("%s: expected shard %s in the same directory, found nothing there"
                        .formatted(path, Quoted.of(shard)));
            }
        }
        compare(index);
        compareSize(path);
        if (path.endsWith(Weights.INDEX_FILE)) {
            findStrays(index);
        }
    }

    /// Each name in the index must be in its file; names in the files that the index lacks are not
    /// read.
    private void compare(ShardIndex index) {
        index.shards().forEach((name, shard) -> {
            Stored tensor = tensors.get(name);
            boolean there = FileEntries.exists(folder.resolve(shard));
            if (there && (tensor == null || !tensor.file().endsWith(shard))) {
                findings.error("%s: expected tensor %s in shard %s, found %s"
                        .formatted(
                                index.path(),
                                Quoted.of(name),
                                Quoted.of(shard),
                                tensor == null
                                        ? "none of that name"
                                        : "it in " + tensor.file().getFileName()));
            }
        });
        Map<String, Stored> unnamed = new LinkedHashMap<>(tensors);
        unnamed.keySet().removeAll(index.shards().keySet());
        unnamed.forEach((name, tensor) -> {
            findings.warn("%s: tensor %s is not in %s, so it is not read"
                    .formatted(tensor.file(), Quoted.of(name), index.path().getFileName()));
            tensors.remove(name);
        });
    }

    private void compareSize(Path index) {
        JsonNode stated = SourceFolder.json(index).path("metadata").path("total_size");
        long stored = tensors.values().stream().mapToLong(Stored::bytes).sum();
        if (stated.isNumber() && stated.asLong() != stored) {
            findings.warn("%s: metadata.total_size: expected %d, the bytes of all tensors, got %s"
                    .formatted(index, stored, stated));
        }
    }

    private void findStrays(ShardIndex index) throws IOException {
        TreeSet<String> strays = new TreeSet<>();
        try (Stream<Path> files = Files.list(folder)) {
            files.map(file -> String.valueOf(file.getFileName()))
                    .filter(name -> SHARD.matcher(name).matches())
                    .forEach(strays::add);
        }
        strays.removeAll(index.shards().values());
        strays.forEach(name -> findings.warn("%s: is not used, since %s does not name it"
                .formatted(folder.resolve(name), index.path().getFileName())));
    }
}
