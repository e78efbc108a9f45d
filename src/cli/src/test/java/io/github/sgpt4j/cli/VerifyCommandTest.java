package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `sgpt verify`: its report as text and JSON, and its exit code.
class VerifyCommandTest {
    @TempDir
    Path folder;

    private Path model;

    @BeforeEach
    void copyModel() throws IOException {
        model = InspectCommandTest.copy("gptneo-be", folder);
    }

    private Cli.Result verify(String... more) {
        String[] arguments = new String[more.length + 3];
        arguments[0] = "verify";
        arguments[1] = "-m";
        arguments[2] = model.toString();
        System.arraycopy(more, 0, arguments, 3, more.length);
        return Cli.run(arguments);
    }

    private void configure(String key, int value) throws IOException {
        ObjectNode config = (ObjectNode) Cli.read(model.resolve("config.json"));
        config.put(key, value);
        Files.writeString(model.resolve("config.json"), config.toString());
    }

    @Test
    void theBuiltInModelIsSound() {
        Cli.Result result = Cli.run("verify");
        assertEquals(0, result.code(), result.err());
        assertEquals("", result.err());
        assertTrue(result.text().endsWith("\nsound\n"), result.text());
    }

    @Test
    void aSoundModelGivesAReportWithItsHash() {
        Cli.Result result = verify();
        assertEquals(0, result.code(), result.err());
        assertTrue(
                result.text().lines().anyMatch(l -> l.matches("model +gpt_neo, 4 layers of width .*")), result.text());
        assertTrue(
                result.text().lines().anyMatch(l -> l.matches("unknown +model.safetensors +[\\d,]+ +[0-9a-f]{64} .*")),
                result.text());
    }

    @Test
    void whatIsWrongIsToldInTheReportAndInOneSentence() throws IOException {
        configure("intermediate_size", 77);
        Cli.Result result = verify();
        assertEquals(1, result.code());
        assertEquals(1, result.err().lines().count(), result.err());
        assertTrue(result.err().contains("expected a sound checkpoint, got "), result.err());
        assertTrue(result.err().contains("mlp.c_fc.weight\": expected shape [77, "), result.err());
        assertTrue(result.text().lines().filter(l -> l.startsWith("error ")).count() > 4, result.text());
        assertTrue(result.text().lines().reduce((a, b) -> b).orElseThrow().startsWith("not sound: "), result.text());
    }

    @Test
    void jsonIsOneObject() throws IOException {
        JsonNode sound = verify("--format", "json").lines().getFirst();
        assertTrue(sound.get("sound").booleanValue());
        assertEquals(0, sound.get("findings").size());
        assertEquals("model.safetensors", sound.get("files").get(0).get("file").textValue());
        assertFalse(sound.get("files").get(0).has("matches"));
        assertEquals(
                sound.get("folders").get(0).get("expected"),
                sound.get("folders").get(0).get("right"));
        configure("intermediate_size", 77);
        Cli.Result result = verify("--format", "json");
        assertEquals(1, result.code());
        JsonNode broken = Cli.parse(result.text());
        assertFalse(broken.get("sound").booleanValue());
        assertEquals("error", broken.get("findings").get(0).get("severity").textValue());
    }

    @Test
    void hashesAreComparedWithAList() throws IOException {
        Path list = folder.resolve("sums");
        Files.writeString(list, "0".repeat(64) + "  model.safetensors\n");
        Cli.Result wrong = verify("--sums", list.toString());
        assertEquals(1, wrong.code());
        assertTrue(wrong.text().contains("WRONG"), wrong.text());
        String hash = Cli.parse(verify("--format", "json").text())
                .get("files")
                .get(0)
                .get("sha256")
                .textValue();
        Files.writeString(model.resolve("SHA256SUMS"), hash + "  model.safetensors\n");
        Cli.Result right = verify();
        assertEquals(0, right.code(), right.err());
        assertTrue(right.text().lines().anyMatch(l -> l.startsWith("ok ")), right.text());
    }

    @Test
    void warningsCountOnRequest() throws IOException {
        Files.writeString(model.resolve("model.safetensors.index.json"), "{\"weight_map\": {\"a\": \"b\"}}");
        Cli.Result warned = verify();
        assertEquals(0, warned.code(), warned.err());
        assertTrue(warned.text().endsWith("sound: 0 errors, 1 warnings\n"), warned.text());
        assertEquals(1, verify("--strict").code());
    }

    @Test
    void aModelThatIsNotThereIsOneLine() {
        String line =
                Cli.run("verify", "-m", folder.resolve("nowhere").toString()).failure(1);
        assertTrue(line.contains("expected a checkpoint directory, found nothing there"), line);
    }
}
