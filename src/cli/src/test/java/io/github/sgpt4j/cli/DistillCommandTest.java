package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `sgpt train --distill` and `sgpt train --method lora`.
class DistillCommandTest {
    private static final String STUDENT = Cli.model("gptneo-be");

    @TempDir
    Path folder;

    private Path texts;
    private Path made;

    @BeforeEach
    void write() throws IOException {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < 24; i++) {
            lines.add("text number %d of %d about %s"
                    .formatted(i, i * i, List.of("bread", "whales", "loans").get(i % 3)));
        }
        texts = Files.write(folder.resolve("texts.txt"), lines);
        made = folder.resolve("made");
    }

    private void teach(String file) {
        Cli.Result result = Cli.run(
                "embed",
                "-m",
                Cli.model("bloom-be"),
                "-i",
                texts.toString(),
                "-o",
                folder.resolve(file).toString());
        assertEquals(0, result.code(), result.err());
    }

    /// Options of the test, and those of a small training that it does not give.
    private List<String> command(String data, String... more) {
        List<String> command = new ArrayList<>(List.of("train", "--device", "cpu", "--output", made.toString()));
        command.addAll(List.of("--data", folder.resolve(data).toString()));
        for (String word : more) {
            command.add(word.replace("@", folder.toString()));
        }
        Map.of("-m", STUDENT, "--batch-size", "8", "--lr", "2e-3", "--warmup", "0")
                .forEach((name, value) -> {
                    if (!command.contains(name)) {
                        command.addAll(List.of(name, value));
                    }
                });
        return command;
    }

    private Cli.Result train(String data, String... more) {
        return TrainingFiles.train(command(data, more));
    }

    private String failure(int code, String data, String... more) {
        return Cli.run(command(data, more).toArray(String[]::new)).failure(code);
    }

    @Test
    void aTeacherIsDistilledFromAMatrixOrFromRows() throws IOException {
        teach("teacher.npy");
        teach("teacher.jsonl");
        String said = train(
                        "texts.txt",
                        "--distill",
                        "both",
                        "--teacher",
                        "@/teacher.npy",
                        "--method",
                        "full",
                        "--epochs",
                        "6")
                .err();
        assertTrue(said.contains(" tensors with 24 rows: step 0 of 18\n"), said);
        List<JsonNode> curve = Files.readAllLines(made.resolve("curve.jsonl")).stream()
                .map(Cli::parse)
                .toList();
        assertTrue(
                curve.getLast().get("loss").doubleValue()
                        < curve.getFirst().get("loss").doubleValue() / 2,
                curve::toString);
        Map<String, String> settings = TrainingFiles.settings(made);
        assertEquals("both", settings.get("distill"));
        assertEquals("20.0", settings.get("similarity weight"));
        assertEquals("text", settings.get("texts as"));
        assertFalse(settings.containsKey("scale"));
        assertEquals(
                0,
                Cli.run("verify", "--quiet", "--strict", "-m", made.toString()).code());
        byte[] weights = Files.readAllBytes(made.resolve("model.safetensors"));
        made = folder.resolve("again");
        train("teacher.jsonl", "--distill", "both", "--method", "full", "--epochs", "6", "--quiet");
        assertArrayEquals(weights, Files.readAllBytes(made.resolve("model.safetensors")));
    }

    @Test
    void rolesAndWeightsAreSettings() throws IOException {
        teach("teacher.jsonl");
        train("teacher.jsonl", "--distill", "similarity", "--as", "query", "--specb", "--steps", "1");
        Map<String, String> settings = TrainingFiles.settings(made);
        assertEquals("similarity", settings.get("distill"));
        assertEquals("query", settings.get("texts as"));
        assertFalse(settings.containsKey("similarity weight"));
        made = folder.resolve("weighted");
        train("teacher.jsonl", "--distill", "both", "--similarity-weight", "3", "--steps", "1");
        assertEquals("3.0", TrainingFiles.settings(made).get("similarity weight"));
    }

    @Test
    void dataThatDoNotFitAreToldByFileAndRow() throws IOException {
        teach("teacher.npy");
        String[] distill = {"--distill", "cosine", "--teacher", "@/teacher.npy"};
        assertTrue(failure(1, "texts.txt", "--distill", "cosine")
                .endsWith("texts.txt: line 1: expected \"embedding\", found none"));
        Files.writeString(texts, Files.readString(texts) + "one more\n");
        assertTrue(
                failure(1, "texts.txt", distill).contains("teacher.npy: expected a row for each of the 25 texts of "));
        Files.writeString(folder.resolve("teacher.npy"), "numbers");
        assertTrue(failure(1, "texts.txt", distill).endsWith("expected the magic number of a .npy file, found none"));
        assertFalse(Files.exists(folder.resolve("made.training")));
    }

    @Test
    void productsOfLowRankAreTrained() throws IOException {
        TrainingFiles.rows(folder, "row", 18);
        String[] lora = {"-m", Cli.model("llama-be"), "--method", "lora", "--steps", "4", "--lora-rank", "2"};
        String said = train("row.jsonl", lora).err();
        // Queries and values of two layers: 2 · (64 + 64) and 2 · (64 + 32) numbers.
        assertTrue(said.contains("sgpt: training 896 numbers of 4 tensors with 18 rows: step 0 of 4\n"), said);
        assertEquals("2", TrainingFiles.settings(made).get("lora rank"));
        JsonNode config = Cli.parse(Files.readString(made.resolve("adapter/adapter_config.json")));
        assertEquals(2, config.get("r").intValue());
        assertEquals(16, config.get("lora_alpha").intValue());
        List<JsonNode> embeddings = new ArrayList<>();
        for (List<String> model : List.of(
                List.of("-m", made.toString()),
                List.of("-m", made.resolve("adapter").toString(), "--base-model", Cli.model("llama-be")))) {
            List<String> embed = new ArrayList<>(List.of("embed", "--quiet", "--pooling", "weightedmean"));
            embed.addAll(model);
            embed.add("row number 3");
            embeddings.add(
                    Cli.run(embed.toArray(String[]::new)).lines().getFirst().get("embedding"));
        }
        Cli.assertClose(embeddings.getFirst(), embeddings.getLast(), "adapter");

        made = folder.resolve("other");
        said = train(
                        "row.jsonl",
                        "-m",
                        Cli.model("llama-be"),
                        "--method",
                        "lora",
                        "--steps",
                        "1",
                        "--lora-alpha",
                        "4",
                        "--lora-targets",
                        "o_proj,down_proj")
                .err();
        assertTrue(said.contains(" numbers of 4 tensors with "), said);
        assertEquals("down_proj, o_proj", TrainingFiles.settings(made).get("lora targets"));
        assertEquals("4.0", TrainingFiles.settings(made).get("lora alpha"));
        made = folder.resolve("none");
        assertEquals(
                "lora targets: expected names of the model's projections such as q_proj, got c_attn",
                failure(1, "row.jsonl", "--quiet", "--method", "lora", "--lora-targets", "q_proj,c_attn"));
    }

    @Test
    void aTrainingContinuesWithTheSameSettingsOnly() throws IOException {
        teach("teacher.jsonl");
        // A state is saved after each step; the third has a loss that is not finite.
        String wild = failure(
                1,
                "teacher.jsonl",
                "--distill",
                "both",
                "--lr",
                "1e38",
                "--save-every",
                "1",
                "--quiet",
                "--method",
                "full");
        assertTrue(wild.contains(": expected a finite "), wild);
        String other = failure(
                1,
                "teacher.jsonl",
                "--distill",
                "both",
                "--similarity-weight",
                "2",
                "--lr",
                "1e38",
                "--save-every",
                "1",
                "--quiet",
                "--method",
                "full",
                "--resume");
        assertTrue(other.endsWith("similarity weight: expected 20.0 as before, got 2.0"), other);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "--teacher x.npy|--teacher has no effect without --distill",
                "--similarity-weight 2|--similarity-weight has no effect without --distill",
                "--as query|--as has no effect without --distill",
                "--distill cosine --similarity-weight 2|--similarity-weight has no effect with --distill cosine",
                "--distill both --recipe nli|--recipe has no effect with --distill both",
                "--distill both --scale 2|--scale has no effect with --distill both",
                "--distill both --form rows|--form has no effect with --distill both",
                "--distill both --negatives 1|--negatives has no effect with --distill both",
                "--distill both --margin 1|--margin has no effect with --distill both",
                "--distill all|'--distill': expected cosine, similarity or both, got \"all\"",
                "--distill both --similarity-weight 0|'--similarity-weight': similarity weight: expected a number above 0, got 0.0",
                "--distill both --as passage|'--as'",
                "--distill both --teacher|'--teacher'",
                "--lora-rank 4|--lora-rank has no effect with --method bitfit",
                "--method full --lora-alpha 4|--lora-alpha has no effect with --method full",
                "--method full --lora-targets q_proj|--lora-targets has no effect with --method full",
                "--method lora --lora-rank 0|'--lora-rank': expected a whole number from 1 to",
                "--method lora --lora-rank 5000|'--lora-rank': rank: expected 1 to 4096, got 5000",
                "--method lora --lora-alpha 0|'--lora-alpha': alpha: expected a number above 0, got 0.0",
                "--method lora --lora-targets q_proj,,v_proj|expected a name, got an empty one",
            })
    void wrongUsageIsTold(String more, String complaint) {
        String said = failure(2, "texts.txt", more.split(" "));
        assertTrue(said.contains(complaint), said);
        assertFalse(Files.exists(folder.resolve("made.training")));
    }
}
