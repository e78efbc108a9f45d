package io.github.sgpt4j.spring.ai.autoconfigure;

import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.weightstools.Models;
import io.github.sgpt4j.weightstools.ModelsListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.util.ClassUtils;

/// From the names of models in properties to their folders.
final class ModelFolders {
    /// What the built-in model is called.
    static final String BUILT_IN = "sgpt4j-nano";

    private static final Logger LOG = LoggerFactory.getLogger(ModelFolders.class);

    private ModelFolders() {}

    /// The folder of a model.
    ///
    /// @param property that named it, for messages
    /// @param name a folder, a name on the hub, or [#BUILT_IN]
    /// @throws SgptPropertyException if nothing has that name, or an artifact that it needs is absent
    private static Path of(String property, String name) {
        if (name.equals(BUILT_IN)) {
            return builtIn(property);
        }
        if (name.isBlank()) {
            throw new SgptPropertyException(property, "expected the name of a model, got nothing");
        }
        if (isFolder(name)) {
            return Path.of(name);
        }
        if (!isPresent("io.github.sgpt4j.weightstools.Models")) {
            throw new SgptPropertyException(
                    property,
                    "expected the folder of a model, found none at %s; names on the hub need the artifact sgpt4j-weights-tools"
                            .formatted(name));
        }
        return SgptPropertyException.opening(property, () -> Hub.folder(name));
    }

    private static Path builtIn(String property) {
        if (!isPresent("io.github.sgpt4j.nano.NanoModel")) {
            throw new SgptPropertyException(
                    property,
                    "expected the folder of a model, or the artifact sgpt4j-nano for the built-in model, got neither");
        }
        return BuiltIn.folder();
    }

    private static boolean isFolder(String name) {
        try {
            return Files.isDirectory(Path.of(name));
        } catch (InvalidPathException e) {
            return false;
        }
    }

    /// Whether the application has a class.
    private static boolean isPresent(String className) {
        return ClassUtils.isPresent(className, ClassUtils.getDefaultClassLoader());
    }

    /// How a model is opened.
    private static ModelOptions options(SgptProperties properties) {
        ModelOptions options = SgptPropertyException.naming(
                        SgptProperties.DEVICE, () -> ModelOptions.DEFAULT.withDevice(properties.device()))
                .withDtype(properties.dtype());
        Integer threads = properties.threads();
        return threads == null
                ? options
                : SgptPropertyException.naming(SgptProperties.THREADS, () -> options.withThreads(threads));
    }

    /// Opens a model in its folder.
    @FunctionalInterface
    interface Opening<T> {
        T open(Path folder, ModelOptions options);
    }

    /// Opens the model that a property names.
    ///
    /// @param name as in [#of]
    /// @throws SgptPropertyException if a property is the reason that it cannot be opened
    static <T> T open(String property, String name, SgptProperties properties, Opening<T> opening) {
        ModelOptions options = options(properties);
        Path folder = of(property, name);
        return SgptPropertyException.onDevice(
                properties, () -> SgptPropertyException.opening(property, () -> opening.open(folder, options)));
    }

    /// Loaded only where the artifact of the built-in model is present.
    private static final class BuiltIn {
        static Path folder() {
            return NanoModel.directory();
        }
    }

    /// Loaded only where the artifact that downloads is present.
    private static final class Hub {
        static Path folder(String name) throws IOException {
            return Models.directory(name, new ModelsListener() {
                @Override
                public void notice(String sentence) {
                    LOG.info("{}: {}", name, sentence);
                }
            });
        }
    }
}
