package io.github.sgpt4j.backend.cuda.ffi;

import java.util.List;
import java.util.Locale;

/// What a library's file is called on an operating system, CUDA 13 before CUDA 12.
///
/// @param library short name for people
/// @param files file names, newest first
/// @param companion how the names of files begin that the library itself opens by name, and so has to find opened if
///     they lie in a folder that the system does not look in; empty if there are none
/// @param packaged whether packages for Python bring it
record LibraryNames(String library, List<String> files, String companion, boolean packaged) {
    LibraryNames {
        files = List.copyOf(files);
    }

    LibraryNames(String library, List<String> files) {
        this(library, files, "", true);
    }

    private static boolean windows() {
        return System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("windows");
    }

    static LibraryNames driver() {
        return new LibraryNames("CUDA driver", windows() ? List.of("nvcuda.dll") : List.of("libcuda.so.1"), "", false);
    }

    /// @param newest newest CUDA version that the driver supports, such as 13
    static LibraryNames cublasLt(int newest) {
        return versioned("cuBLASLt", "libcublasLt.so.%d", "cublasLt64_%d.dll", newest);
    }

    /// @param newest newest CUDA version that the driver supports, such as 13
    static LibraryNames nvrtc(int newest) {
        LibraryNames names = versioned("NVRTC", "libnvrtc.so.%d", "nvrtc64_%d0_0.dll", newest);
        return new LibraryNames(
                names.library, names.files, windows() ? "nvrtc-builtins64_" : "libnvrtc-builtins.so", true);
    }

    private static LibraryNames versioned(String library, String linux, String windows, int newest) {
        String pattern = windows() ? windows : linux;
        List<String> files = List.of(13, 12).stream()
                .filter(version -> version <= newest)
                .map(version -> String.format(Locale.ROOT, pattern, version))
                .toList();
        return new LibraryNames(library, files);
    }
}
