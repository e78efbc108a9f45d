package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `sgpt inspect`: facts and their sources, memory, tensors, and the scan for NaN and infinity, as text and JSON.
class InspectCommandTest {
    @TempDir
    Path folder;

    static Path copy(String golden, Path parent) throws IOException {
        Path source = Cli.GOLDENS.resolve(golden);
        Path target = Files.createDirectories(parent.resolve(golden));
        try (Stream<Path> files = Files.walk(source)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path to = target.resolve(source.relativize(file).toString());
                Files.createDirectories(to.getParent());
                Files.copy(file, to);
            }
        }
        return target;
    }

    /// Replaces the last number of the weights, of 4 bytes, by a NaN.
    private static void damage(Path model) throws IOException {
        try (RandomAccessFile file =
                new RandomAccessFile(model.resolve("model.safetensors").toFile(), "rw")) {
            file.seek(file.length() - 4);
            file.writeInt(-1);
        }
    }

    private static String line(Cli.Result result, String start) {
        assertEquals(0, result.code(), result.err());
        List<String> lines =
                result.text().lines().filter(line -> line.startsWith(start)).toList();
        assertEquals(1, lines.size(), result.text());
        return lines.getFirst().substring(start.length()).strip();
    }

    @Test
    void factsSayWhereTheyComeFrom() throws IOException {
        Cli.Result plain = Cli.run("inspect", "-m", Cli.model("gptneo-be"));
        assertTrue(line(plain, "pooling").matches("\\w+ \\(.+\\)"), plain.text());
        assertTrue(line(plain, "text length").matches("cut to [\\d,]+ tokens \\(.+\\)"), plain.text());
        Path model = copy("gptneo-be", folder);
        ObjectNode config = (ObjectNode) Cli.read(model.resolve("config.json"));
        config.put("_name_or_path", "someone/SGPT-specb");
        Files.writeString(model.resolve("config.json"), config.toString());
        String specb = line(Cli.run("inspect", "-m", model.toString()), "specb");
        assertTrue(specb.startsWith("yes: \"specb\" is in \"_name_or_path\" of config.json"), specb);
        Path renamed = Files.move(model, folder.resolve("My-specb-Model"));
        specb = line(Cli.run("inspect", "-m", renamed.toString()), "specb");
        assertTrue(specb.startsWith("yes: \"specb\" is in the directory's name"), specb);
    }

    @Test
    void memoryIsToldPerDeviceAndTypeForTheTokensAtOnce() {
        Cli.Result result = Cli.run("inspect", "-m", Cli.model("gptneo-be"), "--batch-tokens", "512");
        for (String device : List.of("cpu", "cuda")) {
            for (String type : List.of("auto", "fp32", "bf16", "fp16", "fp8")) {
                if (device.equals("cuda") && type.equals("auto")) {
                    assertFalse(result.text().contains("memory cuda auto"), "it depends on the GPU");
                    continue;
                }
                if (device.equals("cpu") && type.equals("fp8")) {
                    assertFalse(result.text().contains("memory cpu fp8"), "processors have no such type");
                    continue;
                }
                String need = line(result, "memory " + device + " " + type);
                assertTrue(need.matches("[\\d,.]+ MB: weights [\\d,.]+ MB, activations [\\d,.]+ MB.*"), need);
            }
        }
        assertTrue(line(result, "memory covers").contains("512 tokens at once"));
    }

    @Test
    void tensorsAreListedOnRequest() {
        Cli.Result result = Cli.run("inspect", "-m", Cli.model("gptneo-be"), "--tensors");
        String tensor = line(
                result, result.text().contains("\ntransformer.wte.weight") ? "transformer.wte.weight" : "wte.weight");
        assertTrue(tensor.matches("F32 +\\[\\d+, \\d+] +[\\d,]+ +model.safetensors"), tensor);
        assertFalse(Cli.run("inspect", "-m", Cli.model("gptneo-be")).text().contains("wte.weight"));
    }

    @Test
    void aScanShowsRangesAndFails() throws IOException {
        Cli.Result sound = Cli.run("inspect", "-m", Cli.model("gptneo-be"), "--scan");
        assertEquals(0, sound.code(), sound.err());
        assertTrue(sound.text().contains(" tensors scanned, all finite\n"), sound.text());
        Path model = copy("gptneo-be", folder);
        damage(model);
        assertEquals(0, Cli.run("inspect", "-m", model.toString()).code(), "only on request");
        Cli.Result broken = Cli.run("inspect", "-m", model.toString(), "--scan");
        assertEquals(1, broken.code());
        assertTrue(broken.text().contains(" tensors scanned, 1 not finite\n"), broken.text());
        assertEquals(1, broken.err().lines().count(), broken.err());
        assertTrue(broken.err().contains("expected finite numbers, got 1 NaN and 0 infinite"), broken.err());
        assertTrue(broken.err().contains("model.safetensors: tensor "), broken.err());
    }

    @Test
    void jsonHasTheSameFacts() throws IOException {
        Path model = copy("gptneo-be", folder);
        damage(model);
        Cli.Result result = Cli.run("inspect", "-m", model.toString(), "--format", "json", "--tensors", "--scan");
        assertEquals(1, result.code());
        assertEquals(1, result.text().lines().count());
        JsonNode facts = Cli.parse(result.text());
        assertEquals("gpt_neo", facts.get("family").textValue());
        assertEquals(4, facts.get("layers").intValue());
        assertEquals(8, facts.get("memory").size());
        JsonNode memory = facts.get("memory").get(0);
        assertEquals(
                memory.get("total_bytes").longValue(),
                memory.get("weight_bytes").longValue()
                        + memory.get("activation_bytes").longValue());
        assertEquals(4096, memory.get("tokens").intValue());
        assertEquals(facts.get("tensors").size(), facts.get("scan").size());
        long bytes = 0;
        for (JsonNode tensor : facts.get("tensors")) {
            bytes += tensor.get("bytes").longValue();
        }
        assertEquals(facts.get("tensor_bytes").longValue(), bytes);
        long nan = 0;
        for (JsonNode tensor : facts.get("scan")) {
            nan += tensor.get("nan").longValue();
            assertEquals(tensor.get("nan").longValue() > 0, tensor.has("first_non_finite"));
        }
        assertEquals(1, nan);
        assertFalse(facts.get("specb").booleanValue());
        JsonNode few = Cli.run("inspect", "-m", Cli.model("gptneo-be"), "--format", "JSON")
                .lines()
                .getFirst();
        assertFalse(few.has("tensors") || few.has("scan"));
    }

    @Test
    void otherFormatsAreUsageErrors() {
        Cli.run("inspect", "--format", "yaml").failure(2);
    }
}
