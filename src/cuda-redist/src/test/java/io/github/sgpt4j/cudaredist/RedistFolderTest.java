package io.github.sgpt4j.cudaredist;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.cuda.ffi.CudaFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ServiceLoader;
import org.bytedeco.javacpp.Loader;
import org.junit.jupiter.api.Test;

/// The service that this module provides to the engine, with and without the large jar.
class RedistFolderTest {
    private static boolean hasJar() {
        String name = "/org/bytedeco/cuda/%s/libcublasLt.so.12".formatted(Loader.getPlatform());
        return RedistFolderTest.class.getResource(name) != null;
    }

    @Test
    void theEngineFindsTheService() {
        assertEquals(
                RedistFolder.class,
                ServiceLoader.load(CudaFolder.class).findFirst().orElseThrow().getClass());
    }

    @Test
    void librariesAreUnpackedSideBySideOrTheirAbsenceIsSaid() {
        CudaFolder provider = new RedistFolder();
        if (hasJar()) {
            Path folder = provider.folder();
            assertTrue(Files.exists(folder.resolve("libcublasLt.so.12")));
            assertTrue(Files.exists(folder.resolve("libnvrtc.so.12")));
        } else {
            IllegalStateException e = assertThrows(IllegalStateException.class, provider::folder);
            assertTrue(e.getMessage().contains("org.bytedeco:cuda"), e.getMessage());
        }
    }
}
