package io.github.sgpt4j.weightstools;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.checkpoint.EmbeddingSettings;
import io.github.sgpt4j.checkpoint.SentenceModules;
import io.github.sgpt4j.checkpoint.TrainedCheckpoint;
import io.github.sgpt4j.files.FileEntries;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The files of a trained model that say how texts become embeddings: those of sentence-transformers, in
/// the form that its version 2.2 reads as well as later ones, and `sgpt4j.json`.
final class SentenceFiles {
    private static final String TYPES = "sentence_transformers.models.";
    private static final String USE_FILE = "config_sentence_transformers.json";
    private static final List<String> PROMPTS = List.of("prompts", "default_prompt_name");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final TrainedCheckpoint trained;
    private final Path folder;
    private final ArrayNode list = JSON.createArrayNode();
    private final List<Part> modules = new ArrayList<>();
    private final Map<String, Path> beside = new TreeMap<>();

    private SentenceFiles(TrainedCheckpoint trained, Path folder) {
        this.trained = trained;
        this.folder = folder;
    }

    /// Writes them.
    ///
    /// @param folder an existing folder for new files
    static SentenceFiles write(TrainedCheckpoint trained, Path folder) throws IOException {
        SentenceFiles files = new SentenceFiles(trained, folder);
        files.write();
        return files;
    }

    /// The files beside `config.json`, by name.
    Map<String, Path> beside() {
        return beside;
    }

    /// The folders of modules.
    List<Part> modules() {
        return modules;
    }

    private void write() throws IOException {
        list("Transformer", "");
        for (Path layer : trained.modules().tokenLayers()) {
            copy("Dense", layer);
        }
        Path pooling = folder.resolve("pooling.json");
        write(pooling, pooling());
        add("Pooling", Map.of(SourceFolder.CONFIG_FILE, pooling));
        for (SentenceModules.Step step : trained.modules().steps()) {
            switch (step) {
                case SentenceModules.Step.Normalize normalize -> add("Normalize", Map.of());
                case SentenceModules.Step.Dense dense -> copy("Dense", dense.directory());
            }
        }
        beside("modules.json", list);
        beside("sentence_bert_config.json", lengths());
        beside(USE_FILE, use());
        beside(
                EmbeddingSettings.OWN_FILE,
                JSON.createObjectNode().put("specb", trained.settings().specb()));
    }

    private void beside(String name, JsonNode content) throws IOException {
        Path file = folder.resolve(name);
        write(file, content);
        beside.put(name, file);
    }

    private static void write(Path file, JsonNode content) throws IOException {
        JSON.writerWithDefaultPrettyPrinter().writeValue(file.toFile(), content);
    }

    private String list(String kind, String path) {
        int index = list.size();
        list.addObject()
                .put("idx", index)
                .put("name", Integer.toString(index))
                .put("path", path)
                .put("type", TYPES + kind);
        return path;
    }

    private void add(String kind, Map<String, Path> copied) {
        Path path = Path.of(list(kind, "%d_%s".formatted(list.size(), kind)));
        modules.add(new Part(path, WeightPlan.none(), Map.of(), copied, ConfigChange.NONE));
    }

    private void copy(String kind, Path module) throws IOException {
        add(kind, SourceFolder.copied(module, true));
    }

    /// The seven keys of version 2.2, which accepts no others. `include_prompt` is added only where the base
    /// model leaves prompts out of pooling: older versions know no prompts.
    private ObjectNode pooling() {
        ObjectNode config = JSON.createObjectNode().put("word_embedding_dimension", trained.tokenWidth());
        trained.settings().poolingFlags().forEach(config::put);
        return trained.modules().includePrompt() ? config : config.put("include_prompt", false);
    }

    private ObjectNode lengths() {
        return JSON.createObjectNode()
                .put("max_seq_length", trained.settings().maxLength())
                .put("do_lower_case", trained.modules().lowerCase());
    }

    /// The base model's file; brackets replace its prompts.
    private ObjectNode use() {
        Path file = trained.directory().resolve(USE_FILE);
        ObjectNode use = JSON.createObjectNode();
        if (FileEntries.exists(file) && SourceFolder.json(file) instanceof ObjectNode own) {
            use.setAll(own);
        } else {
            use.putObject("__version__");
            use.putObject("prompts");
            use.putNull("default_prompt_name");
            use.put("similarity_fn_name", "cosine");
        }
        return trained.settings().specb() ? use.without(PROMPTS) : use;
    }
}
