package io.github.sgpt4j.model;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.files.FileEntries;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.model.family.Family;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.weights.Weights;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Where the files of a model are that may be an adapter on another: `adapter_config.json` with
/// `adapter_model.safetensors`, as peft saves them. The base model is in the same folder, or in one that the caller
/// names: a path in a checkpoint is never followed.
///
/// @param folder of the model, with tokenizer and adapter
/// @param base folder of the base model; `folder` itself if that holds one, or is no adapter
/// @param adapter what the adapter says, or empty
public record AdaptedModel(Path folder, Path base, Optional<AdapterConfig> adapter) {
    /// Name of an adapter's weight file.
    public static final String WEIGHTS = "adapter_model.safetensors";

    /// Name of the same, pickled.
    public static final String PICKLED = "adapter_model.bin";

    /// As [#of(Path, Optional, JsonFiles)].
    public static AdaptedModel of(Path folder, Optional<Path> base) {
        return of(folder, base, new JsonFiles());
    }

    /// Finds the parts of a model.
    ///
    /// @param folder of config.json, or of an adapter
    /// @param base the base model's folder, if an adapter needs one
    /// @param json reads the adapter's file
    /// @throws FormatException if the folder is an adapter without its base model, or is none and one is given
    public static AdaptedModel of(Path folder, Optional<Path> base, JsonFiles json) {
        if (!AdapterConfig.isIn(folder)) {
            base.ifPresent(given -> {
                throw new FormatException("%s: expected an adapter (%s) for the base model %s, found none"
                        .formatted(folder, AdapterConfig.FILE, given));
            });
            return new AdaptedModel(folder, folder, Optional.empty());
        }
        AdapterConfig config = AdapterConfig.read(folder, json);
        if (base.isPresent()) {
            return new AdaptedModel(folder, base.get(), Optional.of(config));
        }
        if (!holdsBase(folder)) {
            throw new FormatException(
                    "%s: key \"base_model_name_or_path\": the adapter needs its base model %s: expected its folder to be given"
                            .formatted(
                                    config.file().path(),
                                    config.baseModel().map(Quoted::of).orElse("(no name is stated)")));
        }
        return new AdaptedModel(folder, folder, Optional.of(config));
    }

    /// What an adapter names as its base model, unless that is in the same folder; empty for other folders.
    public static Optional<String> neededBase(Path folder) {
        if (!AdapterConfig.isIn(folder) || holdsBase(folder)) {
            return Optional.empty();
        }
        AdapterConfig config = AdapterConfig.read(folder, new JsonFiles());
        return config.baseModel()
                .map(name ->
                        config.revision().map(revision -> name + "@" + revision).orElse(name));
    }

    private static boolean holdsBase(Path folder) {
        return FileEntries.exists(folder.resolve("config.json"))
                && (Weights.hasSafetensors(folder) || Weights.hasPickled(folder));
    }

    /// Folder of config.json.
    public Path configuration() {
        return base;
    }

    /// Folder of the tokenizer: the adapter's own comes first.
    public Path tokenizer() {
        boolean own = List.of("tokenizer.json", "vocab.json").stream()
                .anyMatch(name -> FileEntries.exists(folder.resolve(name)));
        return own ? folder : base;
    }

    /// As [#openWeights(JsonFile)], with the configuration read here if it is needed.
    public Weights openWeights() {
        return adapter.isEmpty()
                ? Weights.open(folder)
                : openWeights(Family.readConfig(configuration(), new JsonFiles()));
    }

    /// Opens the weights, an adapter's merged in: what it changes is held as 32-bit floats in memory of its own.
    ///
    /// @param configuration `config.json` of [#configuration]
    /// @throws io.github.sgpt4j.error.SgptException if a file is missing, broken or asks for something
    ///     unsupported, or this thread is interrupted
    public Weights openWeights(JsonFile configuration) {
        if (adapter.isEmpty()) {
            return Weights.open(folder);
        }
        Weights stored = Weights.open(base);
        try {
            Weights trained = openAdapter();
            try {
                AdapterMerge merge = new AdapterMerge(adapter.get(), configuration, stored, trained);
                Cancellation cancellation = Cancellation.ofThisThread("merging the adapter in " + folder);
                return Weights.overlaid(stored, trained, memory -> merge.merge(memory, cancellation));
            } catch (RuntimeException | Error e) {
                trained.close();
                throw e;
            }
        } catch (RuntimeException | Error e) {
            stored.close();
            throw e;
        }
    }

    private Weights openAdapter() {
        if (!FileEntries.exists(folder.resolve(WEIGHTS)) && FileEntries.exists(folder.resolve(PICKLED))) {
            throw new FormatException(
                    "%s: expected %s, got only pickled weights (%s), which Converter.convert of sgpt4j-weights-tools converts"
                            .formatted(folder, WEIGHTS, PICKLED));
        }
        return Weights.openFile(folder.resolve(WEIGHTS));
    }
}
