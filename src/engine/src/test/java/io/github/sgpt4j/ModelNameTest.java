package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.checkpoint.ModelName;
import io.github.sgpt4j.json.JsonFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelNameTest {
    @TempDir
    private Path root;

    private static boolean isSpecb(Path directory) {
        return ModelName.specb(directory, new JsonFiles()).used();
    }

    @ParameterizedTest
    @CsvSource({
        "SGPT-125M-weightedmean-msmarco-specb-bitfit, true",
        "sgpt-SPECB, true",
        "sgpt-125m-weightedmean-nli-bitfit, false",
        "specb/other, false",
        "models--Muennighoff--SGPT-125M-weightedmean-msmarco-specb-bitfit/snapshots/0a1b2c, true",
        "models--Muennighoff--SGPT-125M-weightedmean-nli-bitfit/snapshots/0a1b2c, false",
        "models--a--specb/snapshots/0a1b2c/inner, false",
        "models--a--specb/revisions/0a1b2c, false",
    })
    void theDirectoryOrItsRepositoryTells(String path, boolean specb) throws IOException {
        Path directory = Files.createDirectories(root.resolve(path));
        if (specb) {
            assertTrue(isSpecb(directory));
            assertTrue(isSpecb(directory.resolve("x").resolve("..")));
        } else {
            assertFalse(isSpecb(directory));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "Muennighoff/SGPT-125M-weightedmean-msmarco-specb-bitfit, true",
        "EleutherAI/gpt-neo-125M, false",
        "'', false"
    })
    void theConfigurationTells(String name, boolean specb) throws IOException {
        Path directory = Files.createDirectories(root.resolve("model"));
        Files.writeString(directory.resolve("config.json"), "{\"_name_or_path\": \"%s\"}".formatted(name));
        assertTrue(isSpecb(directory) == specb);
    }

    @Test
    void aConfigurationWithoutANameTellsNothing() throws IOException {
        Files.writeString(root.resolve("config.json"), "{\"_name_or_path\": null}");
        assertFalse(isSpecb(root));
        Files.writeString(root.resolve("config.json"), "{}");
        assertFalse(isSpecb(root));
    }
}
