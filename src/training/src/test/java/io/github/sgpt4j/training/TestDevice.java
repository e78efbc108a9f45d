package io.github.sgpt4j.training;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.sgpt4j.Devices;
import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.ModelOptions;
import java.nio.file.Files;
import java.nio.file.Path;

/// The device that trainings are tested on: the CPU, or in the build's run for CUDA the stand-in that the module
/// `kernels` builds, or a real one.
final class TestDevice {
    private static final boolean CUDA = Boolean.getBoolean("sgpt4j.test.onCuda");

    private TestDevice() {}

    /// Skips the test if there is no stand-in where it needs one.
    static void require() {
        String folder = System.getProperty("sgpt4j.test.cuda", "");
        assumeTrue(
                !CUDA || folder.equals("system") || Files.exists(Path.of(folder, "libcuda.so.1")),
                "needs the stand-in, which kernels/build.sh makes where there is g++");
    }

    /// Skips the test unless there are several devices, which the stand-in has.
    static void requireSeveral() {
        require();
        assumeTrue(
                CUDA
                        && Devices.list().stream()
                                .anyMatch(device -> device.name().equals("cuda:1") && device.available()),
                "needs several devices");
    }

    /// Two devices, with weights of 32 bits.
    static ModelOptions several() {
        return ModelOptions.DEFAULT.withDevice("cuda:0,1").withDtype(Dtype.FP32);
    }

    /// With weights of 32 bits.
    static ModelOptions options() {
        return CUDA
                ? ModelOptions.DEFAULT.withDevice("cuda").withDtype(Dtype.FP32)
                : ModelOptions.DEFAULT.withDevice("cpu");
    }
}
