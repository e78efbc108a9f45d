package io.github.sgpt4j.weightstools;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.files.FileEntries;
import io.github.sgpt4j.json.Unreadable;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.weights.MappedFile;
import io.github.sgpt4j.weights.ShardIndex;
import io.github.sgpt4j.weights.Weights;
import io.github.sgpt4j.weightstools.hub.AdapterFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A checkpoint as published: weights, and the files beside them.
final class SourceFolder {
    static final String SINGLE_FILE = "pytorch_model.bin";
    static final String INDEX_FILE = "pytorch_model.bin.index.json";
    static final String CONFIG_FILE = "config.json";

    static final String ADAPTER = AdapterFiles.WEIGHTS.getFirst();

    static final String PICKLED_ADAPTER = AdapterFiles.WEIGHTS.getLast();
    private static final String MODULES_FILE = "modules.json";
    private static final long MAX_JSON_BYTES = 16L << 20;
    private static final ObjectMapper JSON = new ObjectMapper();

    /// Configuration, tokenizers, texts about the model, terms of use.
    private static final Pattern COPIED = Pattern.compile(
            ".*\\.(json|txt|md|model|jinja|tiktoken)|(licen[cs]e|notice|copying)(\\..*)?", Pattern.CASE_INSENSITIVE);

    private static final Pattern TOKENIZER = Pattern.compile(
            "(tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|merges|chat_template|encoder|dict|tekken)\\..*"
                    + "|.*\\.(model|tiktoken|jinja)");

    private static final Pattern TERMS = Pattern.compile("(licen[cs]e|notice|copying).*", Pattern.CASE_INSENSITIVE);

    private SourceFolder() {}

    /// Whether a file of this name belongs to a tokenizer.
    static boolean isTokenizer(String name) {
        return TOKENIZER.matcher(name).matches();
    }

    /// Whether a file of this name contains terms of use.
    static boolean isTerms(String name) {
        return TERMS.matcher(name).matches();
    }

    /// The folder itself (an empty path) and the folders of its modules that exist, relative to it.
    ///
    /// @throws FormatException if `modules.json` is broken or names a folder outside the checkpoint
    static List<Path> folders(Path source) {
        List<Path> folders = new ArrayList<>(List.of(Path.of("")));
        Path file = source.resolve(MODULES_FILE);
        if (!FileEntries.exists(file)) {
            return folders;
        }
        for (JsonNode module : json(file)) {
            String path = module.path("path").asText();
            if (path.isEmpty()) {
                continue;
            }
            if (!path.matches("[\\w.-]+") || path.matches("\\.+")) {
                throw new FormatException("%s: expected a folder of the checkpoint as a module's path, got %s"
                        .formatted(file, Quoted.of(path)));
            }
            Path folder = Path.of(path);
            if (Files.isDirectory(source.resolve(folder)) && !folders.contains(folder)) {
                folders.add(folder);
            }
        }
        return folders;
    }

    /// A model's pickled weight files in a folder, which may be none; without an adapter's.
    ///
    /// @throws FormatException if an index is broken, or files named by it are missing
    static List<Path> weights(Path folder) {
        Path single = folder.resolve(SINGLE_FILE);
        if (FileEntries.exists(single)) {
            return List.of(single);
        }
        Path index = folder.resolve(INDEX_FILE);
        if (!FileEntries.exists(index)) {
            return List.of();
        }
        List<Path> files = new ArrayList<>();
        for (String name : new TreeSet<>(ShardIndex.read(index).shards().values())) {
            Path file = folder.resolve(name);
            if (!FileEntries.exists(file)) {
                throw new FormatException("%s: expected file %s in the same folder, found nothing there"
                        .formatted(index, Quoted.of(name)));
            }
            files.add(file);
        }
        return files;
    }

    /// Whether a checkpoint, or the folder of one of its modules, is an adapter.
    static boolean isAdapter(Path source) {
        return folders(source).stream()
                .anyMatch(folder -> FileEntries.exists(source.resolve(folder).resolve(AdapterFiles.CONFIG)));
    }

    /// Whether a folder is an adapter with pickled weights only; its base model may be there too, in
    /// any format.
    static boolean isPickledAdapter(Path folder) {
        return FileEntries.exists(folder.resolve(AdapterFiles.CONFIG))
                && FileEntries.exists(folder.resolve(PICKLED_ADAPTER))
                && !FileEntries.exists(folder.resolve(ADAPTER));
    }

    /// Which file contains which tensor according to the index; empty if there is no index.
    static Map<String, String> index(Path folder) {
        Path index = folder.resolve(INDEX_FILE);
        boolean single = FileEntries.exists(folder.resolve(SINGLE_FILE));
        return single || !FileEntries.exists(index)
                ? Map.of()
                : ShardIndex.read(index).shards();
    }

    /// Files directly in a folder that a converted checkpoint needs as well, by name.
    ///
    /// @param weights whether to include safetensors, since the folder has nothing to convert
    static Map<String, Path> copied(Path folder, boolean weights) throws IOException {
        Map<String, Path> copied = new TreeMap<>();
        try (Stream<Path> files = Files.list(folder)) {
            files.filter(Files::isRegularFile)
                    .map(Path::getFileName)
                    .map(Path::toString)
                    .filter(name -> isSafetensors(name)
                            ? weights
                            : name.equals(ADAPTER)
                                    || COPIED.matcher(name).matches()
                                            && !name.toLowerCase(Locale.ROOT).endsWith(".index.json"))
                    .forEach(name -> copied.put(name, folder.resolve(name)));
        }
        return copied;
    }

    private static boolean isSafetensors(String name) {
        return (name.endsWith(".safetensors") || name.equals(Weights.INDEX_FILE)) && !name.equals(ADAPTER);
    }

    /// Whether the configuration says that the output head is not tied to the embedding table.
    static boolean isUntied(Path source) {
        Path config = source.resolve(CONFIG_FILE);
        return FileEntries.exists(config)
                && json(config).path("tie_word_embeddings").isBoolean()
                && !json(config).path("tie_word_embeddings").booleanValue();
    }

    static JsonNode json(Path file) {
        MappedFile.requireRegular(file, "a JSON file");
        try {
            if (Files.size(file) > MAX_JSON_BYTES) {
                throw new FormatException(
                        "%s: expected at most %d bytes, got %d".formatted(file, MAX_JSON_BYTES, Files.size(file)));
            }
            return JSON.readTree(file.toFile());
        } catch (IOException e) {
            throw Unreadable.of(file, e);
        }
    }
}
