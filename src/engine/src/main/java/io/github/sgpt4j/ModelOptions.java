package io.github.sgpt4j;

import java.nio.file.Path;
import java.util.Optional;

/// How a model is opened. Immutable: each `with` method returns a changed copy.
///
/// @param device `auto`, `cpu` or `cuda[:N[,N…]]`: a GPU by its number, or several that batches are shared out to;
///     `auto` is the first GPU where one can be used, else the CPU
/// @param dtype how weights are kept
/// @param threads CPU threads that compute, 0 for one per processor; calls at the same time share them
/// @param baseModel folder of the model that an adapter belongs to, unless it is in the adapter's own folder
public record ModelOptions(String device, Dtype dtype, int threads, Optional<Path> baseModel) {
    /// Device and types chosen automatically.
    public static final ModelOptions DEFAULT = new ModelOptions("auto", Dtype.AUTO, 0, Optional.empty());

    private static final int MAX_THREADS = 4096;

    /// @throws IllegalArgumentException if `device` has another form, or `threads` is not 0 to 4096
    public ModelOptions {
        Devices.check(device);
        if (threads < 0 || threads > MAX_THREADS) {
            throw new IllegalArgumentException("threads: expected 0 to %d, got %d".formatted(MAX_THREADS, threads));
        }
    }

    /// On another device: `auto`, `cpu` or `cuda[:N[,N…]]`.
    ///
    /// @throws IllegalArgumentException if it has another form
    public ModelOptions withDevice(String value) {
        return new ModelOptions(value, dtype, threads, baseModel);
    }

    /// With weights kept as another type.
    public ModelOptions withDtype(Dtype value) {
        return new ModelOptions(device, value, threads, baseModel);
    }

    /// With this many CPU threads, 0 for one per processor.
    ///
    /// @throws IllegalArgumentException if not 0 to 4096
    public ModelOptions withThreads(int value) {
        return new ModelOptions(device, dtype, value, baseModel);
    }

    /// With the folder of the model that an adapter (adapter_config.json) belongs to. What the adapter itself names as
    /// its base model is never opened: that may be any path.
    public ModelOptions withBaseModel(Path folder) {
        return new ModelOptions(device, dtype, threads, Optional.of(folder));
    }
}
