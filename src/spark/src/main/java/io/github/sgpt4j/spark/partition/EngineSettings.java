package io.github.sgpt4j.spark.partition;

import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.ModelOptions;
import java.io.Serializable;
import java.util.Objects;

/// Which model computes, and on what. Immutable and serializable: each `with` method returns a changed
/// copy. Equal settings share one engine in a virtual machine.
///
/// @param model folder of the checkpoint on the machine that computes; empty for the built-in model
/// @param device as [ModelOptions#withDevice]
/// @param dtype as [Dtype#parse]
/// @param batchTokens maximum tokens computed at the same time on a device; 0 for what suits it
/// @param threads CPU threads that compute, shared by all tasks; 0 for one per processor
public record EngineSettings(String model, String device, String dtype, int batchTokens, int threads)
        implements Serializable {
    /// The built-in model, everything else chosen automatically.
    public static final EngineSettings DEFAULT = new EngineSettings("", "auto", "auto", 0, 0);

    /// @throws IllegalArgumentException if a value is not allowed
    public EngineSettings {
        Objects.requireNonNull(model, "model");
        ModelOptions.DEFAULT.withDevice(device);
        dtype = Dtype.parse(dtype).toString();
        if (batchTokens < 0) {
            throw new IllegalArgumentException("batch tokens: expected at least 0, got " + batchTokens);
        }
        if (threads < 0 || threads > ModelOptions.MAX_THREADS) {
            throw new IllegalArgumentException(
                    "threads: expected 0 to %d, got %d".formatted(ModelOptions.MAX_THREADS, threads));
        }
    }

    /// With another model.
    ///
    /// @param value folder of the checkpoint on the machine that computes; empty for the built-in model
    public EngineSettings withModel(String value) {
        return new EngineSettings(value, device, dtype, batchTokens, threads);
    }

    /// On another device: `auto`, `cpu` or `cuda[:N[,N…]]`.
    ///
    /// @throws IllegalArgumentException if it has another form
    public EngineSettings withDevice(String value) {
        return new EngineSettings(model, value, dtype, batchTokens, threads);
    }

    /// With weights kept as another type, such as `bf16`.
    ///
    /// @throws IllegalArgumentException if no type has that name
    public EngineSettings withDtype(String value) {
        return new EngineSettings(model, device, value, batchTokens, threads);
    }

    /// With at most this many tokens computed at the same time; 0 for what suits the device.
    ///
    /// @throws IllegalArgumentException if negative
    public EngineSettings withBatchTokens(int value) {
        return new EngineSettings(model, device, dtype, value, threads);
    }

    /// With this many CPU threads; 0 for one per processor.
    ///
    /// @throws IllegalArgumentException if negative or more than [ModelOptions#MAX_THREADS]
    public EngineSettings withThreads(int value) {
        return new EngineSettings(model, device, dtype, batchTokens, value);
    }

    /// How the model is opened.
    ModelOptions modelOptions() {
        ModelOptions options = ModelOptions.DEFAULT.withDevice(device).withDtype(Dtype.parse(dtype));
        return threads == 0 ? options : options.withThreads(threads);
    }
}
