package io.github.sgpt4j.langchain4j;

import io.github.sgpt4j.Model;
import io.github.sgpt4j.ModelOptions;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Says which model to compute with: exactly one of [#directory], [#modelName], [#builtInModel] and an
/// encoder that is open already.
///
/// @param <E> the encoder
/// @param <B> the builder itself
public abstract sealed class ModelBuilder<E extends AutoCloseable, B extends ModelBuilder<E, B>>
        permits SgptEmbeddingModel.Builder, SgptScoringModel.Builder {
    /// The call that chose the model, for messages.
    private @Nullable String chosenBy;

    private @Nullable ModelSource source;
    private @Nullable E encoder;
    private @Nullable ModelOptions modelOptions;

    ModelBuilder() {}

    /// An encoder with what is closed together with it.
    ///
    /// @param name of the model, if the caller gave one
    /// @param owned closed in this order; empty for a borrowed encoder
    record Opened<E>(E encoder, Optional<String> name, Runnable owned) {}

    abstract B self();

    /// An encoder over a model that stays open until the encoder is closed.
    abstract E encoder(Model model);

    /// Whether options of the encoder were given, which an open encoder cannot take any more.
    abstract boolean hasOptions();

    /// A checkpoint in the layout of the Hugging Face hub; see [Model#open(Path)].
    public B directory(Path directory) {
        source = new ModelSource.Folder(directory);
        return chosen("directory");
    }

    /// A path, `OWNER/NAME` or `OWNER/NAME@REVISION` on the Hugging Face hub. A model of the hub is
    /// downloaded unless it is in the local cache. Needs the artifact `sgpt4j-weights-tools`.
    public B modelName(String name) {
        source = new ModelSource.Named(name);
        return chosen("modelName");
    }

    /// The small model of the artifact `sgpt4j-nano`, which must be present.
    public B builtInModel() {
        source = new ModelSource.BuiltIn();
        return chosen("builtInModel");
    }

    /// An encoder that is open. It is borrowed: the caller closes it, after what is built here.
    public B encoder(E open) {
        encoder = Objects.requireNonNull(open, "encoder");
        return chosen("encoder");
    }

    /// Device, types of weights and threads of a model that is opened here.
    public B modelOptions(ModelOptions options) {
        modelOptions = Objects.requireNonNull(options, "modelOptions");
        return self();
    }

    private B chosen(String call) {
        if (chosenBy != null) {
            throw new IllegalArgumentException(
                    "model: expected one of directory, modelName, builtInModel and encoder, got %s and %s"
                            .formatted(chosenBy, call));
        }
        chosenBy = call;
        return self();
    }

    /// @throws IllegalArgumentException if no model was chosen, or options were given for an open encoder
    Opened<E> open() {
        if (encoder != null) {
            if (modelOptions != null || hasOptions()) {
                throw new IllegalArgumentException("%s: expected none beside an encoder that is already open, got some"
                        .formatted(modelOptions != null ? "modelOptions" : "options"));
            }
            return new Opened<>(encoder, Optional.empty(), () -> {});
        }
        if (source == null) {
            throw new IllegalArgumentException(
                    "model: expected one of directory, modelName, builtInModel and encoder, got none");
        }
        return open(source, source.open(modelOptions == null ? ModelOptions.DEFAULT : modelOptions));
    }

    private Opened<E> open(ModelSource from, Model model) {
        try {
            E made = encoder(model);
            Optional<String> name =
                    from instanceof ModelSource.Named(String given) ? Optional.of(given) : Optional.empty();
            return new Opened<>(made, name, () -> close(made, model));
        } catch (RuntimeException | Error e) {
            model.close();
            throw e;
        }
    }

    abstract void close(E made);

    private void close(E made, Model model) {
        try {
            close(made);
        } finally {
            model.close();
        }
    }
}
