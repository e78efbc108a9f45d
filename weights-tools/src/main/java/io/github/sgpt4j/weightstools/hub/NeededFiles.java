package io.github.sgpt4j.weightstools.hub;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.checkpoint.EmbeddingSettings;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonReader;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.weights.ShardIndex;
import io.github.sgpt4j.weights.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/// Chooses the files of a repository that the engine reads: configuration, tokenizer, module folders of
/// sentence-transformers, and weights in the best available format.
///
/// Whatever else a repository contains, the only names ever chosen are those fixed here, and plain
/// names from `modules.json` and an index of weights.
final class NeededFiles {
    static final String MODULES_FILE = "modules.json";
    static final String PROMPTS_FILE = "config_sentence_transformers.json";
    static final String OWN_FILE = EmbeddingSettings.OWN_FILE;
    static final String LENGTH_FILE = "sentence_bert_config.json";
    static final String CONFIG_FILE = "config.json";
    static final String TOKENIZER_CONFIG_FILE = "tokenizer_config.json";

    private static final List<String> TRANSFORMER_FILES = List.of(
            LENGTH_FILE, TOKENIZER_CONFIG_FILE, "special_tokens_map.json", "added_tokens.json", "chat_template.jinja");
    private static final String TOKENIZER_FILE = "tokenizer.json";
    private static final List<String> VOCABULARY_FILES = List.of("vocab.json", "merges.txt");
    private static final List<String> SINGLE_WEIGHTS = List.of(Weights.SINGLE_FILE, "pytorch_model.bin");
    private static final int MAX_MODULES = 64;
    private static final long MAX_MODULES_BYTES = 1 << 20;
    private static final Pattern FOLDER = Pattern.compile("[\\w-][\\w.-]*(?:/[\\w-][\\w.-]*){0,3}");

    private final String name;
    private final Repository repository;
    private final Set<String> chosen = new LinkedHashSet<>();

    /// A repository to choose from.
    interface Repository {
        boolean has(String path);

        /// All of its files.
        Set<String> paths() throws IOException;

        /// Some of its files, for messages.
        String someNames();

        /// Makes a small file that names other files available locally.
        Path obtain(String path) throws IOException;
    }

    private NeededFiles(String name, Repository repository) {
        this.name = name;
        this.repository = repository;
    }

    /// The chosen paths.
    ///
    /// @param name of the model, for messages
    /// @throws FormatException if a file that names others is broken, or files named by it are missing
    /// @throws UnsupportedModelException if the repository contains no model that can be read
    /// @throws IOException if a file cannot be made available
    static Set<String> in(String name, Repository repository) throws IOException {
        NeededFiles files = new NeededFiles(name, repository);
        files.choose();
        return files.chosen;
    }

    private void choose() throws IOException {
        String transformer = "";
        if (repository.has(MODULES_FILE)) {
            chosen.add(MODULES_FILE);
            JsonNode modules = modules();
            for (JsonNode module : modules) {
                String folder = folder(module);
                if (kind(module).equals("Transformer")) {
                    transformer = folder;
                } else if (!folder.isEmpty()) {
                    addIfThere(folder + CONFIG_FILE);
                    addWeights(folder);
                }
            }
        }
        addIfThere(PROMPTS_FILE);
        addIfThere(OWN_FILE);
        addTransformer(transformer);
    }

    private void addTransformer(String folder) throws IOException {
        if (addAdapter(folder)) {
            return;
        }
        if (!repository.has(folder + CONFIG_FILE)) {
            throw new UnsupportedModelException("%s: expected a model with %s, found none; it has %s"
                    .formatted(name, folder + CONFIG_FILE, repository.someNames()));
        }
        chosen.add(folder + CONFIG_FILE);
        TRANSFORMER_FILES.forEach(file -> addIfThere(folder + file));
        if (repository.has(folder + TOKENIZER_FILE)) {
            chosen.add(folder + TOKENIZER_FILE);
        } else if (VOCABULARY_FILES.stream().allMatch(file -> repository.has(folder + file))) {
            VOCABULARY_FILES.forEach(file -> chosen.add(folder + file));
        } else {
            throw new UnsupportedModelException("%s: expected a tokenizer (%s, or %s), found none; it has %s"
                    .formatted(
                            name,
                            folder + TOKENIZER_FILE,
                            String.join(" with ", VOCABULARY_FILES),
                            repository.someNames()));
        }
        if (!addWeights(folder)) {
            throw new UnsupportedModelException("%s: expected weights (%s or %s), found none; it has %s"
                    .formatted(
                            name,
                            folder + SINGLE_WEIGHTS.getFirst(),
                            folder + SINGLE_WEIGHTS.getLast(),
                            repository.someNames()));
        }
    }

    /// Adds the files of an adapter, and of its base model if that is beside it.
    ///
    /// @return whether that is all, since the base model is elsewhere or only the adapter is wanted
    private boolean addAdapter(String folder) throws IOException {
        if (!repository.has(folder + AdapterFiles.CONFIG)) {
            return false;
        }
        chosen.add(folder + AdapterFiles.CONFIG);
        String weights = AdapterFiles.WEIGHTS.stream()
                .filter(file -> repository.has(folder + file))
                .findFirst()
                .orElseThrow(() ->
                        new UnsupportedModelException("%s: expected an adapter's weights (%s), found none; it has %s"
                                .formatted(name, String.join(" or ", AdapterFiles.WEIGHTS), repository.someNames())));
        chosen.add(folder + weights);
        boolean base = repository.has(folder + CONFIG_FILE) && addWeights(folder);
        if (!base) {
            addIfThere(folder + CONFIG_FILE);
            TRANSFORMER_FILES.forEach(file -> addIfThere(folder + file));
            addIfThere(folder + TOKENIZER_FILE);
            VOCABULARY_FILES.forEach(file -> addIfThere(folder + file));
        }
        return !base;
    }

    private void addIfThere(String path) {
        if (repository.has(path)) {
            chosen.add(path);
        }
    }

    /// Safetensors if there are any; of each format the single file first, in the order of
    /// transformers.
    private boolean addWeights(String folder) throws IOException {
        for (String single : SINGLE_WEIGHTS) {
            if (repository.has(folder + single)) {
                chosen.add(folder + single);
                return true;
            }
            String index = folder + single + ".index.json";
            if (repository.has(index)) {
                chosen.add(index);
                addShards(folder, index);
                return true;
            }
        }
        return false;
    }

    private void addShards(String folder, String index) throws IOException {
        for (String shard : new TreeSet<>(shards(index))) {
            if (!RemoteFile.isWeights(shard) || !repository.has(folder + shard)) {
                throw new FormatException("%s: %s: expected weight files of the repository, got %s"
                        .formatted(name, index, Quoted.of(shard)));
            }
            chosen.add(folder + shard);
        }
    }

    private Set<String> shards(String index) throws IOException {
        Path file = repository.obtain(index);
        try {
            return Set.copyOf(ShardIndex.read(file).shards().values());
        } catch (SgptException e) {
            // The file's path is a hash, so the message names the file.
            throw new FormatException("%s: %s: %s".formatted(name, index, e.getMessage()), e);
        }
    }

    private JsonNode modules() throws IOException {
        Path file = repository.obtain(MODULES_FILE);
        JsonNode modules = JsonReader.STRICT.read(file, "%s: %s".formatted(name, MODULES_FILE), MAX_MODULES_BYTES);
        if (!modules.isArray() || modules.isEmpty() || modules.size() > MAX_MODULES) {
            throw broken("a list of 1 to %d modules".formatted(MAX_MODULES), "something else");
        }
        return modules;
    }

    private FormatException broken(String expected, String got) {
        return new FormatException("%s: %s: expected %s, got %s".formatted(name, MODULES_FILE, expected, got));
    }

    private static String kind(JsonNode module) {
        String type = module.path("type").asText();
        return type.substring(type.lastIndexOf('.') + 1);
    }

    /// A module's folder with a trailing slash; empty for the repository itself.
    private String folder(JsonNode module) {
        String path = module.path("path").asText();
        if (path.isEmpty()) {
            return "";
        }
        if (!FOLDER.matcher(path).matches()) {
            throw broken("a folder of the repository as a module's path", Quoted.of(path));
        }
        return path + "/";
    }
}
