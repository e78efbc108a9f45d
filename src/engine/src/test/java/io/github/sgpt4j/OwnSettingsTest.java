package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.testing.CheckpointFolder;
import io.github.sgpt4j.testing.Refusal;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// sgpt4j.json says whether texts are put in brackets, and the name counts only where it does not.
class OwnSettingsTest {
    private static final String FILE = "sgpt4j.json";
    private static final String TEXT = "artificial snow";

    @TempDir
    Path folder;

    private CheckpointFolder model;

    @BeforeEach
    void copyModel() {
        model = CheckpointFolder.copy("gptneo-be", folder);
    }

    private Model open() {
        return Model.open(model.directory(), ModelOptions.DEFAULT.withDevice("cpu"));
    }

    @ParameterizedTest
    @CsvSource({
        "true, someone/plain, true",
        "true, someone/specb, true",
        "false, someone/plain, false",
        "false, someone/specb, false",
        "null, someone/plain, false",
        "null, someone/specb, true"
    })
    void theFileIsObeyedFirst(String stated, String name, boolean specb) {
        model.set("config.json", "_name_or_path", '"' + name + '"').write(FILE, "{\"specb\": %s}".formatted(stated));
        try (Model opened = open();
                BiEncoder encoder = BiEncoder.of(opened, BiEncoderOptions.DEFAULT);
                BiEncoder asked = BiEncoder.of(opened, BiEncoderOptions.DEFAULT.withSpecb(!specb))) {
            assertEquals(specb, opened.info().specb());
            assertEquals(!stated.equals("null"), opened.info().sources().specb().equals("\"specb\" of sgpt4j.json"));
            int[] plain = encoder.tokenize(TEXT, TextKind.TEXT);
            assertEquals(plain.length + (specb ? 2 : 0), encoder.tokenize(TEXT, TextKind.QUERY).length);
            assertEquals(plain.length + (specb ? 2 : 0), encoder.tokenize(TEXT, TextKind.DOCUMENT).length);
            assertEquals(plain.length + (specb ? 0 : 2), asked.tokenize(TEXT, TextKind.QUERY).length, "an option wins");
            assertNotEquals(asked.fingerprint(), encoder.fingerprint());
            assertEquals(List.of(), opened.notices());
        }
    }

    @Test
    void unknownKeysAreTold() {
        model.write(FILE, "{\"specb\": true, \"brackets\": \"round\"}");
        try (Model opened = open()) {
            assertEquals(List.of(model.file(FILE) + ": ignored unknown key \"brackets\""), opened.notices());
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "{\"specb\": 1}; got 1",
                "{\"specb\": \"true\"}; got \"true\"",
                "[true]; got an array",
                "{\"specb\"; JSON"
            })
    void wrongTypesAreRefused(String content, String part) {
        model.write(FILE, content);
        Refusal.check(FormatException.class, () -> open().close(), FILE, part);
    }

    @Test
    void aFileElsewhereIsTold() {
        model.write(
                        "modules.json",
                        new String(model.bytes("modules.json"), java.nio.charset.StandardCharsets.UTF_8)
                                .replaceFirst("\"path\": \"\"", "\"path\": \"0_Transformer\""))
                .write("0_Transformer/" + FILE, "{\"specb\": true}");
        for (String name : List.of("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors")) {
            model.write("0_Transformer/" + name, model.bytes(name));
        }
        try (Model opened = open()) {
            assertEquals(
                    List.of(model.file("0_Transformer/" + FILE) + ": ignored, as it is not beside modules.json"),
                    opened.notices());
        }
    }
}
