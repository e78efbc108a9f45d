package io.github.sgpt4j.jmh;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// A CUDA driver library that does nothing, built with `g++`: its `cuLaunchKernel` returns at once. The library also
/// has a C loop that calls it through a pointer, as programs call functions of a library.
final class EmptyDriver {
    private static final String SOURCE = """
            #include <chrono>
            typedef int (*Launch)(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*,
                                  void**, void**);
            extern "C" __attribute__((noinline)) int cuLaunchKernel(
                void* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                unsigned shared, void* stream, void** parameters, void** extra) {
                asm volatile("" : : "r"(function), "r"(parameters), "r"(stream) : "memory");
                return 0;
            }
            extern "C" double sgpt_loop(long count) {
                volatile Launch launch = cuLaunchKernel;
                long long values[12] = {};
                void* parameters[12];
                auto start = std::chrono::steady_clock::now();
                for (long i = 0; i < count; i++) {
                    for (int p = 0; p < 12; p++) {
                        values[p] = i + p;
                        parameters[p] = &values[p];
                    }
                    launch(nullptr, 1, 1, 1, 128, 1, 1, 0, nullptr, parameters, nullptr);
                }
                auto end = std::chrono::steady_clock::now();
                return std::chrono::duration<double, std::nano>(end - start).count() / count;
            }
            """;

    private EmptyDriver() {}

    /// Compiles it into a folder.
    ///
    /// @return the library
    static Path build(Path folder) {
        try {
            Path source = Files.writeString(folder.resolve("driver.cpp"), SOURCE);
            Path library = folder.resolve("libcuda.so.1");
            Process compiler = new ProcessBuilder(
                            "g++", "-O2", "-fPIC", "-shared", "-o", library.toString(), source.toString())
                    .inheritIO()
                    .start();
            if (compiler.waitFor() != 0) {
                throw new IllegalStateException("g++ failed");
            }
            return library;
        } catch (IOException e) {
            throw new IllegalStateException("needs g++", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
