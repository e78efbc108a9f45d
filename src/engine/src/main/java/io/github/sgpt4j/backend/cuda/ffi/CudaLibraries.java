package io.github.sgpt4j.backend.cuda.ffi;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;

/// CUDA's libraries as this process found them. Each is looked for once, when first needed; what was tried is kept.
public final class CudaLibraries {
    /// What `--illegal-native-access=deny` needs in addition, and what silences the warning otherwise.
    public static final String NATIVE_ACCESS =
            "native access is not enabled; start java with --enable-native-access=io.github.sgpt4j.engine"
                    + " (ALL-UNNAMED on the class path)";

    private static final LibrarySearch SEARCH = new LibrarySearch(
            System.getenv(),
            name -> Optional.ofNullable(System.getProperty(name)),
            providers(),
            LibrarySearch::openNatively);

    private CudaLibraries() {}

    private static final class DriverHolder {
        static final NativeLibrary LIBRARY = search(LibraryNames.driver());
    }

    private static final class CublasLtHolder {
        static final NativeLibrary LIBRARY = search(LibraryNames.cublasLt(Driver.newestToolkit()));
    }

    private static final class NvrtcHolder {
        static final NativeLibrary LIBRARY = search(LibraryNames.nvrtc(Driver.newestToolkit()));
    }

    /// Providers that cannot be loaded are passed over: the search goes on without them.
    private static List<CudaFolder> providers() {
        List<CudaFolder> found = new ArrayList<>();
        ServiceLoader.load(CudaFolder.class, CudaFolder.class.getClassLoader()).stream()
                .forEach(provider -> {
                    try {
                        found.add(provider.get());
                    } catch (ServiceConfigurationError e) {
                        found.add(() -> {
                            throw new IllegalStateException(e);
                        });
                    }
                });
        return found;
    }

    private static NativeLibrary search(LibraryNames names) {
        try {
            return SEARCH.open(names);
        } catch (IllegalCallerException e) {
            return NativeLibrary.missing(names.library(), NATIVE_ACCESS);
        }
    }

    /// Whether native functions may be called without a warning of the virtual machine.
    public static boolean nativeAccessEnabled() {
        return CudaLibraries.class.getModule().isNativeAccessEnabled();
    }

    /// Whether somebody said where CUDA's libraries are, for this program and no other.
    public static boolean isPlaceNamed() {
        return !System.getenv().getOrDefault(LibrarySearch.VARIABLE, "").isBlank()
                || !System.getProperty(LibrarySearch.PROPERTY, "").isBlank();
    }

    /// libcuda, which comes with the GPU's driver.
    public static NativeLibrary driver() {
        return DriverHolder.LIBRARY;
    }

    public static NativeLibrary cublasLt() {
        return CublasLtHolder.LIBRARY;
    }

    public static NativeLibrary nvrtc() {
        return NvrtcHolder.LIBRARY;
    }

    /// One line per place that was looked at so far.
    public static List<String> tried() {
        return SEARCH.tried();
    }
}
