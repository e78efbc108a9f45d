package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.testing.CheckpointFolder;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Refusal;
import io.github.sgpt4j.testing.TrainedGolden;
import io.github.sgpt4j.testing.Variants;
import io.github.sgpt4j.weights.SafetensorsWriter;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Trained tensors in a file of their own (`biases.safetensors`), over their base model.
class BiasesTest {
    private static final TrainedGolden NEO = new TrainedGolden("gptneo");
    private static final String BIAS = "h.0.ln_1.bias";

    @TempDir
    Path folder;

    static List<TrainedGolden> trained() {
        return TrainedGolden.all();
    }

    private static Model open(Path directory, Path biases) {
        return Model.open(directory, ModelOptions.DEFAULT.withDevice("cpu").withBiases(biases));
    }

    private static void refused(Class<? extends SgptException> type, Path file, String... parts) {
        String[] all = Arrays.copyOf(parts, parts.length + 1);
        all[parts.length] = file.toString();
        Refusal.check(type, () -> open(NEO.base(), file).close(), all);
    }

    private Path write(Map<String, String> metadata) {
        return TrainedGolden.write(folder, metadata, NEO.tensors());
    }

    private Path write(String name, long[] shape, float... values) {
        return TrainedGolden.write(folder, NEO.metadata(), Map.of(name, Map.entry(Shape.of(shape), values)));
    }

    private static Map<String, String> with(String key, String value) {
        Map<String, String> metadata = new TreeMap<>(NEO.metadata());
        metadata.put(key, value);
        return metadata;
    }

    @ParameterizedTest
    @MethodSource("trained")
    void embedAsTheReferenceDoesAfterTraining(TrainedGolden golden) {
        Path file = golden.write(folder);
        try (Model model = open(golden.base(), file);
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT)) {
            golden.check(encoder);
            assertFalse(golden.isUntrained(golden.embed(encoder)));
            ModelInfo info = model.info();
            assertEquals(List.of(golden.pooling()), info.pooling());
            assertEquals(golden.specb(), info.specb());
            assertEquals(golden.maxLength(), info.maxLength());
            assertEquals(golden.maxLength(), encoder.maxLength(TextKind.QUERY));
            assertEquals(file.toString(), info.sources().pooling());
            assertEquals("\"specb\" of biases.safetensors", info.sources().specb());
            assertEquals("max_length of biases.safetensors", info.sources().maxLength());
            assertTrue(info.files().contains(file));
            assertNotEquals(TrainedGolden.fingerprint(golden.base()), model.fingerprint());
        }
    }

    @Test
    void optionsWinOverTheFile() {
        try (Model model = open(NEO.base(), NEO.write(folder));
                BiEncoder usual = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
                BiEncoder other = BiEncoder.of(
                        model,
                        BiEncoderOptions.DEFAULT
                                .withSpecb(false)
                                .withPooling(Pooling.LASTTOKEN)
                                .withMaxLength(7))) {
            assertEquals(List.of(Pooling.LASTTOKEN), other.pooling());
            assertEquals(7, other.maxLength(TextKind.DOCUMENT));
            assertEquals(usual.tokenize("a", TextKind.QUERY).length - 2, other.tokenize("a", TextKind.QUERY).length);
        }
    }

    @Test
    void namesMayHaveAnotherPrefixOfTheFamily() {
        Map<String, Map.Entry<Shape, float[]>> renamed = new TreeMap<>();
        NEO.tensors().forEach((name, tensor) -> renamed.put("transformer." + name, tensor));
        try (Model model = open(NEO.base(), TrainedGolden.write(folder, NEO.metadata(), renamed));
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT)) {
            NEO.check(encoder);
        }
    }

    @Test
    void anotherBaseModelIsRefused() {
        Path file = NEO.write(folder);
        Path other = Goldens.model("gptneo-ce");
        Refusal.check(
                FormatException.class,
                () -> open(other, file).close(),
                file.toString(),
                other.toString(),
                TrainedGolden.fingerprint(NEO.base()),
                TrainedGolden.fingerprint(other));
        CheckpointFolder changed =
                CheckpointFolder.copy("gptneo-be", folder).values("ln_f.bias", values -> values[0] += 1e-3f);
        Refusal.check(
                FormatException.class, () -> open(changed.directory(), file).close(), "fingerprint");
        CheckpointFolder same = CheckpointFolder.copy("gptneo-be", folder);
        open(same.directory(), file).close();
    }

    @Test
    void tensorsThatDoNotFitAreRefused() {
        float[] values = new float[64];
        refused(FormatException.class, write("h.9.ln_1.bias", new long[] {64}, values), "h.9.ln_1.bias");
        refused(FormatException.class, write("lm_head.bias", new long[] {64}, values), "lm_head.bias", "uses");
        refused(FormatException.class, write("a\nb", new long[] {64}, values), "\"a\\u000ab\"");
        refused(FormatException.class, write(BIAS, new long[] {32}, new float[32]), BIAS, "[64]", "[32]");
        refused(FormatException.class, write(BIAS, new long[] {1, 64}, values), BIAS, "[64]", "[1, 64]");
        refused(
                FormatException.class,
                TrainedGolden.write(
                        folder,
                        NEO.metadata(),
                        Map.of(
                                BIAS,
                                Map.entry(Shape.of(64), values),
                                "transformer." + BIAS,
                                Map.entry(Shape.of(64), values))),
                BIAS,
                "twice");
        refused(FormatException.class, TrainedGolden.write(folder, NEO.metadata(), Map.of()), "found none");
        refused(FormatException.class, folder.resolve("absent"), "found nothing");
        refused(FormatException.class, folder, "a directory");
    }

    @Test
    void theHeadOfAModelIsNoPartOfIt() throws IOException {
        Path base = Goldens.model("gptj-ce");
        Map<String, String> metadata = NEO.metadata();
        metadata.put("base", TrainedGolden.fingerprint(base));
        try (Weights weights = Weights.open(base)) {
            WeightTensor head = weights.get("lm_head.bias");
            Path file = TrainedGolden.write(
                    folder, metadata, Map.of(head.name(), Map.entry(head.shape(), head.toFloats())));
            Refusal.check(FormatException.class, () -> open(base, file).close(), "lm_head.bias", "uses");
        }
    }

    @Test
    void otherTypesAreRefused() throws IOException {
        Path file = folder.resolve("biases.safetensors");
        SafetensorsWriter writer =
                new SafetensorsWriter().add(BIAS, ElementType.F16, Shape.of(64), MemorySegment.ofArray(new byte[128]));
        NEO.metadata().forEach(writer::metadata);
        writer.write(file);
        refused(UnsupportedModelException.class, file, BIAS, "F32", "F16");
        String text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
        Files.writeString(file, text.replace("\"F16\"", "\"X16\""), StandardCharsets.ISO_8859_1);
        refused(UnsupportedModelException.class, file, BIAS, "X16");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            nullValues = "-",
            value = {
                "base; ; 32 hexadecimal",
                "base; 0123; 32 hexadecimal",
                "base; 0123456789ABCDEF0123456789ABCDEF; 32 hexadecimal",
                "specb; yes; true or false",
                "specb; TRUE; true or false",
                "max_length; 0; whole number",
                "max_length; -3; whole number",
                "max_length; 1e3; whole number",
                "max_length; 99999999999999999999; whole number",
                "max_length; ٣; whole number",
                "max_length; 1; at least 2",
                "pooling; ''; weightedmean",
                "pooling; median; weightedmean",
                "pooling; mean+; weightedmean",
                "pooling; mean+mean; weightedmean",
                "pooling; mean+cls; in this order",
                "pooling; mean,cls; weightedmean"
            })
    void metadataThatAreNotAllowedAreRefused(String key, String value, String part) {
        Path file = write(with(key, value == null ? "" : value));
        Refusal.check(
                FormatException.class,
                () -> BiEncoder.of(open(NEO.base(), file), BiEncoderOptions.DEFAULT)
                        .close(),
                part);
    }

    @Test
    void hostileMetadataAreRefusedInOneSentence() throws IOException {
        for (String key : List.of("base", "pooling", "specb", "max_length")) {
            refused(FormatException.class, write(with(key, "9+".repeat(5_000_000))), key);
            refused(FormatException.class, write(with(key, "\u0000\n\u202e")), key, "\\u202e");
            Map<String, String> without = NEO.metadata();
            without.remove(key);
            refused(FormatException.class, write(without), '"' + key + '"', "found none");
        }
        Path file = write(NEO.metadata());
        byte[] bytes = Files.readAllBytes(file);
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        for (String broken : List.of("w\u00c3ightedmean", "w\u00ff\u00feightedmea", "w\u00ed\u00a0\u0080ightedme")) {
            Files.writeString(file, text.replace("weightedmean", broken.substring(0, 12)), StandardCharsets.ISO_8859_1);
            refused(FormatException.class, file);
        }
        Files.writeString(
                file, text.replace("\"false\"", "false").replace("\"true\"", "true  "), StandardCharsets.ISO_8859_1);
        refused(FormatException.class, file);
    }

    @Test
    void unknownKeysAndOtherSettingsThanTheCheckpointStatesAreTold() {
        Path base = NEO.base();
        List<String> differences = List.of(": pooling is lasttoken, cls", ": texts are cut to 17 tokens, not to ");
        Map<String, String> metadata = with("pooling", "cls+lasttoken");
        metadata.put("max_length", "17");
        metadata.put("specb", "true");
        metadata.put("mood", "good");
        Path file = write(metadata);
        try (Model model = open(base, file)) {
            List<String> notices = model.notices();
            assertEquals(3, notices.size(), notices.toString());
            assertEquals(file + ": ignored unknown key \"mood\"", notices.getFirst());
            assertEquals(
                    "%s: pooling is cls, lasttoken, not weightedmean as in %s"
                            .formatted(file, base.resolve("1_Pooling/config.json")),
                    notices.get(1));
            assertTrue(notices.get(2).startsWith(file + differences.get(1)), notices.get(2));
            assertEquals(128, BiEncoder.of(model, BiEncoderOptions.DEFAULT).dimension());
        }
    }

    @ParameterizedTest
    @CsvSource({"true, false, no special", "false, true, special", "true, true, ", "false, false, "})
    void otherBracketsThanTheCheckpointStatesAreTold(boolean stated, boolean trained, String told) {
        CheckpointFolder base =
                CheckpointFolder.copy("gptneo-be", folder).write("sgpt4j.json", "{\"specb\": %s}".formatted(stated));
        Path file = write(with("specb", Boolean.toString(trained)));
        try (Model model = open(base.directory(), file)) {
            List<String> notices = model.notices().stream()
                    .filter(notice -> notice.contains("brackets"))
                    .toList();
            assertEquals(
                    told == null
                            ? List.of()
                            : List.of(
                                    "%s: queries and documents get %s brackets, unlike those of the base model: \"specb\" of sgpt4j.json"
                                            .formatted(file, told)),
                    notices);
            assertEquals(trained, model.info().specb());
        }
    }

    @Test
    void aBaseModelThatStatesNothingIsNotContradicted() {
        CheckpointFolder plain = CheckpointFolder.copy("gptneo-be", folder)
                .delete("modules.json", "sentence_bert_config.json", "config_sentence_transformers.json");
        Map<String, String> metadata = NEO.metadata();
        metadata.put("base", TrainedGolden.fingerprint(plain.directory()));
        try (Model model = open(plain.directory(), write(metadata));
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT)) {
            assertEquals(List.of(), model.notices());
            NEO.check(encoder);
        }
    }

    @Test
    void aLongerLengthThanTheModelHasIsCutAndTold() {
        Path file = write(with("max_length", "999999999"));
        try (Model model = open(NEO.base(), file)) {
            assertEquals(model.info().maxPositions(), model.info().maxLength());
            assertTrue(
                    model.notices().stream()
                            .anyMatch(n -> n.startsWith(file + ": key \"max_length\": 999999999 tokens")),
                    model.notices().toString());
        }
    }

    @Test
    void numbersThatAreNotFiniteAreFoundAsElsewhere() {
        Map<String, Map.Entry<Shape, float[]>> tensors = NEO.tensors();
        tensors.get(BIAS).getValue()[3] = Float.NaN;
        Path file = TrainedGolden.write(folder, NEO.metadata(), tensors);
        try (Model model = open(NEO.base(), file);
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT)) {
            Refusal.check(FormatException.class, () -> encoder.embed("a planet"), "Model.scan");
            List<TensorStatistics> broken =
                    model.scan().stream().filter(s -> !s.isFinite()).toList();
            assertEquals(1, broken.size());
            assertEquals(BIAS, broken.getFirst().tensor().name());
            assertEquals(file, broken.getFirst().tensor().file());
        }
    }

    @Test
    void aFileThatChangesMeanwhileIsNamed() throws IOException {
        Path file = NEO.write(folder);
        try (Model model = open(NEO.base(), file);
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT)) {
            encoder.embed("a planet");
            byte[] bytes = Files.readAllBytes(file);
            Files.write(file, Arrays.copyOf(bytes, bytes.length + 8));
            Refusal.check(FormatException.class, () -> encoder.embed("a planet"), file.toString(), "changed");
        }
    }

    @Test
    void anAdaptedModelMayBeTheBase() throws IOException {
        Path adapter = Goldens.root().resolveSibling("adapters").resolve("llama-rslora-patterns");
        Path base = Variants.model(
                Goldens.json(adapter.resolve("expected.json")).get("base").textValue());
        Path own = Files.createDirectory(folder.resolve("own"));
        for (String name : List.of("adapter_config.json", "adapter_model.safetensors")) {
            Files.copy(adapter.resolve(name), own.resolve(name));
        }
        for (String name : List.of("tokenizer.json", "tokenizer_config.json")) {
            Files.copy(Goldens.model("llama-be").resolve(name), own.resolve(name));
        }
        ModelOptions options = ModelOptions.DEFAULT.withDevice("cpu").withBaseModel(base);
        String norm = "model.norm.weight";
        Map<String, String> metadata = NEO.metadata();
        float[] values;
        try (Model model = Model.open(own, options)) {
            metadata.put("base", model.fingerprint());
            values = model.weights().get(norm).toFloats();
        }
        values[0] += 1;
        Path file = TrainedGolden.write(folder, metadata, Map.of(norm, Map.entry(Shape.of(values.length), values)));
        try (Model model = Model.open(own, options.withBiases(file))) {
            assertEquals(values[0], model.weights().get(norm).element(0));
            assertNotEquals(metadata.get("base"), model.fingerprint());
        }
    }
}
