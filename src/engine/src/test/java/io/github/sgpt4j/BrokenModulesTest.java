package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.testing.CheckpointFolder;
import io.github.sgpt4j.testing.Refusal;
import io.github.sgpt4j.weights.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Module files of sentence-transformers that are broken or ask for something unsupported.
class BrokenModulesTest {
    private static final String MODULES = "modules.json";
    private static final String POOLING = "1_Pooling/config.json";
    private static final String BERT = "sentence_bert_config.json";
    private static final String PROMPTS = "config_sentence_transformers.json";

    @TempDir
    Path folder;

    private CheckpointFolder model;

    @BeforeEach
    void copyModel() {
        model = CheckpointFolder.copy("gptneo-be", folder);
    }

    private static String module(String type, String path) {
        return "{\"idx\": 0, \"path\": \"%s\", \"type\": \"sentence_transformers.models.%s\"}".formatted(path, type);
    }

    private CheckpointFolder modules(String... modules) {
        return model.write(MODULES, "[" + String.join(",", modules) + "]");
    }

    private CheckpointFolder steps(String... steps) {
        String[] all = new String[steps.length + 2];
        all[0] = module("Transformer", "");
        all[1] = module("Pooling", "1_Pooling");
        System.arraycopy(steps, 0, all, 2, steps.length);
        return modules(all);
    }

    private void refused(String... parts) {
        refused(FormatException.class, parts);
    }

    private void refused(Class<? extends SgptException> type, String... parts) {
        Refusal.check(type, () -> BiEncoder.open(model.directory()).close(), parts);
    }

    @Test
    void aStoredBiasIsNotLeftOut() throws IOException {
        float[] square = new float[64 * 64];
        new SafetensorsWriter()
                .add("linear.weight", Shape.of(64, 64), square)
                .add("linear.bias", Shape.of(64), new float[64])
                .write(Files.createDirectories(model.directory().resolve("2_Dense"))
                        .resolve("model.safetensors"));
        model.write("2_Dense/config.json", "{\"in_features\": 64, \"out_features\": 64, \"bias\": false}");
        modules(module("Transformer", ""), module("Pooling", "1_Pooling"), module("Dense", "2_Dense"));
        refused("2_Dense/config.json", "key \"bias\"", "linear.bias is stored");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "[]", "null", "\"Transformer\"", "1"})
    void modulesThatAreNoList(String json) {
        model.write(MODULES, json);
        refused(MODULES, "a list of modules");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1",
                "null",
                "[]",
                "\"x\"",
                "{}",
                "{\"type\": 1, \"path\": \"\"}",
                "{\"type\": \"a\", \"path\": 1}"
            })
    void aModuleThatIsNone(String json) {
        modules(module("Transformer", ""), json);
        refused(MODULES, "module 1", "expected");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "CNN",
                "LSTM",
                "WeightedLayerPooling",
                "WordEmbeddings",
                "WordWeights",
                "BoW",
                "Router",
                "Asym",
                "CLIPModel",
                "LayerNorm",
                "StaticEmbedding",
                "",
                "Pooling\\nx"
            })
    void aModuleThatIsNotKnown(String type) {
        modules(module("Transformer", ""), module(type, "1"), module("Pooling", "1_Pooling"));
        refused(UnsupportedModelException.class, MODULES, "is not supported", "Dense");
        modules(module("Transformer", ""), module("Pooling", "1_Pooling"), module(type, "2"));
        refused(UnsupportedModelException.class, MODULES, "is not supported", "Dense");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "..",
                "../x",
                "a/../../x",
                "/etc",
                "\\\\\\\\host",
                "a\\\\..\\\\b",
                "a\\u0000b",
                "\\ud800",
                "a\\nb",
                "a\\u2028b",
                "C:\\\\x"
            })
    void aModulePathThatLeavesTheCheckpoint(String path) {
        modules(module("Transformer", ""), module("Pooling", path));
        refused(MODULES, "path", "a folder of the checkpoint");
    }

    @Test
    void modulesInAnotherOrder() {
        modules(module("Pooling", "1_Pooling"), module("Transformer", ""));
        refused(UnsupportedModelException.class, MODULES, "Pooling", "order");
        modules(module("Transformer", ""), module("Normalize", ""), module("Pooling", "1_Pooling"));
        refused(UnsupportedModelException.class, MODULES, "Normalize", "order");
        modules(module("Transformer", ""), module("Transformer", ""));
        refused(UnsupportedModelException.class, MODULES, "Transformer", "order");
        steps(module("Pooling", "1_Pooling"));
        refused(UnsupportedModelException.class, MODULES, "Pooling", "order");
    }

    @Test
    void twoModulesOfOneName() {
        steps(
                "{\"name\": \"2\", \"path\": \"2\", \"type\": \"sentence_transformers.models.Normalize\"}",
                "{\"name\": \"2\", \"path\": \"3\", \"type\": \"sentence_transformers.models.Normalize\"}");
        refused(MODULES, "module 3", "name", "got \"2\"");
    }

    @Test
    void noPooling() {
        modules(module("Transformer", ""));
        refused(MODULES, "Pooling", "found none");
    }

    @Test
    void moreModulesThanAnyModelHas() {
        String[] many = new String[10_000];
        java.util.Arrays.fill(many, module("Normalize", ""));
        steps(many);
        refused(MODULES, "at most", "got 10002");
    }

    @Test
    void aTransformerFolderThatIsNotThere() {
        modules(module("Transformer", "0_Transformer"), module("Pooling", "1_Pooling"));
        refused("0_Transformer", "config.json");
    }

    @Test
    void poolingWithoutConfig() {
        model.delete(POOLING);
        refused(POOLING, "found none");
    }

    @Test
    void aPoolingModeThatIsNotKnown() {
        model.write(POOLING, "{\"pooling_mode\": \"attention\"}");
        refused(UnsupportedModelException.class, POOLING, "\"attention\"");
        model.write(POOLING, "{\"pooling_mode\": \"a\\nb\"}");
        refused(UnsupportedModelException.class, POOLING, "pooling mode");
        for (String value : List.of("7", "{}", "[]", "[[\"mean\"]]", "[null]", "true")) {
            model.write(POOLING, "{\"pooling_mode\": " + value + "}");
            refused(POOLING, "pooling_mode", "expected", "got ");
        }
        model.write(POOLING, "{\"pooling_mode\": [\"mean\", \"MEAN\"]}");
        refused(POOLING, "pooling_mode", "once");
        model.write(POOLING, "{\"pooling_mode_mean_tokens\": 1}");
        refused(POOLING, "pooling_mode_mean_tokens", "true or false", "got 1");
    }

    @Test
    void severalPoolingModesAreConcatenated() {
        model.write(POOLING, "{\"pooling_mode_mean_tokens\": true, \"pooling_mode_lasttoken\": true}");
        try (BiEncoder encoder = BiEncoder.open(model.directory())) {
            assertEquals(128, encoder.dimension());
        }
        model.write(POOLING, "{\"pooling_mode\": [\"lasttoken\", \"mean\"]}");
        try (BiEncoder encoder = BiEncoder.open(model.directory())) {
            assertEquals(128, encoder.embed("two modes").length);
        }
    }

    private CheckpointFolder dense(String config) {
        return steps(module("Dense", "2_Dense")).write("2_Dense/config.json", config);
    }

    private void denseWeights(int out, int in, int bias) throws IOException {
        new SafetensorsWriter()
                .add("linear.weight", Shape.of(out, in), new float[out * in])
                .add("linear.bias", Shape.of(bias), new float[bias])
                .write(model.file("2_Dense/model.safetensors"));
    }

    private static final String DENSE =
            "{\"in_features\": 64, \"out_features\": 8, \"bias\": true, \"activation_function\": \"%s\"}";
    private static final String TANH = DENSE.formatted("torch.nn.modules.activation.Tanh");

    @Test
    void aDenseFolderWithoutFiles() {
        steps(module("Dense", "2_Dense"));
        refused("2_Dense", "config.json");
        dense(TANH);
        refused("2_Dense", "model.safetensors");
    }

    @Test
    void aDenseModuleOfAnotherShape() throws IOException {
        dense(TANH);
        denseWeights(8, 63, 8);
        refused("2_Dense", "linear.weight", "expected shape", "got ");
        denseWeights(8, 64, 9);
        refused("2_Dense", "linear.bias", "expected shape", "got ");
        dense("{\"in_features\": 65, \"out_features\": 8}");
        refused("2_Dense", "in_features", "expected 64", "got 65");
        for (String out : List.of("0", "-1", "2147483648", "\"8\"")) {
            dense("{\"in_features\": 64, \"out_features\": " + out + "}");
            refused("2_Dense", "out_features", "expected an integer", "got ");
        }
        dense("{\"in_features\": 64, \"out_features\": 2147483647}");
        refused("2_Dense", "linear.", "expected shape", "got ");
        dense("{\"in_features\": 64}");
        refused("2_Dense", "out_features", "found none");
    }

    @Test
    void aDenseModuleThatIsNotSupported() throws IOException {
        denseFolder();
        dense(DENSE.formatted("torch.nn.modules.activation.PReLU"));
        refused(UnsupportedModelException.class, "2_Dense", "PReLU");
        dense(DENSE.formatted("a\\nb"));
        refused(UnsupportedModelException.class, "2_Dense", "activation function");
        dense("{\"in_features\": 64, \"out_features\": 8, \"use_residual\": true}");
        refused(UnsupportedModelException.class, "2_Dense", "use_residual");
        dense("{\"in_features\": 64, \"out_features\": 8, \"module_input_name\": \"a\\nb\"}");
        refused(UnsupportedModelException.class, "2_Dense", "module_input_name");
    }

    private void denseFolder() throws IOException {
        dense(TANH);
        denseWeights(8, 64, 8);
    }

    @Test
    void aDenseModuleTakesAnyNumberOfTexts() throws IOException {
        denseFolder();
        try (BiEncoder encoder = BiEncoder.open(model.directory())) {
            assertEquals(8, encoder.dimension());
            assertEquals(0, encoder.embed(List.of()).length);
            assertArrayEquals(new float[8], encoder.embed(List.of("a", "", "b"))[1]);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "\"48\"", "48.5", "1000000000000", "[]", "true"})
    void aMaximalLengthThatIsNone(String value) {
        model.set(BERT, "max_seq_length", value);
        refused(BERT, "max_seq_length", "expected an integer", "got ");
    }

    @Test
    void aMaximalLengthBeyondTheModelIsTheModels() {
        model.set(BERT, "max_seq_length", "2147483647");
        try (Model opened = Model.open(model.directory());
                BiEncoder encoder = BiEncoder.of(opened, BiEncoderOptions.DEFAULT)) {
            assertEquals(160, opened.info().maxLength());
            assertEquals(160, encoder.tokenize("word ".repeat(500), TextKind.TEXT).length);
        }
    }

    /// Tokenizers add special tokens to a text, brackets take two more: the maximum length must leave
    /// room for them.
    @Test
    void aMaximalLengthWithoutRoomForSpecialTokens() {
        model = CheckpointFolder.copy("bloom-be", folder);
        String processor = "{\"type\": \"TemplateProcessing\", \"single\": ["
                + "{\"SpecialToken\": {\"id\": \"<s>\", \"type_id\": 0}}, {\"Sequence\": {\"id\": \"A\", \"type_id\": 0}},"
                + "{\"SpecialToken\": {\"id\": \"<s>\", \"type_id\": 0}}], \"pair\": [], \"special_tokens\":"
                + "{\"<s>\": {\"id\": \"<s>\", \"ids\": [1], \"tokens\": [\"<s>\"]}}}";
        model.set("tokenizer.json", "post_processor", processor).set(BERT, "max_seq_length", "1");
        refused("max_seq_length", "at least 2, for special tokens", "got 1");
        model.set(BERT, "max_seq_length", "3");
        BiEncoder.open(model.directory()).close();
        BiEncoderOptions specb = BiEncoderOptions.DEFAULT.withSpecb(true);
        Refusal.check(
                FormatException.class,
                () -> BiEncoder.open(model.directory(), ModelOptions.DEFAULT, specb),
                "max_seq_length",
                "at least 4",
                "got 3");
        Refusal.check(
                IllegalArgumentException.class,
                () -> BiEncoder.open(model.directory(), ModelOptions.DEFAULT, specb.withMaxLength(2)),
                "maximal length 2",
                "4");
        BiEncoder.open(model.directory(), ModelOptions.DEFAULT, specb.withMaxLength(4))
                .close();
    }

    @Test
    void promptsOfTheWrongType() {
        for (String value : List.of("[]", "\"query: \"", "7")) {
            model.write(PROMPTS, "{\"prompts\": " + value + "}");
            refused(PROMPTS, "\"prompts\"", "an object of strings", "got ");
        }
        model.write(PROMPTS, "{\"prompts\": {\"query\": 1}}");
        refused(PROMPTS, "prompts.query", "a string", "got 1");
        model.write(PROMPTS, "{\"prompts\": {\"a\\nb\": []}}");
        refused(PROMPTS, "prompts.", "a string", "got []");
        model.write(PROMPTS, "{\"default_prompt_name\": 1}");
        refused(PROMPTS, "default_prompt_name", "a string", "got 1");
        model.write(PROMPTS, "{\"prompts\": {\"query\": \"q: \"}, \"default_prompt_name\": \"x\\ny\"}");
        refused(PROMPTS, "default_prompt_name", "expected", "got ");
    }

    @Test
    void aPromptLongerThanTheTextsLeavesZeroWherePoolingSkipsIt() {
        model.write(PROMPTS, "{\"prompts\": {\"query\": \"%s\"}}".formatted("long prompt ".repeat(60)))
                .set(POOLING, "include_prompt", "false");
        try (BiEncoder encoder = BiEncoder.open(model.directory())) {
            assertArrayEquals(new float[64], encoder.embedQueries(List.of("text"))[0]);
        }
    }

    @Test
    void lowerCasingThatIsNeitherOnNorOff() {
        model.set(BERT, "do_lower_case", "\"yes\"");
        refused(BERT, "do_lower_case", "true or false", "got ");
    }

    @Test
    void aNameThatIsNoText() throws IOException {
        model.set("config.json", "_name_or_path", "[1]");
        refused("config.json", "_name_or_path", "a string", "got [1]");
        Files.delete(model.file("config.json"));
        refused("config.json");
    }

    @Test
    void aDenseModuleBeforePoolingThatIsNoneOfTokens() throws IOException {
        denseFolder();
        modules(module("Transformer", ""), module("Dense", "2_Dense"), module("Pooling", "1_Pooling"));
        refused(UnsupportedModelException.class, "2_Dense", "key_name", "\"token_embeddings\" before pooling");
        modules(module("Transformer", ""), module("Dense", "2_Dense"));
        refused(MODULES, "Pooling", "found none");
        modules(module("Dense", "2_Dense"), module("Transformer", ""), module("Pooling", "1_Pooling"));
        refused(UnsupportedModelException.class, MODULES, "Dense", "order");
    }

    @Test
    void aDenseModuleOfTokensThatDoesNotFit() throws IOException {
        dense("{\"in_features\": 65, \"out_features\": 8, \"key_name\": \"token_embeddings\"}");
        denseWeights(8, 65, 8);
        modules(module("Transformer", ""), module("Dense", "2_Dense"), module("Pooling", "1_Pooling"));
        refused("2_Dense", "in_features", "expected 64", "got 65");
        dense("{\"in_features\": 64, \"out_features\": 8, \"key_name\": \"token_embeddings\"}");
        modules(module("Transformer", ""), module("Dense", "2_Dense"), module("Pooling", "1_Pooling"));
        refused("2_Dense", "linear.weight", "expected shape", "got ");
    }

    private CheckpointFolder weighted(String config, int weights) throws IOException {
        modules(module("Transformer", ""), module("WeightedMeanPooling", "1_WeightedMeanPooling"));
        model.write("1_WeightedMeanPooling/config.json", config);
        new SafetensorsWriter()
                .add("position_weights", Shape.of(weights), new float[weights])
                .write(model.file("1_WeightedMeanPooling/model.safetensors"));
        return model;
    }

    @Test
    void positionWeightsThatAreBroken() throws IOException {
        weighted("{\"num_positions\": 20}", 20);
        refused("1_WeightedMeanPooling", "position_weights", "expected shape", "got ");
        for (String value : List.of("0", "-1", "\"8\"", "8.5", "true")) {
            weighted("{\"num_positions\": " + value + "}", 9);
            refused("1_WeightedMeanPooling", "num_positions", "expected an integer", "got ");
        }
        weighted("{\"num_positions\": 8, \"position_start\": 9}", 1);
        refused("1_WeightedMeanPooling", "position_start", "got 9");
        weighted("{\"num_positions\": 2147483647}", 9);
        refused("1_WeightedMeanPooling", "position_start", "got 0");
        weighted("{}", 513).delete("1_WeightedMeanPooling/model.safetensors");
        refused("1_WeightedMeanPooling", "model.safetensors");
        modules(
                module("Transformer", ""),
                module("WeightedMeanPooling", "1_WeightedMeanPooling"),
                module("Pooling", "1_Pooling"));
        refused(UnsupportedModelException.class, MODULES, "Pooling", "order");
    }
}
