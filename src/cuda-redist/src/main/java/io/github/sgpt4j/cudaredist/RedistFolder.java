package io.github.sgpt4j.cudaredist;

import io.github.sgpt4j.backend.cuda.ffi.CudaFolder;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.Loader;

/// Unpacks cuBLASLt and NVRTC from an `org.bytedeco:cuda` jar with classifier `…-redist` on the class path into
/// JavaCPP's cache (`~/.javacpp/cache`, or the system property `org.bytedeco.javacpp.cachedir`), once for all
/// processes.
public final class RedistFolder implements CudaFolder {
    /// Library names by version, CUDA 13 first; NVRTC loads its builtins from its own folder.
    private static final List<String> LINUX = List.of(
            "libcublasLt.so.13",
            "libcublasLt.so.12",
            "libnvrtc.so.13",
            "libnvrtc.so.12",
            "libnvrtc-builtins.so.13.0",
            "libnvrtc-builtins.so.13.1",
            "libnvrtc-builtins.so.12.6",
            "libnvrtc-builtins.so.12.9");

    private static final List<String> WINDOWS = List.of(
            "cublasLt64_13.dll",
            "cublasLt64_12.dll",
            "nvrtc64_130_0.dll",
            "nvrtc64_120_0.dll",
            "nvrtc-builtins64_130.dll",
            "nvrtc-builtins64_131.dll",
            "nvrtc-builtins64_126.dll",
            "nvrtc-builtins64_129.dll");

    @Override
    public Path folder() {
        String platform = Loader.getPlatform();
        Optional<Path> folder = Optional.empty();
        for (String name : platform.startsWith("windows") ? WINDOWS : LINUX) {
            Optional<Path> file = unpack("/org/bytedeco/cuda/%s/%s".formatted(platform, name));
            folder = folder.or(() -> file.map(Path::getParent));
        }
        return folder.orElseThrow(() -> new IllegalStateException(
                "no jar org.bytedeco:cuda with classifier %s-redist on the class path".formatted(platform)));
    }

    private static Optional<Path> unpack(String resource) {
        try {
            File file = Loader.cacheResource(RedistFolder.class, resource);
            return Optional.ofNullable(file).map(File::toPath);
        } catch (IOException e) {
            throw new IllegalStateException("%s cannot be unpacked: %s".formatted(resource, e.getMessage()), e);
        }
    }
}
