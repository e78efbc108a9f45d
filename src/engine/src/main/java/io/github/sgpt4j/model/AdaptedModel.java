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

/// Locations of the files of a model, which may be an adapter of a base model: `adapter_config.json`
/// with `adapter_model.safetensors`, as peft saves them. The base model is in the same folder, or in
/// one that the caller names: a path in a checkpoint is never followed.
///
/// @param folder of the model, with tokenizer and adapter
/// @param base folder of the base model; `folder` itself if it contains the base model or is not an
///     adapter
/// @param adapter the adapter's configuration, or empty
public record AdaptedModel(Path folder, Path base, Optional<AdapterConfig> adapter) {
    /// Name of an adapter's weight file.
    public static final String WEIGHTS = "adapter_model.safetensors";

    /// Name of an adapter's pickled weight file.
    public static final String PICKLED = "adapter_model.bin";

    /// As [#of(Path, Optional, JsonFiles)].
    public static AdaptedModel of(Path folder, Optional<Path> base) {
        return of(folder, base, new JsonFiles());
    }

    /// Finds the parts of a model.
    ///
    /// @param folder of config.json, or of an adapter
    /// @param base the base model's folder, if needed
    /// @param json reads the adapter's file
    /// @throws FormatException if the folder is an adapter without its base model, or not an adapter
    ///     although a base model is given
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
                    "%s: key \"base_model_name_or_path\": the adapter needs its base model %s: expected its folder, got none"
                            .formatted(
                                    config.file().path(),
                                    config.baseModel().map(Quoted::of).orElse("(no name is stated)")));
        }
        return new AdaptedModel(folder, folder, Optional.of(config));
    }

    /// The base model that an adapter names, unless it is in the same folder; empty if the folder is
    /// not an adapter.
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

    /// Folder of the tokenizer: the adapter's if it has one, otherwise the base model's.
    public Path tokenizer() {
        boolean own = List.of("tokenizer.json", "vocab.json").stream()
                .anyMatch(name -> FileEntries.exists(folder.resolve(name)));
        return own ? folder : base;
    }

    /// As [#openWeights(JsonFile)], which reads the configuration itself if needed.
    public Weights openWeights() {
        return adapter.isEmpty()
                ? Weights.open(folder)
                : openWeights(Family.readConfig(configuration(), new JsonFiles()));
    }

    /// Opens the weights, with an adapter's merged in: changed tensors are held in separate memory, as
    /// 32-bit floats.
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
