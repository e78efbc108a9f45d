package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.GZIPOutputStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// `sgpt train`.
class TrainCommandTest {
    private static final String MODEL = Cli.model("gptneo-be");

    @TempDir
    Path folder;

    private Path rows;
    private Path made;

    @BeforeEach
    void write() throws IOException {
        rows = TrainingFiles.rows(folder, "row", 18);
        made = folder.resolve("made");
    }

    /// Five steps of a small model, unless options say otherwise.
    private List<String> command(String... more) {
        Map<String, String> usual = new LinkedHashMap<>();
        usual.put("-m", MODEL);
        usual.put("--device", "cpu");
        usual.put("--data", rows.toString());
        usual.put("--output", made.toString());
        usual.put("--batch-size", "4");
        usual.keySet().removeAll(Set.of(more));
        List<String> command = new ArrayList<>(List.of("train"));
        usual.forEach((option, value) -> command.addAll(List.of(option, value)));
        for (String word : more) {
            command.add(word.replace("@", folder.toString()));
        }
        return command;
    }

    private Cli.Result train(String... more) {
        return TrainingFiles.train(command(more));
    }

    private String failure(int code, String... more) {
        return Cli.run(command(more).toArray(String[]::new)).failure(code);
    }

    private static String embedded(Path model) {
        return Cli.run("embed", "--quiet", "-m", model.toString(), "--as", "query", "row number 3")
                .text();
    }

    @Test
    void theOutputOpensAndEmbeds() throws Exception {
        TrainingFiles.rows(folder, "dev", 9);
        Cli.Result result = train("--lr", "1e-2", "--dev", "@/dev.jsonl", "--keep", "last", "--max-length", "16");
        assertEquals(made + "\n", result.text());
        String said = result.err();
        assertTrue(
                said.matches("(?s).*sgpt: training [0-9,]+ numbers of \\d+ tensors with 18 rows: step 0 of 5\n.*"),
                said);
        assertTrue(
                said.matches("(?s).*sgpt: memory: [0-9.]+ MB for weights, [0-9.]+ MB for gradients and optimizer,"
                        + " up to [0-9.]+ MB for activations\nsgpt: step 0: .*"),
                said);
        assertTrue(said.contains("sgpt: step 0: dev_accuracy 0."), said);
        assertTrue(said.contains("sgpt: step 5: dev_accuracy "), said);
        assertTrue(said.contains("sgpt: " + made + ": the model after step 5 of 5\n"), said);
        assertTrue(said.matches("(?s).*sgpt: dev_loss: [0-9.]+, before training [0-9.]+\n.*"), said);
        assertNotEquals(embedded(Path.of(MODEL)), embedded(made));
        assertEquals(
                0,
                Cli.run("verify", "--quiet", "--strict", "-m", made.toString()).code());
        assertEquals(
                embedded(made),
                Cli.run(
                                "embed",
                                "--quiet",
                                "-m",
                                MODEL,
                                "--biases",
                                made.resolve("biases.safetensors").toString(),
                                "--as",
                                "query",
                                "row number 3")
                        .text());
        assertFalse(Files.exists(folder.resolve("made.training")));
        List<JsonNode> curve = Files.readAllLines(made.resolve("curve.jsonl")).stream()
                .map(Cli::parse)
                .toList();
        assertEquals(5, curve.stream().filter(line -> line.has("loss")).count());
        assertEquals(6, curve.stream().filter(line -> line.has("dev_loss")).count());
        DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(made.resolve("curve.svg").toFile());
    }

    @Test
    void theBuiltInModelCanBeTrained() throws IOException {
        List<String> command = command("--steps", "1");
        command.removeAll(List.of("-m", MODEL));
        TrainingFiles.train(command);
        assertEquals("1", TrainingFiles.settings(made).get("steps"));
        assertTrue(embedded(made).startsWith("{\"index\":0"));
    }

    @Test
    void threadsDoNotChangeABit() throws IOException {
        train("--threads", "1", "--quiet");
        Map<String, String> one = TrainingFiles.contents(made);
        made = folder.resolve("again").resolve("made");
        train("--threads", "2", "--quiet");
        assertEquals(one, TrainingFiles.contents(made));
    }

    @Test
    void quietIsQuiet() {
        assertEquals("", train("--quiet", "--steps", "2").err());
    }

    @Test
    void theBestTheLastOrAllStatesAreKept() throws IOException {
        TrainingFiles.rows(folder, "dev", 9);
        // So wild that the first state is the best.
        String[] wild = {"--lr", "3", "--warmup", "0", "--clip", "1e9", "--dev", "@/dev.jsonl", "--save-every", "2"};
        String best = train(wild).err();
        assertTrue(best.matches("(?s).*: the model after step [0-4] of 5\n.*"), best);
        for (String keep : List.of("last", "all")) {
            made = folder.resolve(keep);
            String[] more = Arrays.copyOf(wild, wild.length + 2);
            more[wild.length] = "--keep";
            more[wild.length + 1] = keep;
            assertTrue(train(more).err().contains(": the model after step 5 of 5\n"));
            Path states = made.resolve("checkpoint");
            assertEquals(keep.equals("all"), Files.exists(states.resolve("step-2.safetensors")));
            assertEquals(keep.equals("all"), Files.exists(states));
        }
    }

    @Test
    void recipesFillInWhatIsNotGiven() throws IOException {
        String said = train("--recipe", "msmarco", "--epochs", "1").err();
        assertTrue(said.contains("the model has 160 positions: texts are cut there, not at the 300 tokens"), said);
        String notice = "sgpt: %s: expected \"specb\" in the name, by which".formatted(made);
        assertEquals(2, said.split(notice, -1).length, said);
        assertTrue(said.indexOf(notice) < said.indexOf("writing the model"), said);
        assertFalse(said.contains(".training"), said);
        Map<String, String> settings = TrainingFiles.settings(made);
        assertEquals("true", settings.get("specb"));
        assertEquals("160", settings.get("max_length"));
        assertEquals("1000", settings.get("warm-up"));
        assertEquals("4.0E-4", settings.get("learning rate"));
        assertEquals("false", settings.get("no duplicates"));
        assertEquals("4", settings.get("batch size"));

        made = folder.resolve("other-specb");
        String named = train("--recipe", "msmarco", "--steps", "1", "--max-length", "20", "--warmup", "50%")
                .err();
        assertFalse(named.contains("expected \"specb\" in the name"), named);
        settings = TrainingFiles.settings(made);
        assertEquals("20", settings.get("max_length"));
        assertEquals("50%", settings.get("warm-up"));

        made = folder.resolve("nli");
        train("--recipe", "nli", "--steps", "1");
        settings = TrainingFiles.settings(made);
        assertEquals("75", settings.get("max_length"));
        assertEquals("10%", settings.get("warm-up"));
        assertEquals("3.2E-4", settings.get("learning rate"));
        assertEquals("true", settings.get("no duplicates"));

        made = folder.resolve("explicit");
        train("--recipe", "nli", "--steps", "1", "--duplicates", "--lr", "0.1", "--scale", "10", "--pooling", "mean");
        settings = TrainingFiles.settings(made);
        assertEquals("false", settings.get("no duplicates"));
        assertEquals("0.1", settings.get("learning rate"));
        assertEquals("10.0", settings.get("scale"));
        assertEquals("mean", settings.get("pooling"));

        made = folder.resolve("plain");
        train("--recipe", "msmarco", "--no-specb", "--steps", "1", "--no-shuffle", "--seed", "-5");
        settings = TrainingFiles.settings(made);
        assertEquals("false", settings.get("specb"));
        assertEquals("false", settings.get("shuffle"));
        assertEquals("-5", settings.get("seed"));
    }

    @Test
    void theFirstEvaluationDecides() throws IOException {
        TrainingFiles.rows(folder, "dev", 6);
        Files.writeString(folder.resolve("sts.tsv"), "a cat\tthe cat\t5\nwater\ta doctor\t0\n");
        Path data = Files.createDirectories(folder.resolve("found/qrels")).getParent();
        Files.writeString(data.resolve("corpus.jsonl"), "{\"_id\": \"1\", \"text\": \"the row 1\"}\n");
        Files.writeString(data.resolve("queries.jsonl"), "{\"_id\": \"q\", \"text\": \"row number 1\"}\n");
        Files.writeString(data.resolve("qrels/test.tsv"), "query-id\tcorpus-id\tscore\nq\t1\t1\n");
        List<String> options = List.of("--sts @/sts.tsv", "--eval @/found", "--dev @/dev.jsonl");
        List<String> names = List.of("sts_spearman", "ndcg_cut_10", "dev_accuracy");
        for (int first = 0; first < 3; first++) {
            made = folder.resolve("made" + first);
            List<String> more = new ArrayList<>(List.of("--steps", "1"));
            for (int i = 0; i < 3; i++) {
                more.addAll(List.of(options.get((first + i) % 3).split(" ")));
            }
            String said = train(more.toArray(String[]::new)).err();
            assertTrue(said.contains("sgpt: step 0: " + names.get(first) + " "), said);
            assertTrue(said.contains(", " + names.get((first + 1) % 3) + " "), said);
        }
    }

    @Test
    void modelsWithoutBiasesNeedAnotherMethod() {
        String[] llama = {"-m", Cli.model("llama-be"), "--steps", "1"};
        String said = failure(1, llama);
        assertTrue(said.endsWith("the model has no tensor that the method bitfit trains, use --method full"), said);
        assertFalse(Files.exists(folder.resolve("made.training")));
        train("-m", Cli.model("llama-be"), "--steps", "1", "--method", "full");
        assertTrue(embedded(made).startsWith("{\"index\":0"));
    }

    @Test
    void aRateThatIsTooHighLeavesTheLastState() throws IOException {
        String said = failure(1, "--lr", "1e38", "--warmup", "0", "--save-every", "1", "--quiet");
        assertTrue(said.matches("step \\d: expected a finite .*: a lower --lr, or clean data, may help"), said);
        int step = Integer.parseInt(said.substring(5, 6)) - 1;
        assertTrue(Files.exists(folder.resolve("made.training/checkpoint/step-%d.safetensors".formatted(step))));
        assertFalse(Files.exists(made));
        String again = failure(1, "--quiet");
        assertEquals(
                folder.resolve("made.training")
                        + ": an unfinished training is there; remove the folder, or continue with --resume",
                again);
        String other = failure(1, "--quiet", "--lr", "1e-4", "--warmup", "0", "--save-every", "1", "--resume");
        assertTrue(other.endsWith("learning rate: expected 1.0E38 as before, got 1.0E-4"), other);
    }

    @Test
    void whatIsThereStays() throws IOException {
        Files.createDirectory(made);
        assertEquals(made + ": expected no such folder yet, found one", failure(1));
        assertEquals(made + ": expected no such folder yet, found one", failure(1, "--resume"));
        Files.delete(made);
        assertEquals(
                folder.resolve("made.training") + ": expected an unfinished training, found none",
                failure(1, "--resume"));
    }

    @Test
    void foldersAroundTheOutputAreMade() {
        made = folder.resolve("some/where/made");
        train("--steps", "1");
        assertTrue(Files.exists(made.resolve("config.json")));
        String line = Cli.run(command("--steps", "1", "--quiet", "--output", rows + "/made")
                        .toArray(String[]::new))
                .failure(1);
        assertTrue(line.startsWith(rows.toString()), line);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"query\": \"a\"}|line 2: expected \"positive\", found none",
                "{\"query\": \"a\", \"positive\": \" \", \"negative\": \"c\"}|line 2: \"positive\": expected a text, got an empty one",
                "{\"query\": 7, \"positive\": \"b\", \"negative\": \"c\"}|line 2: \"query\": expected a string, got a number",
                "{\"query\": \"a\", \"positive\": \"b\"}|line 2: expected negatives, at least 1, got 0",
                "[]|line 2: expected an object, got an array",
                "{\"query\": \"a\"|line 2: ",
            })
    void badRowsAreNamedByFileAndLine(String row, String complaint) throws IOException {
        List<String> lines = new ArrayList<>(Files.readAllLines(rows));
        lines.set(1, row);
        Files.write(rows, lines);
        String said = failure(1);
        assertTrue(said.startsWith(rows + ": ") && said.contains(complaint), said);
        assertFalse(Files.exists(folder.resolve("made.training")));
    }

    @Test
    void dataThatAreOddAreTold() throws IOException {
        assertTrue(failure(1, "--batch-size", "19").contains("expected at least the 19 rows of a batch, got 18"));
        assertTrue(failure(1, "--data", "@/none.jsonl").contains("found nothing there"));
        assertTrue(failure(1, "--data", "@").contains("expected collection.tsv or collection.tsv.gz in the folder"));
        assertTrue(failure(1, "--form", "nli").contains("expected the columns split, sentence1, sentence2 and label"));
        Files.writeString(rows, "{\"query\": \"a\", \"positive\": \"b\", \"negative\": \"b\"}\n".repeat(4));
        String said = train("--steps", "1").err();
        assertTrue(said.contains("negative"), said);
    }

    @Test
    void rowsThatCannotFillABatchLeaveNothing() throws IOException {
        Files.writeString(rows, "{\"query\": \"a\", \"positive\": \"b\"}\n".repeat(8));
        assertEquals(
                rows.getFileName() + ": expected 4 rows without a text in common for a batch, found 1",
                failure(1, "--no-duplicates", "--quiet").replace(folder + "/", ""));
        assertFalse(Files.exists(folder.resolve("made.training")));
    }

    @Test
    void anAdapterAsksForItsBaseModel() {
        train("--method", "lora", "--steps", "1", "--quiet");
        String adapter = made.resolve("adapter").toString();
        assertEquals(
                adapter + ": the adapter needs its base model \"gptneo-be\", and there is no such directory:"
                        + " name it with --base-model",
                Cli.run("embed", "-m", adapter, "text").failure(1));
        assertEquals(
                0,
                Cli.run("embed", "-m", adapter, "--base-model", MODEL, "text").code());
    }

    @Test
    void compressedDataAreTheSame() throws IOException {
        train("--quiet", "--steps", "2");
        Map<String, String> plain = TrainingFiles.contents(made);
        Path packed = folder.resolve("row.jsonl.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
            out.write(Files.readString(rows).getBytes(StandardCharsets.UTF_8));
        }
        made = folder.resolve("packed/made");
        train("--quiet", "--steps", "2", "--data", packed.toString(), "--form", "rows");
        assertEquals(plain, TrainingFiles.contents(made));
    }

    @Test
    void lengthsThatTheModelCannotReadAreRefused() {
        assertEquals(
                "--max-length: maximal length 161: expected 1 to 160, the model's positions",
                failure(1, "--max-length", "161", "--quiet"));
        assertTrue(failure(1, "--max-length", "1", "--specb", "--quiet")
                .startsWith("--max-length: maximal length 1: expected at least"));
    }

    @Test
    void cutTextsAreCountedOrRefused() throws IOException {
        String told = train("--epochs", "2", "--max-length", "4").err();
        assertTrue(
                told.matches(
                        "(?s).*sgpt: documents truncated to 4 tokens: 70 of 72; the longest had \\d+; each text counts once per epoch\n.*"),
                told);
        made = folder.resolve("measured");
        TrainingFiles.rows(folder, "dev", 9);
        String measured = train("--epochs", "2", "--max-length", "4", "--dev", "@/dev.jsonl", "--eval-every", "100%")
                .err();
        assertTrue(
                measured.matches(
                        "(?s).*sgpt: documents truncated to 4 tokens: 70 of 72; the longest had \\d+; each text counts once per epoch\n.*"),
                measured);
        assertTrue(
                measured.matches(
                        "(?s).*sgpt: measuring: documents truncated to 4 tokens: \\d+ of 36; the longest had \\d+; each text counts each time\n.*"),
                measured);
        made = folder.resolve("strict");
        String said = failure(1, "--steps", "1", "--max-length", "4", "--strict", "--quiet");
        assertTrue(said.contains(": expected at most 4 tokens, got "), said);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "--epochs 1 --steps 2|expected either --epochs or --steps, got both",
                "--eval-every 5|--eval-every has no effect without --dev, --eval or --sts",
                "--keep best|--keep best cannot be decided without --dev, --eval or --sts",
                "--schedule constantlr --warmup 3|--warmup has no effect with --schedule constantlr",
                "--weight-decay 0.1|--weight-decay has no effect with --method bitfit",
                "--margin 2|--margin has no effect with data of the form rows",
                "--negatives-per-system 2|--negatives-per-system has no effect with data of the form rows",
                "--biases x|--biases cannot be trained further",
                "--method some|'--method': expected bitfit, bitfit+wte, full or lora, got \"some\"",
                "--optimizer sgd|'--optimizer': expected adamw or adamw-torch, got \"sgd\"",
                "--schedule warm|'--schedule': expected constantlr, warmupconstant, warmuplinear",
                "--form csv|'--form': expected auto, rows, msmarco or nli, got \"csv\"",
                "--recipe all|'--recipe': expected msmarco or nli, got \"all\"",
                "--gradcache some|'--gradcache': expected auto, always or never, got \"some\"",
                "--keep none|'--keep': expected best, last or all, got \"none\"",
                "--lr 0|'--lr': learning rate: expected a number above 0, got 0.0",
                "--lr fast|'--lr': expected a number, got \"fast\"",
                "--lr NaN|'--lr': expected a number, got \"NaN\"",
                "--lr 1e999|'--lr': learning rate: expected a number above 0, got Infinity",
                "--weight-decay -1|'--weight-decay': weight decay: expected a number of at least 0, got -1.0",
                "--clip 0|'--clip': clip: expected a number above 0, got 0.0",
                "--scale -2|'--scale': scale: expected a number above 0, got -2.0",
                "--warmup 110%|'--warmup': share of steps: expected 0% to 100%, got 110.0%",
                "--warmup some|'--warmup': expected a number of steps or a share such as 10%, got some",
                "--eval-every x|'--eval-every': expected a number of steps or a share such as 10%, got x",
                "--save-every 0|'--save-every': expected a whole number from 1 to",
                "--batch-size 0|'--batch-size': expected a whole number from 1 to",
                "--negatives -1|'--negatives': expected a whole number of at least 0, got \"-1\"",
                "--negatives 5000|'--negatives': expected between 0 and 1000 negatives, got 5000",
                "--seed x|'--seed'",
                "--pooling some|'--pooling'",
                "--batchsize 4|Unknown options: '--batchsize'",
            })
    void wrongUsageIsTold(String more, String complaint) {
        String said = failure(2, more.split(" "));
        assertTrue(said.contains(complaint), said);
        assertTrue(said.endsWith("(see sgpt train --help)"), said);
        assertFalse(Files.exists(folder.resolve("made.training")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"train --data x", "train --output x", "train --data @ --output x", "train --data x --output @"})
    void whatIsNeededIsAskedFor(String command) {
        String[] words = command.split(" ");
        for (int i = 0; i < words.length; i++) {
            words[i] = words[i].equals("@") ? "" : words[i];
        }
        String said = Cli.run(words).failure(2);
        assertTrue(said.contains("Missing required option") || said.contains("expected a name"), said);
    }
}
