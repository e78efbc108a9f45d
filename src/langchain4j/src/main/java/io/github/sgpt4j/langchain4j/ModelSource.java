package io.github.sgpt4j.langchain4j;

import io.github.sgpt4j.Model;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.weightstools.Models;
import io.github.sgpt4j.weightstools.ModelsListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Objects;

/// A model to open.
sealed interface ModelSource {
    /// Opens the model; the caller closes it.
    Model open(ModelOptions options);

    /// @param directory a checkpoint
    record Folder(Path directory) implements ModelSource {
        public Folder {
            Objects.requireNonNull(directory, "directory");
        }

        @Override
        public Model open(ModelOptions options) {
            return Model.open(directory, options);
        }
    }

    /// @param name a path, `OWNER/NAME` or `OWNER/NAME@REVISION`
    record Named(String name) implements ModelSource {
        public Named {
            Objects.requireNonNull(name, "modelName");
        }

        @Override
        public Model open(ModelOptions options) {
            try {
                return Hub.open(name, options);
            } catch (NoClassDefFoundError e) {
                throw missing(e, "weightstools", "modelName(\"%s\")".formatted(name), "sgpt4j-weights-tools");
            }
        }
    }

    /// The model of `sgpt4j-nano`.
    record BuiltIn() implements ModelSource {
        @Override
        public Model open(ModelOptions options) {
            try {
                return Model.open(Nano.directory(), options);
            } catch (NoClassDefFoundError e) {
                throw missing(e, "nano", "builtInModel()", "sgpt4j-nano");
            }
        }
    }

    /// What to say of an artifact that is not there; any other error is thrown again.
    private static IllegalStateException missing(
            NoClassDefFoundError error, String folder, String call, String artifact) {
        if (!String.valueOf(error.getMessage()).startsWith("io/github/sgpt4j/" + folder)) {
            throw error;
        }
        return new IllegalStateException(
                "%s: expected the artifact io.github.sgpt4j:%s on the class path, found none".formatted(call, artifact),
                error);
    }

    /// Loaded only if a model is opened by its name: the artifact with the tools is optional.
    final class Hub {
        private static final System.Logger LOGGER = System.getLogger(ModelSource.class.getName());

        private Hub() {}

        static Model open(String name, ModelOptions options) {
            try {
                return Models.open(name, options, new ModelsListener() {
                    @Override
                    public void notice(String sentence) {
                        LOGGER.log(System.Logger.Level.INFO, sentence);
                    }
                });
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /// Loaded only if the built-in model is opened: its artifact is optional.
    final class Nano {
        private Nano() {}

        static Path directory() {
            return NanoModel.directory();
        }
    }
}
