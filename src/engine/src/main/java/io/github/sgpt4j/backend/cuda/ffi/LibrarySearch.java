package io.github.sgpt4j.backend.cuda.ffi;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/// Looks for CUDA's libraries, in this order: the folder that the environment variable `SGPT_CUDA_PATH` names, those
/// that the system property `sgpt4j.cuda.path` names, `CUDA_HOME` and `CUDA_PATH`, an artifact that brings them along
/// ([CudaFolder]), packages of an active Python environment, what the system's loader finds, usual folders, and other
/// packages for Python ([PythonPackages]). Keeps what was tried.
final class LibrarySearch {
    /// Names a folder that is searched first.
    static final String VARIABLE = "SGPT_CUDA_PATH";

    /// Names folders, separated as in a class path.
    static final String PROPERTY = "sgpt4j.cuda.path";

    private static final List<String> BELOW_HOME =
            List.of("lib64", "lib", "targets/x86_64-linux/lib", "targets/sbsa-linux/lib", "bin", "bin/x64");
    private static final List<String> USUAL = List.of("/usr/local/cuda/lib64", "/opt/cuda/lib64", "/usr/lib/wsl/lib");

    /// Where the system's Pythons are installed.
    private static final List<Path> PYTHONS = List.of(Path.of("/usr/local"), Path.of("/usr"));

    private final Map<String, String> environment;
    private final List<Place> places = new ArrayList<>();
    private final List<String> tried = new ArrayList<>();
    private final Opener opener;

    /// Opens a file by path, or a library by its bare name.
    interface Opener {
        /// @throws IllegalArgumentException if it cannot be opened
        SymbolLookup open(Optional<Path> file, String name);
    }

    private record Place(String why, Supplier<Optional<Path>> folder) {}

    /// @param environment environment variables
    /// @param properties system properties
    /// @param providers artifacts that bring libraries along
    LibrarySearch(
            Map<String, String> environment,
            Function<String, Optional<String>> properties,
            Iterable<CudaFolder> providers,
            Opener opener) {
        this.environment = environment;
        this.opener = opener;
        add("environment variable " + VARIABLE, Optional.ofNullable(environment.get(VARIABLE)), List.of(""));
        Optional<String> listed = properties.apply(PROPERTY);
        for (String folder : listed.orElse("").split(java.io.File.pathSeparator, -1)) {
            add("system property " + PROPERTY, Optional.of(folder), List.of(""));
        }
        for (String variable : List.of("CUDA_HOME", "CUDA_PATH")) {
            add("environment variable " + variable, Optional.ofNullable(environment.get(variable)), BELOW_HOME);
        }
        for (CudaFolder provider : providers) {
            places.add(new Place("artifact " + provider.getClass().getName(), () -> unpacked(provider)));
        }
    }

    private void add(String why, Optional<String> folder, List<String> below) {
        if (folder.isEmpty() || folder.get().isBlank()) {
            return;
        }
        try {
            Path base = Path.of(folder.get());
            for (String name : below) {
                Path place = base.resolve(name).toAbsolutePath().normalize();
                places.add(new Place(why, () -> Optional.of(place)));
            }
        } catch (InvalidPathException e) {
            tried.add("%s: not a folder name".formatted(why));
        }
    }

    private Optional<Path> unpacked(CudaFolder provider) {
        try {
            return Optional.of(provider.folder());
        } catch (RuntimeException e) {
            tried.add("artifact %s: %s".formatted(provider.getClass().getName(), e.getMessage()));
            return Optional.empty();
        }
    }

    /// Opens a library where it is found first.
    synchronized NativeLibrary open(LibraryNames names) {
        int before = tried.size();
        for (Place place : places) {
            Optional<Path> folder = place.folder().get();
            if (folder.isPresent()) {
                Optional<NativeLibrary> found = openIn(folder.get(), place.why(), names);
                if (found.isPresent()) {
                    return found.get();
                }
            }
        }
        return openInPackages("active Python environment", () -> PythonPackages.ofEnvironments(environment), names)
                .or(() -> openFromSystem(names))
                .or(() -> USUAL.stream()
                        .map(Path::of)
                        .filter(Files::isDirectory)
                        .flatMap(folder -> openIn(folder, "usual folder", names).stream())
                        .findFirst())
                .or(() -> openInPackages(
                        "packages for Python", () -> PythonPackages.ofMachine(environment, PYTHONS), names))
                .orElseGet(() -> NativeLibrary.missing(names.library(), missing(names, before)));
    }

    /// Opens a library in one of many folders, of which only those are mentioned that have it.
    private Optional<NativeLibrary> openInPackages(String why, Supplier<List<Path>> folders, LibraryNames names) {
        if (!names.packaged()) {
            return Optional.empty();
        }
        List<Path> having = folders.get().stream()
                .filter(folder -> names.files().stream().anyMatch(file -> Files.isRegularFile(folder.resolve(file))))
                .toList();
        if (having.isEmpty()) {
            tried.add(why + ": nothing");
        }
        return having.stream()
                .flatMap(folder -> openIn(folder, why, names).stream())
                .findFirst();
    }

    private String missing(LibraryNames names, int before) {
        String where = String.join("; ", tried.subList(before, tried.size()));
        return "%s (%s) was not found; tried %s"
                .formatted(names.library(), String.join(" or ", names.files()), where.isEmpty() ? "nothing" : where);
    }

    private Optional<NativeLibrary> openIn(Path folder, String why, LibraryNames names) {
        for (String file : names.files()) {
            Path path = folder.resolve(file);
            if (Files.isRegularFile(path)) {
                try {
                    openCompanions(folder, names);
                    SymbolLookup symbols = opener.open(Optional.of(path), file);
                    tried.add("%s (%s): opened".formatted(path, why));
                    return Optional.of(NativeLibrary.opened(names.library(), symbols, path.toString()));
                } catch (IllegalArgumentException e) {
                    tried.add("%s (%s): cannot be opened: %s".formatted(path, why, e.getMessage()));
                }
            }
        }
        tried.add("%s (%s): no %s".formatted(folder, why, String.join(" or ", names.files())));
        return Optional.empty();
    }

    private void openCompanions(Path folder, LibraryNames names) {
        if (names.companion().isEmpty()) {
            return;
        }
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, names.companion() + "*")) {
            for (Path file : files) {
                opener.open(Optional.of(file), file.getFileName().toString());
            }
        } catch (IOException | DirectoryIteratorException | IllegalArgumentException e) {
            tried.add("%s: %s cannot be opened: %s".formatted(folder, names.companion(), e.getMessage()));
        }
    }

    private Optional<NativeLibrary> openFromSystem(LibraryNames names) {
        for (String file : names.files()) {
            try {
                SymbolLookup symbols = opener.open(Optional.empty(), file);
                String path = loadedFrom(file);
                tried.add("%s (system): opened".formatted(path));
                return Optional.of(NativeLibrary.opened(names.library(), symbols, path));
            } catch (IllegalArgumentException e) {
                tried.add("%s (system): not found".formatted(file));
            }
        }
        return Optional.empty();
    }

    /// The file behind a bare name, where Linux tells; otherwise the name.
    private static String loadedFrom(String file) {
        Path maps = Path.of("/proc/self/maps");
        if (!Files.isReadable(maps)) {
            return file;
        }
        String stem = file.replaceFirst("\\.so\\..*$", ".so");
        // Not Files.lines: that fails on a thread that is interrupted.
        try (BufferedReader reader = Files.newBufferedReader(maps)) {
            return reader.lines()
                    .filter(line -> line.contains("/" + stem))
                    .map(line -> line.substring(line.indexOf('/')))
                    .findFirst()
                    .orElse(file);
        } catch (IOException | UncheckedIOException e) {
            return file;
        }
    }

    /// One line per place that was looked at.
    synchronized List<String> tried() {
        return List.copyOf(tried);
    }

    /// The system's own way of opening.
    @SuppressWarnings("restricted")
    static SymbolLookup openNatively(Optional<Path> file, String name) {
        return file.isPresent()
                ? SymbolLookup.libraryLookup(file.get(), Arena.global())
                : SymbolLookup.libraryLookup(name, Arena.global());
    }
}
