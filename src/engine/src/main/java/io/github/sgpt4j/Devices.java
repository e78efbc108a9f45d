package io.github.sgpt4j;

import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.cpu.CpuBackend;
import io.github.sgpt4j.backend.cpu.CpuOptions;
import io.github.sgpt4j.backend.cuda.CudaBackend;
import io.github.sgpt4j.backend.cuda.device.CudaDevices;
import io.github.sgpt4j.backend.cuda.device.CudaOptions;
import io.github.sgpt4j.backend.cuda.device.DeviceInfo;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.text.Quoted;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// The devices that models can run on.
public final class Devices {
    private static final Pattern NAME = Pattern.compile("auto|cpu|cuda(:\\d{1,4}(,\\d{1,4})*)?");

    /// Minimum device memory that a model needs besides its weights.
    private static final long ROOM_BYTES = 64L << 20;

    /// A device, or the reason why it is unavailable.
    ///
    /// @param name as `--device` accepts it
    /// @param available whether models can be opened on it
    /// @param description what it is, or why it is unavailable
    public record Device(String name, boolean available, String description) {}

    /// A native library that the GPU backend uses.
    ///
    /// @param name such as `cuBLASLt`
    /// @param available whether it was found and works
    /// @param description version and path, or why it is unavailable
    public record Library(String name, boolean available, String description) {}

    /// The devices that a model uses.
    ///
    /// @param backends one per device
    /// @param notice why `auto` chose the CPU although a GPU was expected, or empty
    record Opened(List<Backend> backends, Optional<String> notice) {
        /// Whether numbers on a device end at 65504.
        boolean areHalf() {
            return backends.stream().anyMatch(backend -> backend instanceof CudaBackend cuda && cuda.isHalf());
        }

        /// The type that a GPU chose if none was asked for; otherwise that one.
        Dtype inUse(Dtype asked) {
            return asked == Dtype.AUTO && backends.getFirst() instanceof CudaBackend cuda
                    ? Dtype.parse(cuda.arithmetic().name())
                    : asked;
        }

        /// What came up while computing, each sentence once.
        List<String> noticesInUse() {
            return backends.stream()
                    .flatMap(backend -> backend.notices().stream())
                    .distinct()
                    .toList();
        }
    }

    private Devices() {}

    /// All devices of this machine; unavailable ones with the reason.
    public static List<Device> list() {
        return list(ModelOptions.DEFAULT);
    }

    /// As [#list()]; the CPU is described as a model with these options would use it: threads and
    /// weight format.
    public static List<Device> list(ModelOptions options) {
        List<Device> devices = new ArrayList<>();
        try (CpuBackend backend = openCpu(options)) {
            devices.add(new Device("cpu", true, backend.description()));
        } catch (BackendException e) {
            devices.add(new Device("cpu", false, String.valueOf(e.getMessage())));
        }
        if (!CudaDevices.nativeAccessEnabled()) {
            devices.add(new Device("cuda", false, CudaDevices.nativeAccessAdvice()));
            return devices;
        }
        try {
            for (DeviceInfo device : CudaDevices.list()) {
                String description = "%s, compute capability %s, %,d MiB, %d multiprocessors"
                        .formatted(device.name(), device.capability(), device.memory() >> 20, device.multiprocessors());
                Optional<String> problem = CudaDevices.problem(device);
                devices.add(new Device(
                        "cuda:" + device.ordinal(),
                        problem.isEmpty(),
                        problem.map(p -> description + ": " + p).orElse(description)));
            }
        } catch (BackendException e) {
            devices.add(new Device("cuda", false, String.valueOf(e.getMessage())));
        }
        return devices;
    }

    /// The native libraries that the GPU backend uses: where they were found, or why not.
    public static List<Library> libraries() {
        if (!CudaDevices.nativeAccessEnabled()) {
            return List.of();
        }
        return CudaDevices.libraries().stream()
                .map(library -> new Library(library.name(), library.found(), library.description()))
                .toList();
    }

    static void check(String device) {
        if (!NAME.matcher(device).matches()) {
            throw new IllegalArgumentException(
                    "device: expected auto, cpu or cuda[:N[,N...]], got " + Quoted.of(device));
        }
        List<String> numbers = numbers(device);
        if (numbers.size() != numbers.stream().map(Integer::valueOf).distinct().count()) {
            throw new IllegalArgumentException("device: expected different numbers, got " + Quoted.of(device));
        }
    }

    private static List<String> numbers(String device) {
        return device.startsWith("cuda:")
                ? Arrays.asList(device.substring("cuda:".length()).split(","))
                : List.of();
    }

    /// Opens the first device of `options`.
    static Backend open(ModelOptions options) {
        return open(options, 0, false).backends().getFirst();
    }

    /// Opens the devices of `options`: `auto` is the first GPU if it is usable and has room for the
    /// weights, otherwise the CPU.
    ///
    /// @param elements number of weights
    /// @param fitsHalf as [io.github.sgpt4j.model.family.Family#fitsHalf]
    /// @throws BackendException if a device is unavailable
    static Opened open(ModelOptions options, long elements, boolean fitsHalf) {
        if (options.device().startsWith("cuda")) {
            return new Opened(openCuda(options, fitsHalf), Optional.empty());
        }
        if (options.device().equals("auto") && CudaDevices.isExpected()) {
            try {
                if (!CudaDevices.nativeAccessEnabled()) {
                    throw new BackendException("cuda: " + CudaDevices.nativeAccessAdvice());
                }
                return new Opened(List.of(openWithRoom(options, elements, fitsHalf)), Optional.empty());
            } catch (BackendException e) {
                return new Opened(List.of(openCpu(options)), Optional.of("computing on the CPU, " + e.getMessage()));
            }
        }
        return new Opened(List.of(openCpu(options)), Optional.empty());
    }

    private static List<Backend> openCuda(ModelOptions options, boolean fitsHalf) {
        List<String> numbers = numbers(options.device());
        List<Backend> backends = new ArrayList<>();
        try {
            for (String number : numbers.isEmpty() ? List.of("0") : numbers) {
                backends.add(new CudaBackend(cudaOptions(Integer.parseInt(number), options, fitsHalf)));
            }
            return backends;
        } catch (BackendException e) {
            backends.forEach(Backend::close);
            throw new BackendException(
                    "device \"%s\" is unavailable: %s".formatted(options.device(), e.getMessage()), e);
        }
    }

    private static CudaOptions cudaOptions(int ordinal, ModelOptions options, boolean fitsHalf) {
        return new CudaOptions(ordinal, precision(options.dtype())).withFitsHalf(fitsHalf);
    }

    private static Backend openWithRoom(ModelOptions options, long elements, boolean fitsHalf) {
        CudaBackend backend = new CudaBackend(cudaOptions(0, options, fitsHalf));
        try {
            long needed = Math.addExact(Math.multiplyExact(elements, backend.weightBytes()), ROOM_BYTES);
            long free = backend.freeBytes();
            if (free < needed) {
                throw new BackendException("%s: too little device memory for the model: %,d bytes needed, %,d free"
                        .formatted(backend.name(), needed, free));
            }
            return backend;
        } catch (RuntimeException | Error e) {
            backend.close();
            throw e;
        }
    }

    private static Precision precision(Dtype dtype) {
        return switch (dtype) {
            case AUTO -> Precision.AUTO;
            case FP32 -> Precision.FP32;
            case TF32 -> Precision.TF32;
            case BF16 -> Precision.BF16;
            case FP16 -> Precision.FP16;
            case FP8 -> Precision.FP8;
        };
    }

    private static CpuBackend openCpu(ModelOptions options) {
        return new CpuBackend(CpuOptions.of(options.threads(), cpuPrecision(options.dtype())));
    }

    /// How the CPU holds weights.
    ///
    /// @throws BackendException for [Dtype#TF32] and [Dtype#FP8]
    static Precision cpuPrecision(Dtype dtype) {
        if (dtype == Dtype.TF32) {
            throw new BackendException("cpu: dtype tf32 is for GPUs, use fp32");
        }
        if (dtype == Dtype.FP8) {
            throw new BackendException("cpu: dtype fp8 is for GPUs, use bf16");
        }
        return precision(dtype);
    }
}
