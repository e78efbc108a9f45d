package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.inference.EmbeddingSteps;
import io.github.sgpt4j.testing.Closeness;
import io.github.sgpt4j.testing.CudaTests;
import io.github.sgpt4j.testing.Variants;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Dense layers before pooling, and learned weights of positions; [VariantsTest] has their values on
/// the CPU.
class TokenModulesTest {
    private static final String DENSE = "st-token-dense-mean";
    private static final String TWO_MODES = "st-token-dense-two-modes";
    private static final String WEIGHTS = "st-position-weights";
    private static final String BOTH = "st-token-dense-position-weights";

    @TempDir
    Path folder;

    private static List<String> texts() {
        List<String> texts = new ArrayList<>();
        for (String text : Variants.strings(Variants.expected(DENSE).get("texts"))) {
            texts.add(text);
            texts.add("The far moon " + text);
            texts.add("The far moon");
            texts.add("");
        }
        return texts;
    }

    @ParameterizedTest
    @ValueSource(strings = {DENSE, TWO_MODES, WEIGHTS, BOTH})
    void aTextHasTheSameBitsAloneAndAmongOthers(String name) {
        List<String> texts = texts();
        for (int batchTokens : new int[] {1, 50, 4096}) {
            try (BiEncoder encoder = BiEncoder.open(
                    Variants.model(name),
                    ModelOptions.DEFAULT,
                    BiEncoderOptions.DEFAULT.withBatchTokens(batchTokens))) {
                float[][] together = encoder.embed(texts);
                for (int i = 0; i < together.length; i++) {
                    assertArrayEquals(encoder.embed(texts.get(i)), together[i], name + ", " + texts.get(i));
                }
            }
        }
    }

    @Test
    void modesMayBeChosenWithoutTheLearntWeights() {
        BiEncoderOptions mean = BiEncoderOptions.DEFAULT.withPooling(Pooling.MEAN, Pooling.LASTTOKEN);
        try (Model model = Model.open(Variants.model(BOTH));
                BiEncoder learnt = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
                BiEncoder last = BiEncoder.open(
                        Variants.model(TWO_MODES),
                        ModelOptions.DEFAULT,
                        BiEncoderOptions.DEFAULT.withPooling(Pooling.LASTTOKEN))) {
            assertEquals(5, learnt.dimension());
            assertEquals(List.of(Pooling.LEARNTMEAN), learnt.pooling());
            assertEquals(9, last.dimension());
            assertThrows(
                    FormatException.class, () -> BiEncoder.of(model, mean), "the dense layer after it takes one mode");
        }
        assertThrows(IllegalArgumentException.class, () -> BiEncoderOptions.DEFAULT.withPooling(Pooling.LEARNTMEAN));
        assertThrows(IllegalArgumentException.class, () -> Pooling.parse("learntmean"));
    }

    /// Pooling only the last token takes a different path through the last layer.
    @Test
    void theLastTokenIsTheSecondOfTwoModes() {
        String text = texts().getFirst();
        try (Model model = Model.open(Variants.model(TWO_MODES));
                BiEncoder last = BiEncoder.of(model, BiEncoderOptions.DEFAULT.withPooling(Pooling.LASTTOKEN));
                BiEncoder both = BiEncoder.of(model, BiEncoderOptions.DEFAULT)) {
            float[] second = Arrays.copyOfRange(both.embed(text), 9, 18);
            EmbeddingSteps.normalize(second);
            assertArrayEquals(last.embed(text), second, 1e-6f);
        }
    }

    @Test
    void textsAreCutWhereWeightsEnd() throws IOException {
        try (Model model = Model.open(Variants.model(WEIGHTS));
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT)) {
            assertEquals(28, encoder.maxLength());
            assertEquals(28, model.info().maxLength());
            assertTrue(model.info().sources().maxLength().contains("1_WeightedMeanPooling"));
            List<String> notices = model.notices();
            assertEquals(1, notices.size(), notices::toString);
            assertTrue(notices.getFirst().contains("num_positions"), notices::toString);
            encoder.embed("moon ".repeat(50));
            assertEquals(1, encoder.truncation(TextKind.TEXT).truncated());
            assertThrows(
                    IllegalArgumentException.class,
                    () -> BiEncoder.of(model, BiEncoderOptions.DEFAULT.withMaxLength(29)));
            BiEncoderOptions longer =
                    BiEncoderOptions.DEFAULT.withPooling(Pooling.MEAN).withMaxLength(40);
            try (BiEncoder mean = BiEncoder.of(model, longer)) {
                assertEquals(
                        40,
                        mean.embeddings(List.of("moon ".repeat(50)), TextKind.TEXT, ProgressListener.NONE)
                                .getFirst()
                                .tokens());
            }
        }
        Path copy = copy(WEIGHTS);
        Files.writeString(copy.resolve("sentence_bert_config.json"), "{\"query_length\": 35, \"document_length\": 7}");
        try (BiEncoder encoder = BiEncoder.open(copy)) {
            assertEquals(28, encoder.maxLength(TextKind.QUERY));
            assertEquals(7, encoder.maxLength(TextKind.DOCUMENT));
        }
    }

    @Test
    void factsKnowTheModules() {
        try (Model model = Model.open(Variants.model(BOTH))) {
            assertEquals(List.of("Dense"), model.info().tokenModules());
            assertEquals(List.of("Dense"), model.info().modules());
            assertEquals(List.of(Pooling.LEARNTMEAN), model.info().pooling());
            assertEquals(
                    "2_WeightedMeanPooling/config.json", model.info().sources().pooling());
            assertEquals(List.of(), model.notices());
            Set<String> names = new TreeSet<>();
            model.tensors().forEach(tensor -> names.add(tensor.name()));
            assertTrue(names.containsAll(Set.of("position_weights", "linear.weight")), names::toString);
        }
        MemoryNeed plain = need(Variants.model("st-dense-tanh"));
        MemoryNeed dense = need(Variants.model(TWO_MODES));
        assertTrue(dense.weights() > plain.weights());
        assertTrue(need(Variants.model(BOTH)).activations()
                >= need(Variants.model(WEIGHTS)).activations());
    }

    private static MemoryNeed need(Path directory) {
        try (Model model = Model.open(directory)) {
            return model.memoryNeeds(100).get(1);
        }
    }

    @Test
    void fingerprintsDependOnTheModules() throws IOException {
        String original = fingerprint(Variants.model(BOTH));
        assertEquals(original, fingerprint(copy(BOTH)));
        for (String module : List.of("1_Dense", "2_WeightedMeanPooling")) {
            Path copy = copy(BOTH);
            Path weights = copy.resolve(module).resolve("model.safetensors");
            byte[] bytes = Files.readAllBytes(weights);
            bytes[bytes.length - 4] ^= 1;
            Files.write(weights, bytes);
            assertNotEquals(original, fingerprint(copy), module);
        }
    }

    private static String fingerprint(Path directory) {
        try (BiEncoder encoder = BiEncoder.open(directory)) {
            return encoder.fingerprint();
        }
    }

    private Path copy(String name) throws IOException {
        Path source = Variants.model(name);
        Path target = Files.createTempDirectory(folder, name);
        try (Stream<Path> all = Files.walk(source)) {
            for (Path path : all.filter(Files::isRegularFile).toList()) {
                Path to = target.resolve(source.relativize(path).toString());
                Files.createDirectories(to.getParent());
                Files.copy(path, to);
            }
        }
        return target;
    }

    @Tag("cuda-only")
    @ParameterizedTest
    @ValueSource(strings = {DENSE, TWO_MODES, WEIGHTS, BOTH})
    void embeddingsAgreeOnAGpu(String name) {
        CudaTests.require();
        JsonNode expected = Variants.expected(name);
        ModelOptions cuda = ModelOptions.DEFAULT.withDevice("cuda").withDtype(Dtype.FP32);
        try (BiEncoder encoder = BiEncoder.open(Variants.model(name), cuda, BiEncoderOptions.DEFAULT)) {
            float[][] actual = encoder.embed(Variants.strings(expected.get("texts")));
            for (int i = 0; i < actual.length; i++) {
                Closeness.FP32.check(
                        "text " + i, expected.get("embeddings").get("TEXT").get(i), actual[i]);
            }
        }
    }
}
