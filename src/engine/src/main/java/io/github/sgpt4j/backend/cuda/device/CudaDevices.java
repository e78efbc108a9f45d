package io.github.sgpt4j.backend.cuda.device;

import io.github.sgpt4j.backend.cuda.ffi.CublasLt;
import io.github.sgpt4j.backend.cuda.ffi.CudaLibraries;
import io.github.sgpt4j.backend.cuda.ffi.Driver;
import io.github.sgpt4j.backend.cuda.ffi.NativeLibrary;
import io.github.sgpt4j.backend.cuda.ffi.Nvrtc;
import io.github.sgpt4j.error.BackendException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What the driver says about this machine.
public final class CudaDevices {
    /// Turing: the oldest that kernels are compiled for.
    public static final int MIN_CAPABILITY = 75;

    private static final int MIN_VERSION = 12000;

    /// Signs of a driver that need no native function: on Linux, and on Linux in Windows.
    private static final List<String> SIGNS = List.of("/proc/driver/nvidia/version", "/usr/lib/wsl/lib/libcuda.so.1");

    private CudaDevices() {}

    /// A library and where it was found, or why it was not.
    ///
    /// @param name such as `cuBLASLt`
    /// @param found whether it is there
    /// @param description version and path, or the reason
    public record Library(String name, boolean found, String description) {}

    /// Whether this machine is meant to have a GPU: there is a driver. Where native functions may not be called, there
    /// are signs of one, or somebody said where to find it.
    public static boolean isExpected() {
        return nativeAccessEnabled()
                ? CudaLibraries.driver().isOpen()
                : CudaLibraries.isPlaceNamed() || SIGNS.stream().map(Path::of).anyMatch(Files::exists);
    }

    /// Whether native functions may be called without a warning of the virtual machine.
    public static boolean nativeAccessEnabled() {
        return CudaLibraries.nativeAccessEnabled();
    }

    /// Why native functions may not be called.
    public static String nativeAccessAdvice() {
        return CudaLibraries.NATIVE_ACCESS;
    }

    /// All devices.
    ///
    /// @throws BackendException if there is no driver, it is too old, or it finds none
    public static List<DeviceInfo> list() {
        NativeLibrary driver = CudaLibraries.driver();
        if (!driver.isOpen()) {
            throw new BackendException("cuda: " + driver.place());
        }
        int status = Driver.init();
        int version = Driver.version();
        if (version < MIN_VERSION) {
            throw new BackendException(
                    "cuda: the driver is too old: expected one that supports CUDA %s or later, got one for CUDA %s (%s)"
                            .formatted(dotted(MIN_VERSION), dotted(version), driver.place()));
        }
        if (status == Driver.NO_DEVICE) {
            throw new BackendException("cuda: the driver (%s) finds no device".formatted(driver.place()));
        }
        Driver.check(status, "cuInit");
        int count = Driver.deviceCount();
        List<DeviceInfo> devices = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            devices.add(info(i));
        }
        if (devices.isEmpty()) {
            throw new BackendException("cuda: the driver (%s) finds no device".formatted(driver.place()));
        }
        return devices;
    }

    private static DeviceInfo info(int ordinal) {
        int device = Driver.device(ordinal);
        return new DeviceInfo(
                ordinal,
                Driver.deviceName(device),
                Driver.deviceMemory(device),
                10 * Driver.deviceAttribute(Driver.COMPUTE_MAJOR, device)
                        + Driver.deviceAttribute(Driver.COMPUTE_MINOR, device),
                Driver.deviceAttribute(Driver.MULTIPROCESSORS, device),
                Driver.deviceAttribute(Driver.THREADS_PER_BLOCK, device),
                Driver.deviceAttribute(Driver.GRID_X, device),
                Driver.deviceAttribute(Driver.GRID_Y, device),
                Driver.deviceAttribute(Driver.GRID_Z, device),
                Driver.deviceAttribute(Driver.SHARED_BYTES_OPT_IN, device));
    }

    /// Why a device cannot be used although the driver lists it, or empty if it can.
    public static Optional<String> problem(DeviceInfo device) {
        Optional<String> lost = LostDevices.reason(device.ordinal());
        if (lost.isPresent()) {
            return lost;
        }
        if (device.computeCapability() < MIN_CAPABILITY) {
            return Optional.of("compute capability %s: expected 7.5 or later".formatted(device.capability()));
        }
        NativeLibrary cublas = CudaLibraries.cublasLt();
        return cublas.isOpen() ? Optional.empty() : Optional.of(cublas.place());
    }

    /// The device of this number.
    ///
    /// @throws BackendException if it cannot be used
    public static DeviceInfo usable(int ordinal) {
        LostDevices.check(ordinal);
        List<DeviceInfo> devices = list();
        if (ordinal >= devices.size()) {
            throw new BackendException(
                    "cuda:%d: expected a device from 0 to %d".formatted(ordinal, devices.size() - 1));
        }
        DeviceInfo device = devices.get(ordinal);
        problem(device).ifPresent(problem -> {
            throw new BackendException("cuda:%d: %s".formatted(ordinal, problem));
        });
        return device;
    }

    /// The libraries. Looks for those that have not been needed yet.
    public static List<Library> libraries() {
        List<Library> libraries = new ArrayList<>();
        NativeLibrary driver = CudaLibraries.driver();
        libraries.add(library("CUDA driver", driver, () -> "for CUDA " + dotted(Driver.version())));
        if (driver.isOpen()) {
            libraries.add(library("cuBLASLt", CudaLibraries.cublasLt(), () -> patch(CublasLt.version())));
            libraries.add(library("NVRTC", CudaLibraries.nvrtc(), Nvrtc::version));
        }
        return libraries;
    }

    private interface Version {
        String get();
    }

    private static Library library(String name, NativeLibrary library, Version version) {
        if (!library.isOpen()) {
            return new Library(name, false, library.place());
        }
        try {
            return new Library(name, true, "%s, %s".formatted(version.get(), library.place()));
        } catch (BackendException e) {
            return new Library(name, false, String.valueOf(e.getMessage()));
        }
    }

    private static String dotted(int version) {
        return version / 1000 + "." + version % 1000 / 10;
    }

    private static String patch(long version) {
        return version / 10000 + "." + version / 100 % 100 + "." + version % 100;
    }
}
