package io.github.sgpt4j.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.json.Unreadable;
import io.github.sgpt4j.model.AdaptedModel;
import io.github.sgpt4j.model.AdapterConfig;
import io.github.sgpt4j.text.Quoted;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;

/// Applies one rule to every file and key of a checkpoint: it is used, known to be harmless, refused,
/// or reported as unknown. The tables in the resources `keys/` say which.
///
/// Whether required files exist, and the values of keys that are used, are checked by the code that
/// reads them; nothing is checked twice.
public final class CheckpointFiles {
    /// Files in the folder of config.json with a table of the same name.
    private static final List<String> BESIDE_CONFIG =
            List.of("tokenizer_config", "special_tokens_map", "sentence_bert_config", "adapter_config");

    /// Further names in a folder are not checked.
    private static final int MAX_NAMES = 10_000;

    private final Path directory;
    private final Path transformer;
    private final JsonFiles json;
    private final List<String> notices = new ArrayList<>();

    private CheckpointFiles(Path directory, Path transformer, JsonFiles json) {
        this.directory = directory;
        this.transformer = transformer;
        this.json = json;
    }

    /// Checks the names of all files of a checkpoint, and the keys of those that have a table.
    ///
    /// @param directory the checkpoint
    /// @param modules the contents of its module files
    /// @param base folder of config.json, which differs from the transformer's if that is an adapter
    /// @param modelType the model's family
    /// @param json reads the files
    /// @return notices about unknown names that were ignored, one sentence per file
    /// @throws UnsupportedModelException if a file asks for something unsupported that changes results
    /// @throws FormatException if a file is not valid JSON, or a folder cannot be listed
    public static List<String> check(
            Path directory, SentenceModules modules, Path base, String modelType, JsonFiles json) {
        CheckpointFiles files = new CheckpointFiles(directory, modules.transformer(), json);
        files.transformer(modules.transformer(), modelType);
        files.modules();
        files.names();
        if (!base.normalize().equals(modules.transformer().normalize())) {
            files.transformer(base, modelType);
            files.names(base, KeyTable.read("files", ""));
        }
        return List.copyOf(files.notices);
    }

    private void transformer(Path folder, String modelType) {
        keys(folder.resolve("config.json"), "config", modelType);
        for (String name : BESIDE_CONFIG) {
            keys(folder.resolve(name + ".json"), name, "");
        }
    }

    private void modules() {
        keys(directory.resolve("config_sentence_transformers.json"), "config_sentence_transformers", "");
        keys(directory.resolve(EmbeddingSettings.OWN_FILE), "sgpt4j", "");
        noteStraySettings();
        Path file = directory.resolve("modules.json");
        if (!Files.isRegularFile(file)) {
            return;
        }
        keys(file, "modules", "");
        for (JsonNode module : json.tree(file)) {
            String type = module.path("type").asText();
            String kind = type.substring(type.lastIndexOf('.') + 1);
            Path config = directory.resolve(module.path("path").asText()).resolve("config.json");
            // The kind comes from an untrusted file.
            if (kind.chars().allMatch(Character::isLetterOrDigit) && Files.isRegularFile(config)) {
                Optional<KeyTable> table = KeyTable.find("modules/" + kind, "");
                if (table.isPresent()) {
                    KeyCheck.check(config, table.get(), json).ifPresent(notices::add);
                }
            }
        }
    }

    private void keys(Path file, String table, String kind) {
        if (Files.isRegularFile(file)) {
            KeyCheck.check(file, KeyTable.read(table, kind), json).ifPresent(notices::add);
        }
    }

    private void names() {
        KeyTable table = KeyTable.read("files", "");
        names(directory, table);
        if (!transformer.normalize().equals(directory.normalize())) {
            names(transformer, table);
        }
        noteStrayAdapter();
    }

    /// Only the settings of the checkpoint's own folder count.
    private void noteStraySettings() {
        Path stray = transformer.resolve(EmbeddingSettings.OWN_FILE);
        if (!transformer.normalize().equals(directory.normalize()) && Files.isRegularFile(stray)) {
            notices.add("%s: ignored, as it is not beside modules.json".formatted(stray));
        }
    }

    /// An adapter's weights are useless without its configuration.
    private void noteStrayAdapter() {
        Path weights = transformer.resolve(AdaptedModel.WEIGHTS);
        if (Files.isRegularFile(weights) && !AdapterConfig.isIn(transformer)) {
            notices.add("%s: an adapter's weights are ignored without adapter_config.json".formatted(weights));
        }
    }

    private void names(Path folder, KeyTable table) {
        TreeSet<String> names = new TreeSet<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                names.add(String.valueOf(entry.getFileName()));
                if (names.size() == MAX_NAMES) {
                    break;
                }
            }
        } catch (DirectoryIteratorException e) {
            throw Unreadable.of(folder, Objects.requireNonNull(e.getCause()));
        } catch (IOException e) {
            throw Unreadable.of(folder, e);
        }
        KeyCheck.Unknown unknown = new KeyCheck.Unknown("file");
        for (String name : names) {
            Optional<KeyRule> rule = table.rule(name);
            if (rule.isEmpty() && Files.isRegularFile(folder.resolve(name))) {
                unknown.add(name);
            } else if (rule.isPresent() && rule.get() instanceof KeyRule.Refused refused) {
                throw new UnsupportedModelException(
                        "%s: file %s is not supported: %s".formatted(folder, Quoted.of(name), refused.why()));
            }
        }
        unknown.notice(folder).ifPresent(notices::add);
    }
}
