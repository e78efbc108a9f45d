package io.github.sgpt4j.backend.cuda.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.BackendException;
import java.io.IOException;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Where libraries are looked for, in which order, and what is said about it. Opens nothing.
class LibrarySearchTest {
    private static final LibraryNames NAMES = new LibraryNames("cuBLASLt", List.of("libx.so.13", "libx.so.12"));

    @TempDir
    private Path folder;

    private final List<String> opened = new ArrayList<>();

    private Path place(String name, String... files) throws IOException {
        Path place = Files.createDirectories(folder.resolve(name));
        for (String file : files) {
            Files.createFile(place.resolve(file));
        }
        return place;
    }

    /// Opens files, but nothing of the system's.
    private SymbolLookup open(Optional<Path> file, String name) {
        if (file.isEmpty() || file.get().toString().contains("broken")) {
            throw new IllegalArgumentException("cannot open " + name);
        }
        opened.add(file.get().toString());
        return symbol -> Optional.empty();
    }

    private LibrarySearch search(Map<String, String> environment, String property, CudaFolder... providers) {
        return new LibrarySearch(
                environment,
                name -> name.equals("sgpt4j.cuda.path") ? Optional.of(property) : Optional.empty(),
                List.of(providers),
                this::open);
    }

    @Test
    void theVariableComesFirstThenPropertyHomeAndArtifact() throws IOException {
        Path first = place("first", "libx.so.12");
        Path second = place("second", "libx.so.13");
        Path home = place("home/lib64", "libx.so.13").getParent();
        Path artifact = place("artifact", "libx.so.13");
        Map<String, String> all = Map.of("SGPT_CUDA_PATH", first.toString(), "CUDA_HOME", home.toString());
        assertEquals(
                first.resolve("libx.so.12").toString(),
                search(all, second.toString(), () -> artifact).open(NAMES).place());
        Map<String, String> rest = Map.of("CUDA_HOME", home.toString());
        assertEquals(
                second.resolve("libx.so.13").toString(),
                search(rest, second.toString(), () -> artifact).open(NAMES).place());
        assertEquals(
                home.resolve("lib64/libx.so.13").toString(),
                search(rest, "", () -> artifact).open(NAMES).place());
        assertEquals(
                artifact.resolve("libx.so.13").toString(),
                search(Map.of(), "", () -> artifact).open(NAMES).place());
    }

    @Test
    void theNewestOfAFolderIsTakenAndABrokenOnePassedOver() throws IOException {
        Path broken = place("broken", "libx.so.13");
        Path good = place("good", "libx.so.12", "libx.so.13");
        NativeLibrary library = search(
                        Map.of("SGPT_CUDA_PATH", broken.toString(), "CUDA_PATH", folder.toString()), good.toString())
                .open(NAMES);
        assertTrue(library.isOpen());
        assertEquals(good.resolve("libx.so.13").toString(), library.place());
    }

    @Test
    void aMissingLibraryTellsEveryPlace() {
        LibrarySearch search = search(Map.of("SGPT_CUDA_PATH", "/nowhere/at/all"), "/else\0where", () -> {
            throw new IllegalStateException("not unpacked");
        });
        NativeLibrary library = search.open(NAMES);
        assertFalse(library.isOpen());
        for (String part : List.of(
                "cuBLASLt",
                "libx.so.13 or libx.so.12",
                "/nowhere/at/all",
                "SGPT_CUDA_PATH",
                "not unpacked",
                "libx.so.12 (system)")) {
            assertTrue(library.place().contains(part), () -> part + " in " + library.place());
        }
        assertTrue(String.join("\n", search.tried()).contains("sgpt4j.cuda.path: not a folder name"));
    }

    /// The folder that a program is started in may be anybody's.
    @Test
    void aRelativePythonIsNotSearched() throws IOException {
        Path lib = place("venv/lib/python3.11/site-packages/nvidia/cublas/lib", "libx.so.12");
        Path venv = folder.resolve("venv");
        assertEquals(
                lib.resolve("libx.so.12").toString(),
                search(Map.of("VIRTUAL_ENV", venv.toString()), "").open(NAMES).place());
        Path relative = Path.of("").toAbsolutePath().relativize(venv.toAbsolutePath());
        LibrarySearch search = search(Map.of("VIRTUAL_ENV", relative.toString()), "");
        search.open(NAMES);
        assertFalse(String.join("\n", search.tried()).contains("site-packages"));
    }

    /// As pip and conda lay them out.
    @Test
    void packagesOfAnActivePythonAreSearched() throws IOException {
        Path twelve = place("venv/lib/python3.11/site-packages/nvidia/cublas/lib", "libx.so.12");
        place("venv/lib/python3.11/site-packages/nvidia/cudnn/lib", "liby.so.9");
        Map<String, String> venv = Map.of("VIRTUAL_ENV", folder.resolve("venv").toString());
        assertEquals(
                twelve.resolve("libx.so.12").toString(),
                search(venv, "").open(NAMES).place());
        Path thirteen = place("venv/lib/python3.11/site-packages/nvidia/cu13/lib", "libx.so.13");
        assertEquals(
                thirteen.resolve("libx.so.13").toString(),
                search(venv, "").open(NAMES).place());
        Path conda = place("conda/lib", "libx.so.12");
        Map<String, String> both = Map.of(
                "VIRTUAL_ENV",
                folder.resolve("none").toString(),
                "CONDA_PREFIX",
                conda.getParent().toString());
        assertEquals(
                conda.resolve("libx.so.12").toString(),
                search(both, "").open(NAMES).place());
        Path home = place("cuda/lib64", "libx.so.12");
        Map<String, String> named = Map.of(
                "VIRTUAL_ENV",
                folder.resolve("venv").toString(),
                "CUDA_HOME",
                home.getParent().toString());
        assertEquals(
                home.resolve("libx.so.12").toString(),
                search(named, "").open(NAMES).place(),
                "a named toolkit comes first");
    }

    @Test
    void packagesOfUserAndSystemComeLast() throws IOException {
        Path user = place("home/.local/lib/python3.9/site-packages/nvidia/cuda_nvrtc/lib", "libx.so.12");
        Map<String, String> home = Map.of("HOME", folder.resolve("home").toString());
        LibrarySearch search = search(home, "");
        assertEquals(user.resolve("libx.so.12").toString(), search.open(NAMES).place());
        List<String> tried = search.tried();
        assertTrue(tried.indexOf("libx.so.13 (system): not found") < tried.size() - 1, tried::toString);
        assertTrue(tried.getLast().contains("packages for Python"), tried::toString);
        Path debian = place("usr/lib/python3/dist-packages/nvidia/cu13/lib", "libx.so.13");
        assertEquals(List.of(debian), PythonPackages.ofMachine(Map.of(), List.of(folder.resolve("usr"))));
    }

    @Test
    void theDriverIsNotLookedForInPackages() throws IOException {
        place("venv/lib/python3.11/site-packages/nvidia/cublas/lib", "libcuda.so.1");
        Map<String, String> venv = Map.of("VIRTUAL_ENV", folder.resolve("venv").toString());
        NativeLibrary driver = search(venv, "")
                .open(new LibraryNames(
                        "CUDA driver",
                        List.of("libcuda.so.1"),
                        "",
                        LibraryNames.driver().packaged()));
        assertFalse(driver.isOpen(), driver::place);
    }

    @Test
    void aFunctionOfAMissingLibraryThrowsTheReasonWhenCalled() {
        NativeFunction function = NativeLibrary.missing("driver", "no driver here")
                .function("cuInit", (status, call) -> {}, ValueLayout.JAVA_INT);
        BackendException e =
                assertThrows(BackendException.class, () -> function.call(handle -> (int) handle.invokeExact(0)));
        assertEquals("cuda: no driver here", e.getMessage());
    }

    @Test
    void aFunctionThatALibraryLacksIsNamed() {
        NativeLibrary library = NativeLibrary.opened("CUDA driver", symbol -> Optional.empty(), "/lib/x.so");
        NativeFunction function = library.function("cuNew", (status, call) -> {}, ValueLayout.JAVA_LONG);
        BackendException e =
                assertThrows(BackendException.class, () -> function.call(handle -> (int) handle.invokeExact(0L)));
        assertTrue(e.getMessage().contains("cuNew") && e.getMessage().contains("/lib/x.so"), e.getMessage());
    }

    @Test
    void librariesNewerThanTheDriverAreNotTried() {
        assertEquals(2, LibraryNames.cublasLt(13).files().size());
        assertEquals(1, LibraryNames.cublasLt(12).files().size());
        assertTrue(LibraryNames.nvrtc(12).files().getFirst().contains("12"));
    }

    /// `cublasLtMatmulHeuristicResult_t` of `cublasLt.h`: 64 + 8 + 4 + 4 + 16 bytes.
    @Test
    void theHeuristicsResultIsLaidOutAsInTheHeader() {
        assertEquals(96, CublasLt.HEURISTIC_RESULT.byteSize());
        assertEquals(8, CublasLt.HEURISTIC_RESULT.byteAlignment());
    }
}
