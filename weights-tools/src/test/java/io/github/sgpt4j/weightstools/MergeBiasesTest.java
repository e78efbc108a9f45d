package io.github.sgpt4j.weightstools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.ModelInfo;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Half;
import io.github.sgpt4j.tensor.LittleEndian;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.weights.SafetensorsWriter;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Complete checkpoints of base models and biases that the reference has trained.
class MergeBiasesTest {
    private static final Path TRAINED = Path.of("../src/engine/src/test/resources/goldens/training/bitfit");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final double TOLERANCE = 2e-5;

    @TempDir
    Path folder;

    static List<String> trained() throws IOException {
        try (Stream<Path> folders = Files.list(TRAINED)) {
            return folders.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    private static JsonNode expected(String name) throws IOException {
        return JSON.readTree(TRAINED.resolve(name).resolve("expected.json").toFile());
    }

    private static Path base(String name) throws IOException {
        return Checkpoints.twin(
                Path.of(expected(name).get("model").textValue()).getFileName().toString());
    }

    /// Writes the trained tensors of a golden for a base model.
    private Path biases(String name, Path base, ModelOptions options) throws IOException {
        JsonNode settings = expected(name);
        SafetensorsWriter writer = new SafetensorsWriter()
                .metadata("pooling", settings.get("pooling").textValue())
                .metadata("specb", settings.get("specb").asText())
                .metadata("max_length", settings.get("max_length").asText())
                .metadata("method", "bitfit");
        try (Model model = Model.open(base, options);
                Weights values = Weights.openFile(TRAINED.resolve(name).resolve("final.safetensors"))) {
            writer.metadata("base", model.fingerprint());
            for (String tensor : values.names()) {
                writer.add(
                        tensor, values.get(tensor).shape(), values.get(tensor).toFloats());
            }
        }
        Path file = folder.resolve("biases.safetensors");
        writer.write(file);
        return file;
    }

    private Path biases(String name, Path base) throws IOException {
        return biases(name, base, ModelOptions.DEFAULT);
    }

    private static ConvertReport merge(Path base, Path biases, Path target) throws IOException {
        return Converter.mergeBiases(
                base, Optional.empty(), biases, target, Optional.of("# A model\n"), ConvertListener.NONE);
    }

    private static List<String> texts(String name) throws IOException {
        List<String> texts = new ArrayList<>();
        for (JsonNode ids : expected(name).get("probe_ids")) {
            for (String line : Files.readAllLines(TRAINED.resolve(name).resolve("rows.jsonl"))) {
                JsonNode row = JSON.readTree(line);
                for (String key : List.of("anchor", "positive")) {
                    if (row.get("ids").get(key).equals(ids)
                            && !texts.contains(row.get(key).textValue())) {
                        texts.add(row.get(key).textValue());
                    }
                }
            }
        }
        assertEquals(3, texts.size());
        return texts;
    }

    /// Embeddings of a query and two documents.
    private static float[][] embed(String name, Model model) throws IOException {
        boolean specb = expected(name).get("specb").booleanValue();
        List<String> texts = texts(name);
        float[][] vectors = new float[texts.size()][];
        try (BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT)) {
            for (int i = 0; i < vectors.length; i++) {
                TextKind kind = i == 0 ? TextKind.QUERY : TextKind.DOCUMENT;
                vectors[i] = encoder.embed(List.of(texts.get(i)), specb ? kind : TextKind.TEXT)[0];
            }
        }
        return vectors;
    }

    private static void checkProbes(String name, float[][] actual, boolean normalizes) throws IOException {
        for (int i = 0; i < actual.length; i++) {
            JsonNode expected = expected(name).get("probe_after").get(i);
            double square = 0;
            for (JsonNode value : expected) {
                square += value.doubleValue() * value.doubleValue();
            }
            double length = normalizes ? Math.sqrt(square) : 1;
            assertEquals(expected.size(), actual[i].length);
            for (int c = 0; c < actual[i].length; c++) {
                double value = expected.get(c).doubleValue() / length;
                assertEquals(value, actual[i][c], TOLERANCE * (1 + Math.abs(value)), name);
            }
        }
    }

    private static TreeSet<String> files(Path root) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            return new TreeSet<>(files.filter(Files::isRegularFile)
                    .map(file -> root.relativize(file).toString())
                    .toList());
        }
    }

    private static JsonNode json(Path file) throws IOException {
        return JSON.readTree(file.toFile());
    }

    @ParameterizedTest
    @MethodSource("trained")
    void theResultEmbedsAsBaseAndBiasesDo(String name) throws IOException {
        Path base = base(name);
        Path biases = biases(name, base);
        Path target = folder.resolve("made").resolve("model");
        merge(base, biases, target);
        try (Model made = Model.open(target);
                Model together = Model.open(base, ModelOptions.DEFAULT.withBiases(biases))) {
            assertEquals(List.of(), made.notices());
            ModelInfo info = made.info();
            ModelInfo other = together.info();
            assertEquals(other.pooling(), info.pooling());
            assertEquals(other.specb(), info.specb());
            assertEquals(other.maxLength(), info.maxLength());
            assertEquals(other.modules(), info.modules());
            assertEquals(other.similarity(), info.similarity());
            assertEquals("\"specb\" of sgpt4j.json", info.sources().specb());
            float[][] vectors = embed(name, made);
            assertArrayEquals(embed(name, together), vectors, name);
            checkProbes(name, vectors, info.modules().contains("Normalize"));
        }
        checkTensors(base, biases, target);
        checkSettings(name, target);
    }

    /// Trained tensors as trained, all others byte for byte, without the head.
    private static void checkTensors(Path base, Path biases, Path target) throws IOException {
        Map<String, String> stored = Checkpoints.tensors(base);
        stored.keySet().removeIf(key -> key.startsWith("lm_head.") || key.startsWith("embed_out."));
        try (Weights trained = Weights.openFile(biases)) {
            for (String key : trained.names()) {
                WeightTensor tensor = trained.get(key);
                // The reference names tensors without the prefix of a model with a head.
                List<String> own = stored.keySet().stream()
                        .filter(name -> name.equals(key) || name.endsWith("." + key))
                        .toList();
                assertEquals(1, own.size(), key);
                byte[] bytes = tensor.data().toArray(ValueLayout.JAVA_BYTE);
                stored.put(
                        own.getFirst(),
                        "%s %s %s"
                                .formatted(
                                        tensor.dtype(),
                                        tensor.shape(),
                                        HexFormat.of().formatHex(bytes)));
            }
        }
        assertEquals(stored, Checkpoints.tensors(target));
    }

    private static void checkSettings(String name, Path target) throws IOException {
        JsonNode trained = expected(name);
        JsonNode pooling = json(target.resolve("1_Pooling/config.json"));
        assertEquals(
                List.of(
                        "pooling_mode_cls_token",
                        "pooling_mode_lasttoken",
                        "pooling_mode_max_tokens",
                        "pooling_mode_mean_sqrt_len_tokens",
                        "pooling_mode_mean_tokens",
                        "pooling_mode_weightedmean_tokens",
                        "word_embedding_dimension"),
                keys(pooling));
        assertEquals(
                trained.get("probe_after").get(0).size(),
                pooling.get("word_embedding_dimension").intValue());
        assertEquals(
                JSON.readTree("{\"max_seq_length\": %d, \"do_lower_case\": false}"
                        .formatted(trained.get("max_length").intValue())),
                json(target.resolve("sentence_bert_config.json")));
        assertEquals(
                JSON.createObjectNode().put("specb", trained.get("specb").booleanValue()),
                json(target.resolve("sgpt4j.json")));
        JsonNode config = json(target.resolve("config.json"));
        assertFalse(config.has("_name_or_path"));
        String type = config.path("dtype").asText(config.path("torch_dtype").asText());
        assertEquals("float32", type);
        for (JsonNode architecture : config.path("architectures")) {
            assertTrue(architecture.textValue().matches("[A-Za-z0-9]+Model"), architecture.toString());
            assertFalse(architecture.textValue().contains("LMHead"), architecture.toString());
        }
        assertEquals("# A model\n", Files.readString(target.resolve("README.md")));
        TreeSet<String> files = files(target);
        files.removeIf(file -> file.matches("(tokenizer|vocab|merges|special_tokens).*"));
        assertEquals(
                new TreeSet<>(List.of(
                        "1_Pooling/config.json",
                        "README.md",
                        "config.json",
                        "config_sentence_transformers.json",
                        "model.safetensors",
                        "modules.json",
                        "sentence_bert_config.json",
                        "sgpt4j.json")),
                files);
    }

    private static List<String> keys(JsonNode object) {
        List<String> keys = new ArrayList<>();
        for (Iterator<String> names = object.fieldNames(); names.hasNext(); ) {
            keys.add(names.next());
        }
        return keys.stream().sorted().toList();
    }

    @Test
    void theHeadIsLeftOutAndTold() throws IOException {
        Path base = base("opt");
        try (Weights weights = Weights.open(base)) {
            ConvertReport report = merge(base, biases("opt", base), folder.resolve("made"));
            assertEquals(
                    weights.names().stream().anyMatch(key -> key.startsWith("lm_head")),
                    report.notices().stream().anyMatch(notice -> notice.contains("lm_head.weight")));
        }
        Path gptj = Checkpoints.copy("gptj-be", Files.createDirectory(folder.resolve("headed")));
        addHead(gptj);
        ConvertReport report = merge(gptj, biases("gptj", gptj), folder.resolve("without"));
        assertEquals(
                List.of(gptj
                        + ": left out the output head, which embeddings do not need: lm_head.bias, lm_head.weight"),
                report.notices().stream().filter(n -> n.contains("head")).toList());
        assertFalse(Checkpoints.tensors(folder.resolve("without")).containsKey("lm_head.weight"));
        JsonNode config = json(folder.resolve("without/config.json"));
        assertEquals("GPTJModel", config.get("architectures").get(0).textValue());
    }

    /// Rewrites a model with an output head and numbers of 16 bits, in one file.
    private static void addHead(Path model) throws IOException {
        ObjectNode config = (ObjectNode) json(model.resolve("config.json"));
        config.putArray("architectures").add("GPTJForCausalLM");
        config.put("torch_dtype", "float16").remove("dtype");
        JSON.writeValue(model.resolve("config.json").toFile(), config);
        SafetensorsWriter writer = new SafetensorsWriter();
        try (Weights weights = Weights.open(model)) {
            for (String name : weights.names()) {
                float[] values = weights.get(name).toFloats();
                MemorySegment half = MemorySegment.ofArray(new byte[2 * values.length]);
                for (int i = 0; i < values.length; i++) {
                    half.setAtIndex(LittleEndian.I16, i, Half.floatToF16(values[i]));
                }
                writer.add(name, ElementType.F16, weights.get(name).shape(), half);
            }
            int vocabulary = config.get("vocab_size").intValue();
            int hidden = config.get("n_embd").intValue();
            writer.add("lm_head.weight", Shape.of(vocabulary, hidden), new float[vocabulary * hidden]);
            writer.add("lm_head.bias", Shape.of(vocabulary), new float[vocabulary]);
            writer.write(model.resolve("all.safetensors"));
        }
        Files.delete(model.resolve("model.safetensors.index.json"));
        Files.move(model.resolve("all.safetensors"), model.resolve("model.safetensors"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            nullValues = "-",
            value = {
                "{`eos_token`: `<|endoftext|>`}; -; true",
                "{`eos_token`: {`content`: `<|endoftext|>`, `special`: true}}; -; true",
                "{}; {`eos_token`: `<|endoftext|>`}; true",
                "{}; {}; false",
                "{`eos_token`: null}; -; false",
                "{`eos_token`: `<|endoftext|>`, `pad_token`: `<|endoftext|>`}; -; false",
                "{`eos_token`: `<|endoftext|>`}; {`pad_token`: `<|endoftext|>`}; false"
            })
    void aTokenizerGetsAPaddingTokenUnlessItHasOne(String configuration, String map, boolean added) throws IOException {
        String config = configuration.replace('`', '"');
        Path base = Checkpoints.copy("gptneo-be", Files.createDirectory(folder.resolve("with")));
        ObjectNode own = (ObjectNode) json(base.resolve("tokenizer_config.json"));
        own.setAll((ObjectNode) JSON.readTree(config));
        JSON.writeValue(base.resolve("tokenizer_config.json").toFile(), own);
        if (map != null) {
            Files.writeString(base.resolve("special_tokens_map.json"), map.replace('`', '"'));
        }
        Path biases = biases("gptneo", base);
        Path target = folder.resolve("made");
        merge(base, biases, target);
        JsonNode made = json(target.resolve("tokenizer_config.json"));
        if (added) {
            JsonNode end = own.has("eos_token")
                    ? own.get("eos_token")
                    : JSON.readTree(map.replace('`', '"')).get("eos_token");
            assertEquals(own.deepCopy().set("pad_token", end), made);
        } else {
            assertEquals(own, made);
        }
        try (Model one = Model.open(target);
                Model other = Model.open(base, ModelOptions.DEFAULT.withBiases(biases))) {
            for (String text : List.of("a planet", "<|endoftext|>", " x <|endoftext|> y")) {
                assertArrayEquals(other.tokenize(text, true), one.tokenize(text, true), text);
            }
            assertArrayEquals(embed("gptneo", other), embed("gptneo", one));
        }
    }

    @Test
    void aNameThatDoesNotTellOfBracketsIsTold() throws IOException {
        Path neo = base("gptneo");
        Path biases = biases("gptneo", neo);
        Path plain = folder.resolve("plain");
        assertEquals(
                List.of(
                        plain
                                + ": expected \"specb\" in the name, by which other software knows that queries and documents get brackets, found none"),
                merge(neo, biases, plain).notices().stream()
                        .filter(notice -> notice.startsWith(plain.toString()))
                        .toList());
        Path named = folder.resolve("sgpt-specb");
        assertFalse(merge(neo, biases, named).notices().stream().anyMatch(n -> n.startsWith(named.toString())));
        Path opt = base("opt");
        Path without = folder.resolve("without");
        assertFalse(merge(opt, biases("opt", opt), without).notices().stream()
                .anyMatch(notice -> notice.startsWith(without.toString())));
    }

    @Test
    void otherTensorsKeepTheirTypeAndConfigJsonNamesTheWidest() throws IOException {
        Path gptj = Checkpoints.copy("gptj-be", Files.createDirectory(folder.resolve("half")));
        addHead(gptj);
        Path biases = biases("gptj", gptj);
        Path target = folder.resolve("made");
        merge(gptj, biases, target);
        checkTensors(gptj, biases, target);
        try (Weights weights = Weights.open(target);
                Weights trained = Weights.openFile(biases)) {
            for (String name : weights.names()) {
                assertEquals(
                        trained.contains(name) ? ElementType.F32 : ElementType.F16,
                        weights.get(name).dtype(),
                        name);
            }
        }
        assertEquals(
                "float32",
                json(target.resolve("config.json")).get("torch_dtype").textValue());
        try (Model made = Model.open(target);
                Model together = Model.open(gptj, ModelOptions.DEFAULT.withBiases(biases))) {
            assertArrayEquals(embed("gptj", together), embed("gptj", made));
        }
    }

    @Test
    void shardsAreIndexed() throws IOException {
        Path base = base("gptj");
        Path biases = biases("gptj", base);
        Path target = folder.resolve("made");
        Converter.mergeBiases(
                base,
                Optional.empty(),
                biases,
                target,
                Optional.empty(),
                ConvertOptions.DEFAULT.withMaxShardBytes(100_000),
                ConvertListener.NONE);
        assertTrue(files(target).contains("model.safetensors.index.json"));
        assertTrue(files(target).stream()
                        .filter(name -> name.startsWith("model-0"))
                        .count()
                > 1);
        assertFalse(files(target).contains("README.md"));
        checkTensors(base, biases, target);
        try (Model made = Model.open(target)) {
            checkProbes("gptj", embed("gptj", made), false);
        }
    }

    @ParameterizedTest
    @CsvSource({"gptneo, true", "gptneox, false"})
    void modulesOfTheBaseModelStay(String name, boolean specb) throws IOException {
        String golden = base(name).getFileName().toString();
        Path base = Checkpoints.copy(golden, Files.createDirectory(folder.resolve("with")));
        int width = expected(name).get("probe_after").get(0).size();
        Files.writeString(base.resolve("modules.json"), """
                [{"idx": 0, "name": "a", "path": "", "type": "sentence_transformers.models.Transformer"},
                 {"idx": 1, "name": "b", "path": "tokens", "type": "sentence_transformers.models.Dense"},
                 {"idx": 2, "name": "c", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
                 {"idx": 3, "name": "d", "path": "dense", "type": "sentence_transformers.models.Dense"},
                 {"idx": 4, "name": "e", "path": "n", "type": "sentence_transformers.models.Normalize"}]""");
        dense(base.resolve("tokens"), width, 7, ", \"key_name\": \"token_embeddings\"");
        dense(base.resolve("dense"), 7, 5, "");
        Files.writeString(base.resolve("config_sentence_transformers.json"), """
                {"prompts": {"query": "find: ", "document": "text: "}, "default_prompt_name": "query",
                 "similarity_fn_name": "dot", "truncate_dim": 4}""");
        Path biases = biases(name, base);
        Path target = folder.resolve("made");
        merge(base, biases, target);
        try (Model made = Model.open(target);
                Model together = Model.open(base, ModelOptions.DEFAULT.withBiases(biases))) {
            assertEquals(List.of(), made.notices());
            assertEquals(List.of("Dense", "Normalize"), made.info().modules());
            assertEquals(List.of("Dense"), made.info().tokenModules());
            assertEquals(together.info().similarity(), made.info().similarity());
            assertEquals(
                    specb ? Map.of() : together.info().prompts(), made.info().prompts());
            float[][] vectors = embed(name, made);
            assertEquals(4, vectors[0].length);
            assertArrayEquals(embed(name, together), vectors);
            try (BiEncoder one = BiEncoder.of(made, BiEncoderOptions.DEFAULT);
                    BiEncoder other = BiEncoder.of(together, BiEncoderOptions.DEFAULT)) {
                for (TextKind kind : List.of(TextKind.QUERY, TextKind.DOCUMENT)) {
                    assertArrayEquals(
                            other.embed(List.of("a planet"), kind)[0], one.embed(List.of("a planet"), kind)[0]);
                }
            }
        }
        assertEquals(
                7,
                json(target.resolve("2_Pooling/config.json"))
                        .get("word_embedding_dimension")
                        .intValue());
    }

    private static void dense(Path module, int in, int out, String more) throws IOException {
        Files.createDirectory(module);
        Files.writeString(
                module.resolve("config.json"),
                "{\"in_features\": %d, \"out_features\": %d, \"bias\": false, \"activation_function\": \"torch.nn.modules.activation.Tanh\"%s}"
                        .formatted(in, out, more));
        float[] weight = new float[in * out];
        for (int i = 0; i < weight.length; i++) {
            weight[i] = (i * 37 % 23 - 11) * 0.01f;
        }
        new SafetensorsWriter()
                .add("linear.weight", Shape.of(out, in), weight)
                .write(module.resolve("model.safetensors"));
    }

    @Test
    void promptsThatAreLeftOutOfPoolingStayOut() throws IOException {
        Path base = Checkpoints.copy("gptneox-be", Files.createDirectory(folder.resolve("with")));
        Path pooling = base.resolve("1_Pooling/config.json");
        ObjectNode config = (ObjectNode) json(pooling);
        JSON.writeValue(pooling.toFile(), config.put("include_prompt", false));
        Path biases = biases("gptneox", base);
        merge(base, biases, folder.resolve("made"));
        JsonNode made = json(folder.resolve("made/1_Pooling/config.json"));
        assertEquals(8, made.size());
        assertFalse(made.get("include_prompt").booleanValue());
    }

    @Test
    void aPickledBaseModelIsConvertedOnTheWay() throws IOException {
        Path pickled = Checkpoints.pickled("gptneo-be-bin", Files.createDirectory(folder.resolve("pickled")));
        Path twin = folder.resolve("twin");
        Converter.convert(pickled, twin, ConvertOptions.DEFAULT, ConvertListener.NONE);
        Path biases = biases("gptneo", twin);
        merge(pickled, biases, folder.resolve("a"));
        merge(twin, biases, folder.resolve("b"));
        assertEquals(Checkpoints.tensors(folder.resolve("b")), Checkpoints.tensors(folder.resolve("a")));
        assertEquals(files(folder.resolve("b")), files(folder.resolve("a")));
    }

    @Test
    void licenceAndTokenizerAreCopiedAndNothingElse() throws IOException {
        Path base = Checkpoints.copy("gptneo-be", Files.createDirectory(folder.resolve("with")));
        Files.writeString(base.resolve("LICENSE.txt"), "terms");
        Files.writeString(base.resolve("README.md"), "of the base model");
        Files.writeString(base.resolve("generation_config.json"), "{}");
        Files.writeString(base.resolve("notes.txt"), "x");
        Path target = folder.resolve("made");
        merge(base, biases("gptneo", base), target);
        assertEquals("terms", Files.readString(target.resolve("LICENSE.txt")));
        assertEquals("# A model\n", Files.readString(target.resolve("README.md")));
        assertFalse(Files.exists(target.resolve("notes.txt")));
        assertFalse(Files.exists(target.resolve("generation_config.json")));
        for (String name : List.of("tokenizer.json", "tokenizer_config.json")) {
            assertEquals(-1, Files.mismatch(base.resolve(name), target.resolve(name)));
        }
    }

    @Test
    void whatIsThereStays() throws IOException {
        Path base = base("gptneo");
        Path biases = biases("gptneo", base);
        Path empty = Files.createDirectory(folder.resolve("empty"));
        Path file = Files.writeString(folder.resolve("file"), "x");
        Path link = Files.createSymbolicLink(folder.resolve("link"), folder.resolve("nowhere"));
        for (Path target : List.of(empty, file, link)) {
            FileAlreadyExistsException e =
                    assertThrows(FileAlreadyExistsException.class, () -> merge(base, biases, target));
            assertTrue(e.getMessage().contains(target + ": already exists"), e.getMessage());
        }
        assertEquals(List.of("biases.safetensors", "empty", "file", "link"), names());
        assertEquals(new TreeSet<>(), files(empty));
    }

    private List<String> names() throws IOException {
        try (Stream<Path> left = Files.list(folder)) {
            return left.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void aFailureLeavesNothing() throws IOException {
        Path base = base("gptneo");
        Path biases = biases("gptneo", base);
        Path target = folder.resolve("made");
        RuntimeException stop = new IllegalStateException("stop");
        assertEquals(
                stop,
                assertThrows(
                        RuntimeException.class,
                        () -> Converter.mergeBiases(
                                base, Optional.empty(), biases, target, Optional.empty(), (done, total) -> {
                                    throw stop;
                                })));
        Path other = base("bloom");
        FormatException wrong = assertThrows(FormatException.class, () -> merge(other, biases, target));
        assertTrue(wrong.getMessage().contains("fingerprint"), wrong.getMessage());
        Files.writeString(biases, "damaged");
        assertThrows(FormatException.class, () -> merge(base, biases, target));
        assertEquals(List.of("biases.safetensors"), names());
    }

    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "mapped files cannot be changed there")
    @ParameterizedTest
    @ValueSource(strings = {"biases.safetensors", "with/gptneo-be/model.safetensors"})
    void aFileThatIsCutMeanwhileIsNamed(String changed) throws IOException {
        Path base = Checkpoints.copy("gptneo-be", Files.createDirectory(folder.resolve("with")));
        Path biases = biases("gptneo", base);
        Path file = folder.resolve(changed);
        FormatException e = assertThrows(
                FormatException.class,
                () -> Converter.mergeBiases(
                        base, Optional.empty(), biases, folder.resolve("made"), Optional.empty(), (done, total) -> {
                            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                                channel.truncate(10);
                            } catch (IOException failure) {
                                throw new UncheckedIOException(failure);
                            }
                        }));
        String message = String.valueOf(e.getMessage());
        assertTrue(message.startsWith(file + ": expected the file as it was opened ("), message);
        assertEquals(List.of("biases.safetensors", "with"), names());
    }

    @Test
    void aDirectoryThatAppearsMeanwhileIsNotTouched() throws IOException {
        Path base = base("gptneo");
        Path biases = biases("gptneo", base);
        Path target = folder.resolve("made");
        assertThrows(
                IOException.class,
                () -> Converter.mergeBiases(base, Optional.empty(), biases, target, Optional.empty(), (done, total) -> {
                    try {
                        Files.createDirectories(target.resolve("own"));
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                }));
        assertEquals(List.of("biases.safetensors", "made"), names());
        try (Stream<Path> content = Files.list(target)) {
            assertEquals(List.of(target.resolve("own")), content.toList());
        }
    }

    @Test
    void anAdaptedModelIsMergedOnTheWay() throws IOException {
        Path base = Checkpoints.copy("gptneo-be", Files.createDirectory(folder.resolve("with")));
        Path adapter = Files.createDirectory(folder.resolve("adapter"));
        String module = "h.0.mlp.c_fc";
        try (Weights weights = Weights.open(base)) {
            Shape shape = weights.get(module + ".weight").shape();
            int out = (int) shape.dimension(0);
            int in = (int) shape.dimension(1);
            float[] a = new float[in];
            float[] b = new float[out];
            Arrays.fill(a, 0.01f);
            Arrays.fill(b, 0.5f);
            new SafetensorsWriter()
                    .add("base_model.model." + module + ".lora_A.weight", Shape.of(1, in), a)
                    .add("base_model.model." + module + ".lora_B.weight", Shape.of(out, 1), b)
                    .write(adapter.resolve("adapter_model.safetensors"));
        }
        Files.writeString(adapter.resolve("adapter_config.json"), """
                {"peft_type": "LORA", "r": 1, "lora_alpha": 3, "target_modules": ["c_fc"], "base_model_name_or_path": "x"}
                """);
        ModelOptions options = ModelOptions.DEFAULT.withBaseModel(base);
        Path biases = biases("gptneo", adapter, options);
        Path target = folder.resolve("made");
        Converter.mergeBiases(adapter, Optional.of(base), biases, target, Optional.empty(), ConvertListener.NONE);
        assertFalse(Converter.isAdapter(target));
        try (Model made = Model.open(target);
                Model together = Model.open(adapter, options.withBiases(biases))) {
            assertArrayEquals(embed("gptneo", together), embed("gptneo", made));
        }
    }
}
