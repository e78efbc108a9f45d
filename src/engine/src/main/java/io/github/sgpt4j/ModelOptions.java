package io.github.sgpt4j;

import io.github.sgpt4j.backend.cpu.CpuOptions;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/// How a model is opened. Immutable: each `with` method returns a changed copy.
public final class ModelOptions {
    /// Device and types chosen automatically.
    public static final ModelOptions DEFAULT = new ModelOptions(new Values("auto", Dtype.AUTO, null, null, null));

    /// Maximum of [#withThreads].
    public static final int MAX_THREADS = CpuOptions.MAX_THREADS;

    private record Values(
            String device,
            Dtype dtype,
            @Nullable Integer threads,
            @Nullable Path baseModel,
            @Nullable Path biases) {}

    private final Values values;

    private ModelOptions(Values values) {
        this.values = values;
    }

    /// `auto`, `cpu` or `cuda[:N[,N…]]`: a GPU by its number, or several GPUs that share the batches;
    /// `auto` is the first GPU if it is usable, otherwise the CPU.
    public String device() {
        return values.device;
    }

    /// On another device: `auto`, `cpu` or `cuda[:N[,N…]]`.
    ///
    /// @throws IllegalArgumentException if it has another form
    public ModelOptions withDevice(String value) {
        Devices.check(value);
        return new ModelOptions(new Values(value, values.dtype, values.threads, values.baseModel, values.biases));
    }

    /// How weights are kept.
    public Dtype dtype() {
        return values.dtype;
    }

    /// With weights kept as another type.
    public ModelOptions withDtype(Dtype value) {
        return new ModelOptions(new Values(values.device, value, values.threads, values.baseModel, values.biases));
    }

    /// CPU threads that compute, shared by concurrent calls; empty for one per processor.
    public OptionalInt threads() {
        return values.threads == null ? OptionalInt.empty() : OptionalInt.of(values.threads);
    }

    /// With this many CPU threads.
    ///
    /// @throws IllegalArgumentException if not 1 to [#MAX_THREADS]
    public ModelOptions withThreads(int value) {
        if (value < 1 || value > MAX_THREADS) {
            throw new IllegalArgumentException("threads: expected 1 to %d, got %d".formatted(MAX_THREADS, value));
        }
        return new ModelOptions(new Values(values.device, values.dtype, value, values.baseModel, values.biases));
    }

    /// Folder of the model that an adapter belongs to, unless it is in the adapter's own folder.
    public Optional<Path> baseModel() {
        return Optional.ofNullable(values.baseModel);
    }

    /// With the folder of the model that an adapter (adapter_config.json) belongs to. The base model
    /// that the adapter itself names is never opened, since it may be any path.
    public ModelOptions withBaseModel(Path folder) {
        return new ModelOptions(new Values(values.device, values.dtype, values.threads, folder, values.biases));
    }

    /// File with trained tensors that replace some of the model's.
    public Optional<Path> biases() {
        return Optional.ofNullable(values.biases);
    }

    /// With the trained tensors in a file (`biases.safetensors`) instead of the model's own. Pooling,
    /// brackets and length are those that they were trained with. The file belongs to one model and is
    /// refused with any other.
    public ModelOptions withBiases(Path file) {
        return new ModelOptions(new Values(values.device, values.dtype, values.threads, values.baseModel, file));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ModelOptions options && values.equals(options.values);
    }

    @Override
    public int hashCode() {
        return values.hashCode();
    }

    @Override
    public String toString() {
        return values.toString().replaceFirst("Values", "ModelOptions");
    }
}
