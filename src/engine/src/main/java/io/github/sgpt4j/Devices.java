package io.github.sgpt4j;

import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.cpu.CpuBackend;
import io.github.sgpt4j.backend.cpu.CpuOptions;
import io.github.sgpt4j.backend.cpu.WeightFormat;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.weights.Quoted;
import java.util.List;
import java.util.regex.Pattern;

/// The devices that models can be computed on.
public final class Devices {
    private static final Pattern NAME = Pattern.compile("auto|cpu|cuda(:\\d{1,4})?");

    private static final String NO_CUDA = "this version computes on the CPU only";

    /// A device, or the reason why there is none.
    ///
    /// @param name as `--device` takes it
    /// @param available whether models can be opened on it
    /// @param description what it is, or why it is not available
    public record Device(String name, boolean available, String description) {}

    private Devices() {}

    /// What was found on this machine, and why not.
    public static List<Device> list() {
        Device cpu;
        try (CpuBackend backend = new CpuBackend(new CpuOptions(0, WeightFormat.AS_STORED))) {
            cpu = new Device("cpu", true, backend.description());
        } catch (BackendException e) {
            cpu = new Device("cpu", false, String.valueOf(e.getMessage()));
        }
        return List.of(cpu, new Device("cuda", false, NO_CUDA));
    }

    static void check(String device) {
        if (!NAME.matcher(device).matches()) {
            throw new IllegalArgumentException("device: expected auto, cpu or cuda[:N], got " + Quoted.of(device));
        }
    }

    /// Opens the device of `options`; `auto` is the CPU.
    static Backend open(ModelOptions options) {
        if (options.device().startsWith("cuda")) {
            throw new BackendException("device \"%s\" cannot be had: %s".formatted(options.device(), NO_CUDA));
        }
        return new CpuBackend(new CpuOptions(
                options.threads(),
                switch (options.dtype()) {
                    case AUTO -> WeightFormat.AS_STORED;
                    case FP32 -> WeightFormat.F32;
                    case BF16 -> WeightFormat.BF16;
                    case FP16 -> WeightFormat.F16;
                }));
    }
}
