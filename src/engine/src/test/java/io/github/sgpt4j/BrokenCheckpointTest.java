package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrowsExactly;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.testing.CheckpointFolder;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Refusal;
import io.github.sgpt4j.weights.Weights;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A checkpoint with a missing, unreadable or contradictory file is refused with one sentence that says which, where,
/// what was expected and what was found.
class BrokenCheckpointTest {
    private static final String CONFIG = "config.json";

    @TempDir
    Path folder;

    private CheckpointFolder model;

    @BeforeEach
    void copyModel() {
        model = CheckpointFolder.copy("gptneo-be", folder);
    }

    private void refused(Class<? extends SgptException> type, String... parts) {
        Refusal.check(type, () -> Model.open(model.directory()).close(), parts);
    }

    private void configRefused(String json, String... parts) {
        model.write(CONFIG, json);
        refused(FormatException.class, parts);
    }

    @Test
    void anUntouchedCopyOpens() {
        BiEncoder.open(model.directory()).close();
    }

    @Test
    void aMissingDirectory() {
        Path nowhere = folder.resolve("nowhere");
        Refusal.check(FormatException.class, () -> Model.open(nowhere), nowhere.toString(), "expected", "nothing");
    }

    @Test
    void aFileInsteadOfADirectory() {
        Path file = model.file(CONFIG);
        Refusal.check(
                FormatException.class, () -> Model.open(file), file.toString(), "a model directory", "got a file");
    }

    @Test
    void anEmptyDirectory() throws IOException {
        Path empty = Files.createDirectory(folder.resolve("empty"));
        Refusal.check(FormatException.class, () -> Model.open(empty), empty.toString(), CONFIG, "found none");
    }

    @Test
    void noConfig() {
        model.delete(CONFIG);
        refused(FormatException.class, model.directory().toString(), CONFIG, "found none");
    }

    @Test
    void anEmptyConfig() {
        configRefused("", CONFIG, "empty file");
        configRefused(" \n\t", CONFIG, "empty file");
    }

    @Test
    void aConfigThatIsNotJson() {
        configRefused("model_type: gpt_neo\n", CONFIG, "not valid JSON", "line 1");
        configRefused("{\n\n  \"model_type\": gpt_neo}", CONFIG, "not valid JSON", "line 3");
        configRefused("{\"model_type\": \"gpt_neo\"", CONFIG, "not valid JSON");
        configRefused("{\"a\nb\": 1, \"a\nb\": 2}", CONFIG, "not valid JSON");
    }

    @Test
    void aConfigThatIsNotAnObject() {
        configRefused("[1, 2]", CONFIG, "expected a JSON object", "got an array");
        configRefused("null", CONFIG, "expected a JSON object", "got null");
        configRefused("\"gpt_neo\"", CONFIG, "expected a JSON object", "got a string");
    }

    @Test
    void aConfigWithAKeyTwice() {
        configRefused("{\"vocab_size\": 1, \"vocab_size\": 2}", CONFIG, "expected key vocab_size once, got it twice");
    }

    @Test
    void aConfigWithSomethingAfterIt() {
        String config = new String(model.bytes(CONFIG), StandardCharsets.UTF_8);
        configRefused(config + " }", CONFIG, "not valid JSON");
        configRefused(config + " {}", CONFIG, "not valid JSON", "expected the end, got more");
    }

    @Test
    void aHugeConfigIsNotRead() {
        byte[] huge = new byte[20 << 20];
        java.util.Arrays.fill(huge, (byte) ' ');
        model.write(CONFIG, huge);
        refused(FormatException.class, CONFIG, "expected at most", "got " + huge.length);
    }

    @Test
    void aDeeplyNestedConfig() {
        for (int depth : new int[] {999, 1001, 100_000}) {
            String nested = "[".repeat(depth) + "]".repeat(depth);
            model.set(CONFIG, "vocab_size", nested);
            refused(FormatException.class, CONFIG);
        }
    }

    @Test
    void aConfigWithInvalidUtf8() {
        for (byte[] bytes : List.of(
                new byte[] {'{', '"', 'a', (byte) 0xff, '"', ':', '1', '}'},
                new byte[] {'{', '"', 'a', (byte) 0xc3, '(', '"', ':', '1', '}'},
                new byte[] {(byte) 0xff, (byte) 0xfe, 0, (byte) 0xd8},
                new byte[] {0, 0, (byte) 0xfe, (byte) 0xff, 0x7f, 0, 0, 0},
                new byte[] {0})) {
            model.write(CONFIG, bytes);
            refused(FormatException.class, CONFIG);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {CONFIG, "modules.json", "1_Pooling/config.json", "sentence_bert_config.json"})
    void aFolderInPlaceOfAFile(String name) throws IOException {
        model.delete(name);
        Files.createDirectory(model.file(name));
        refused(FormatException.class, name);
    }

    @ParameterizedTest
    @ValueSource(strings = {CONFIG, "modules.json", "1_Pooling/config.json", "sentence_bert_config.json"})
    void aDeviceInPlaceOfAFileIsNotRead(String name) throws IOException {
        Path endless = Path.of("/dev/zero");
        assumeTrue(Files.exists(endless), "needs /dev/zero");
        model.delete(name);
        Files.createSymbolicLink(model.file(name), endless);
        refused(FormatException.class, name, "regular file");
        model.delete(name);
    }

    @Test
    void aLinkToNowhere() throws IOException {
        model.delete("modules.json");
        Files.createSymbolicLink(model.file("modules.json"), Path.of("gone.json"));
        refused(FormatException.class, "modules.json");
    }

    @Test
    void noWeights() {
        model.delete(Weights.SINGLE_FILE);
        refused(FormatException.class, model.directory().toString(), Weights.SINGLE_FILE, "no weights");
    }

    @Test
    void pickledWeightsOnly() {
        model.delete(Weights.SINGLE_FILE).write("pytorch_model.bin", "PK");
        refused(FormatException.class, model.directory().toString(), Weights.SINGLE_FILE, "pytorch_model.bin");
    }

    @Test
    void noTokenizer() {
        model.delete("tokenizer.json");
        refused(FormatException.class, model.directory().toString(), "tokenizer.json");
    }

    @Test
    void aTensorOfATypeNotToComputeWith() {
        model.tensors(t -> t.name().equals("ln_f.weight")
                ? Optional.of(new CheckpointFolder.Replacement(ElementType.I64, 64))
                : CheckpointFolder.keep(t));
        refused(UnsupportedModelException.class, Weights.SINGLE_FILE, "ln_f.weight", "expected F32", "got I64");
    }

    @Test
    void aTokenBeyondTheEmbeddingTable() {
        model.reshape("wte.weight", 100, 64).set(CONFIG, "vocab_size", "100");
        try (BiEncoder encoder = BiEncoder.open(model.directory());
                CrossEncoder scorer = CrossEncoder.open(model.directory())) {
            int[] ids = encoder.tokenize("planet", TextKind.TEXT);
            int beyond = java.util.Arrays.stream(ids)
                    .filter(id -> id >= 100)
                    .findFirst()
                    .orElseThrow();
            Refusal.check(
                    FormatException.class, () -> encoder.embed("planet"), "token id " + beyond, "below 100", "rows");
            Refusal.check(
                    FormatException.class,
                    () -> scorer.score("planet", List.of("planet", "planet")),
                    "token id",
                    "below 100");
        }
    }

    @Test
    void anUntiedModelWithoutHeadEmbedsButDoesNotScore() {
        Path untied = Goldens.model("gptj-be");
        try (Model opened = Model.open(untied);
                BiEncoder encoder = BiEncoder.of(opened, BiEncoderOptions.DEFAULT)) {
            assertEquals(64, encoder.embed("a planet").length);
            Refusal.check(
                    FormatException.class,
                    () -> CrossEncoder.of(opened, CrossEncoderOptions.DEFAULT),
                    "lm_head.weight",
                    "output head",
                    "scoring",
                    "found none");
        }
        Refusal.check(FormatException.class, () -> CrossEncoder.open(untied), "lm_head.weight", "found none");
    }

    @Test
    void aDeviceThatCannotBeHad() {
        ModelOptions cuda = ModelOptions.DEFAULT.withDevice("cuda");
        assumeTrue(
                Devices.list().stream().noneMatch(d -> d.name().startsWith("cuda") && d.available()),
                "a CUDA device is there");
        Refusal.check(BackendException.class, () -> Model.open(model.directory(), cuda), "\"cuda\"");
    }

    @Test
    void optionsThatMeanNothing() {
        Refusal.check(
                IllegalArgumentException.class, () -> ModelOptions.DEFAULT.withDevice("gpu7"), "auto", "\"gpu7\"");
        Refusal.check(IllegalArgumentException.class, () -> ModelOptions.DEFAULT.withThreads(-1), "threads", "-1");
        Refusal.check(
                IllegalArgumentException.class,
                () -> ModelOptions.DEFAULT.withThreads(Integer.MAX_VALUE),
                "threads",
                "2147483647");
        Refusal.check(IllegalArgumentException.class, () -> Dtype.parse("fp4"), "bf16", "\"fp4\"");
        ModelOptions cpu = ModelOptions.DEFAULT.withDevice("cpu");
        for (Dtype dtype : List.of(Dtype.TF32, Dtype.FP8)) {
            Refusal.check(
                    BackendException.class,
                    () -> Model.open(model.directory(), cpu.withDtype(dtype)),
                    "cpu: dtype " + dtype + " is for GPUs");
        }
        Refusal.check(IllegalArgumentException.class, () -> Pooling.parse("sum"), "weightedmean", "\"sum\"");
        assertThrowsExactly(IllegalArgumentException.class, () -> BiEncoderOptions.DEFAULT.withMaxLength(-1));
        assertThrowsExactly(IllegalArgumentException.class, () -> BiEncoderOptions.DEFAULT.withBatchTokens(0));
        assertThrowsExactly(IllegalArgumentException.class, () -> CrossEncoderOptions.DEFAULT.withMaxLength(-1));
        assertThrowsExactly(IllegalArgumentException.class, () -> CrossEncoderOptions.DEFAULT.withBatchTokens(0));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "no place\nfor a document", "{} and {}", "{}{}", "{ }"})
    void aPromptWithoutExactlyOnePlace(String prompt) {
        Refusal.check(
                IllegalArgumentException.class, () -> CrossEncoderOptions.DEFAULT.withPrompt(prompt), "{}", "once");
    }

    @Test
    void aLengthBeyondTheModelsPositions() {
        BiEncoderOptions embedding = BiEncoderOptions.DEFAULT.withMaxLength(161);
        Refusal.check(
                IllegalArgumentException.class,
                () -> BiEncoder.open(model.directory(), ModelOptions.DEFAULT, embedding),
                "161",
                "160");
        CrossEncoderOptions scoring = CrossEncoderOptions.DEFAULT.withMaxLength(161);
        Refusal.check(
                IllegalArgumentException.class,
                () -> CrossEncoder.open(model.directory(), ModelOptions.DEFAULT, scoring),
                "161",
                "160");
    }

    @Test
    void aPromptLongerThanTheModel() {
        CrossEncoderOptions options = CrossEncoderOptions.DEFAULT.withMaxLength(5);
        try (CrossEncoder scorer = CrossEncoder.open(model.directory(), ModelOptions.DEFAULT, options)) {
            Refusal.check(
                    FormatException.class, () -> scorer.score("query", List.of("document")), "prompt", "5 tokens");
        }
        assertTrue(options.prompt().length() > 5);
    }

    @Test
    void bracketsThatAreNoSingleTokens() {
        String tokenizer = new String(model.bytes("tokenizer.json"), StandardCharsets.UTF_8);
        model.write("tokenizer.json", tokenizer.replace("\"[\":", "\"[gone]\":"));
        BiEncoderOptions options = BiEncoderOptions.DEFAULT.withSpecb(true);
        assertThrowsExactly(
                UnsupportedModelException.class,
                () -> BiEncoder.open(model.directory(), ModelOptions.DEFAULT, options));
    }
}
