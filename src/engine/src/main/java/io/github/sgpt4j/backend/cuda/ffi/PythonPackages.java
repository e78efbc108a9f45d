package io.github.sgpt4j.backend.cuda.ffi;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Folders in which pip puts CUDA's libraries, such as `nvidia/cublas/lib`, `nvidia/cuda_nvrtc/lib` and, of CUDA 13,
/// `nvidia/cu13/lib` below a Python's packages. Many a machine with a driver has no other: PyTorch brings them.
final class PythonPackages {
    /// Where packages lie below an installation of Python: on Linux, by Debian, on Windows.
    private static final List<List<String>> PACKAGES = List.of(
            List.of("lib", "python3*", "site-packages"),
            List.of("lib64", "python3*", "site-packages"),
            List.of("lib", "python3*", "dist-packages"),
            List.of("Lib", "site-packages"));

    private static final List<List<String>> LIBRARIES = List.of(
            List.of("nvidia", "*", "lib"), List.of("nvidia", "*", "bin"), List.of("nvidia", "*", "bin", "x86_64"));

    private PythonPackages() {}

    /// Folders of the environments that are active: `VIRTUAL_ENV`, and `CONDA_PREFIX` with conda's own packages.
    static List<Path> ofEnvironments(Map<String, String> environment) {
        List<Path> folders = new ArrayList<>(below(environment, "VIRTUAL_ENV"));
        folders.addAll(below(environment, "CONDA_PREFIX"));
        path(environment.get("CONDA_PREFIX")).ifPresent(conda -> folders.addAll(folders(conda, List.of("lib"))));
        return folders;
    }

    /// Folders of what the user (`pip install --user`) and the system have installed.
    ///
    /// @param system where the system's Pythons are installed
    static List<Path> ofMachine(Map<String, String> environment, List<Path> system) {
        List<Path> folders = new ArrayList<>(below(environment, "PYTHONUSERBASE"));
        path(environment.get("HOME")).ifPresent(home -> folders.addAll(below(home.resolve(".local"))));
        system.forEach(prefix -> folders.addAll(below(prefix)));
        return folders;
    }

    private static List<Path> below(Map<String, String> environment, String variable) {
        return path(environment.get(variable)).map(PythonPackages::below).orElse(List.of());
    }

    private static Optional<Path> path(@Nullable String name) {
        if (name == null || name.isBlank()) {
            return Optional.empty();
        }
        try {
            // A relative one would load code from whatever folder the program was started in.
            return Optional.of(Path.of(name)).filter(Path::isAbsolute);
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }

    private static List<Path> below(Path prefix) {
        return PACKAGES.stream()
                .flatMap(packages -> folders(prefix, packages).stream())
                .distinct()
                .flatMap(folder -> LIBRARIES.stream().flatMap(names -> folders(folder, names).stream()))
                .toList();
    }

    /// Folders that a path of patterns leads to, in the order of their names.
    private static List<Path> folders(Path base, List<String> names) {
        List<Path> found = List.of(base);
        for (String name : names) {
            found = found.stream()
                    .flatMap(folder -> children(folder, name).stream())
                    .toList();
        }
        return found;
    }

    private static List<Path> children(Path folder, String name) {
        if (!name.contains("*")) {
            Path child = folder.resolve(name);
            return Files.isDirectory(child) ? List.of(child) : List.of();
        }
        List<Path> children = new ArrayList<>();
        try (DirectoryStream<Path> matching = Files.newDirectoryStream(folder, name)) {
            matching.forEach(child -> {
                if (Files.isDirectory(child)) {
                    children.add(child);
                }
            });
        } catch (IOException | DirectoryIteratorException e) {
            // Not there, or not readable: nothing to find here.
            return List.of();
        }
        children.sort(null);
        return children;
    }
}
