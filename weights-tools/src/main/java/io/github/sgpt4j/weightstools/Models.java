package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.Model;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.weightstools.hub.HubOptions;
import io.github.sgpt4j.weightstools.store.ModelStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/// Opens models in one call, by path or by the name that the Hugging Face hub has for them.
///
/// What is at a path is taken from there. Otherwise `OWNER/NAME` or `OWNER/NAME@REVISION` is a
/// model on the hub: it is downloaded, unless the local cache, which Hugging Face's own tools use
/// too, has it. Pickled weights (`pytorch_model.bin`) are converted once, into the user's cache
/// (`sgpt4j/converted` in `$XDG_CACHE_HOME`, `%LOCALAPPDATA%` or `~/.cache`), without running any
/// code in them; a damaged conversion is made again. The base model that a LoRA adapter names is
/// found in the same way. The environment variables are those of Hugging Face's own tools, see
/// [HubSettings#of][io.github.sgpt4j.weightstools.hub.HubSettings#of].
///
/// Several threads and processes may call this at once: what one of them downloads or converts,
/// others wait for.
public final class Models {
    private Models() {}

    /// Opens a model with the default options; the caller closes it.
    ///
    /// @param name a path, `OWNER/NAME` or `OWNER/NAME@REVISION`
    /// @throws IOException as [#directory(String)]
    /// @throws io.github.sgpt4j.error.SgptException as [Model#open(Path, ModelOptions)]
    public static Model open(String name) throws IOException {
        return open(name, ModelOptions.DEFAULT, ModelsListener.NONE);
    }

    /// As [#open(String)].
    ///
    /// @param options how the model is opened; a base model that is named here is used instead of
    ///     the one that an adapter names
    /// @param listener hears of a download or a conversion
    public static Model open(String name, ModelOptions options, ModelsListener listener) throws IOException {
        return open(System.getenv(), name, options, listener);
    }

    /// @param environment environment variables
    static Model open(Map<String, String> environment, String name, ModelOptions options, ModelsListener listener)
            throws IOException {
        ModelStore store = new ModelStore(environment, HubOptions.DEFAULT, listener);
        return store.open(store.find(name), options.baseModel().map(Path::toString), options, Model::open);
    }

    /// The directory of a model that the engine can read, for [Model#open(Path)] and other calls
    /// that take a checkpoint. The base model of an adapter is not looked for.
    ///
    /// @param name a path, `OWNER/NAME` or `OWNER/NAME@REVISION`
    /// @throws IOException if there is nothing of that name, an environment variable about it is
    ///     wrong, the hub refuses or cannot be reached, or a cache cannot be written
    /// @throws io.github.sgpt4j.error.SgptException if weights to convert are broken or unsupported
    public static Path directory(String name) throws IOException {
        return directory(name, ModelsListener.NONE);
    }

    /// As [#directory(String)].
    ///
    /// @param listener hears of a download or a conversion
    public static Path directory(String name, ModelsListener listener) throws IOException {
        return directory(System.getenv(), name, listener);
    }

    /// @param environment environment variables
    static Path directory(Map<String, String> environment, String name, ModelsListener listener) throws IOException {
        ModelStore store = new ModelStore(environment, HubOptions.DEFAULT, listener);
        return store.readable(store.find(name));
    }
}
