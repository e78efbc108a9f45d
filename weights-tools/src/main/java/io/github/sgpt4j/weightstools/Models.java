package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.Model;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.weightstools.hub.HubOptions;
import io.github.sgpt4j.weightstools.store.ModelStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/// Opens models in one call, by path or by their name on the Hugging Face hub.
///
/// A path that exists is opened. Otherwise `OWNER/NAME` or `OWNER/NAME@REVISION` is a model on the hub:
/// it is downloaded unless it is in the local cache, which Hugging Face's own tools use too. Pickled
/// weights (`pytorch_model.bin`) are converted once, into the user's cache (`sgpt4j/converted` in
/// `$XDG_CACHE_HOME`, `%LOCALAPPDATA%` or `~/.cache`), without running any code in them; a damaged
/// conversion is made again. The base model named by a LoRA adapter is found in the same way. The
/// environment variables are those of Hugging Face's own tools, see
/// [HubSettings#of][io.github.sgpt4j.weightstools.hub.HubSettings#of].
///
/// Several threads and processes may call this at once: while one of them downloads or converts, the
/// others wait for the result.
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
    /// @param options how to open the model; a base model named here is used instead of the one that
    ///     the adapter names
    /// @param listener reports a download or a conversion
    public static Model open(String name, ModelOptions options, ModelsListener listener) throws IOException {
        return open(System.getenv(), name, options, listener);
    }

    /// @param environment environment variables
    static Model open(Map<String, String> environment, String name, ModelOptions options, ModelsListener listener)
            throws IOException {
        ModelStore store = new ModelStore(environment, HubOptions.DEFAULT, listener);
        return store.open(store.find(name), options.baseModel().map(Path::toString), options, Model::open);
    }

    /// The directory of a model that the engine can read, for [Model#open(Path)] and other calls that
    /// take a checkpoint. The base model of an adapter is not searched for.
    ///
    /// @param name a path, `OWNER/NAME` or `OWNER/NAME@REVISION`
    /// @throws IOException if nothing has that name, an environment variable for the hub or a cache is
    ///     invalid, the hub refuses or cannot be reached, or a cache cannot be written
    /// @throws io.github.sgpt4j.error.SgptException if weights to convert are broken or unsupported
    public static Path directory(String name) throws IOException {
        return directory(name, ModelsListener.NONE);
    }

    /// As [#directory(String)].
    ///
    /// @param listener reports a download or a conversion
    public static Path directory(String name, ModelsListener listener) throws IOException {
        return directory(System.getenv(), name, listener);
    }

    /// @param environment environment variables
    static Path directory(Map<String, String> environment, String name, ModelsListener listener) throws IOException {
        ModelStore store = new ModelStore(environment, HubOptions.DEFAULT, listener);
        return store.readable(store.find(name));
    }
}
