package io.github.sgpt4j.weightstools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.weights.SafetensorsWriter;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import io.github.sgpt4j.weightstools.VerifyReport.Finding;
import io.github.sgpt4j.weightstools.VerifyReport.Severity;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Every kind of damage that a check of tensors, shards, configuration and tokenizer can find.
class VerifierTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path parent;

    private Path folder;

    @BeforeEach
    void copyCheckpoint() throws IOException {
        folder = Checkpoints.copy("gptneo-be", parent);
    }

    private VerifyReport verify() throws IOException {
        return Verifier.verify(folder, Optional.empty(), VerifyListener.NONE);
    }

    private void finds(Severity severity, String message) throws IOException {
        VerifyReport report = verify();
        assertEquals(severity != Severity.ERROR, report.isSound(), report.toString());
        List<Finding> like = report.findings().stream()
                .filter(f -> f.severity() == severity && f.message().contains(message))
                .toList();
        assertEquals(1, like.size(), report.findings().toString());
        report.findings().forEach(f -> assertFalse(f.message().contains("\n"), f.message()));
    }

    /// Rewrites the weights; a tensor for which `edit` returns nothing is left out.
    private void rewrite(Function<WeightTensor, Optional<Shape>> edit, String... added) throws IOException {
        Path file = folder.resolve("model.safetensors");
        Path other = folder.resolve("other");
        try (Weights weights = Weights.openFile(file)) {
            SafetensorsWriter writer = new SafetensorsWriter();
            for (String name : weights.names()) {
                WeightTensor tensor = weights.get(name);
                edit.apply(tensor).ifPresent(shape -> {
                    if (shape.equals(tensor.shape())) {
                        writer.add(tensor);
                    } else {
                        writer.add(name, shape, new float[(int) shape.elements()]);
                    }
                });
            }
            for (String name : added) {
                writer.add(name, Shape.of(2), 1f, 2f);
            }
            writer.write(other);
        }
        Files.delete(file);
        Files.move(other, file);
    }

    private static Optional<Shape> keep(WeightTensor tensor) {
        return Optional.of(tensor.shape());
    }

    private void configure(String key, Object value) throws IOException {
        Path file = folder.resolve("config.json");
        ObjectNode config = (ObjectNode) JSON.readTree(file.toFile());
        config.set(key, JSON.valueToTree(value));
        JSON.writeValue(file.toFile(), config);
    }

    @Test
    void aSoundCheckpointHasNoFindings() throws IOException {
        VerifyReport report = verify();
        assertEquals(List.of(), report.findings());
        assertTrue(report.isSound());
        assertTrue(
                report.model().orElseThrow().startsWith("gpt_neo, 4 layers"),
                report.model().toString());
        assertTrue(report.tokenizer().orElseThrow().contains("BPE"));
        VerifyReport.WeightFolder weights = report.folders().getFirst();
        assertEquals(weights.expected(), weights.found());
        assertEquals(1, report.files().size());
        assertTrue(report.files().getFirst().matches());
    }

    @Test
    void everyGoldenIsSound() throws IOException {
        for (String name : Checkpoints.twins()) {
            folder = Checkpoints.twin(name);
            VerifyReport report = verify();
            assertTrue(report.isSound(), name + ": " + report.findings());
        }
    }

    @Test
    void missingTensorsAreAllNamed() throws IOException {
        rewrite(t -> t.name().endsWith("h.1.ln_1.weight") || t.name().endsWith("h.2.mlp.c_fc.bias")
                ? Optional.empty()
                : keep(t));
        finds(Severity.ERROR, "h.1.ln_1.weight\" of shape");
        finds(Severity.ERROR, "h.2.mlp.c_fc.bias\" of shape");
        assertEquals(2, verify().findings().size());
        VerifyReport.WeightFolder weights = verify().folders().getFirst();
        assertEquals(weights.expected() - 2, weights.found());
    }

    @Test
    void manyProblemsOfAKindAreCounted() throws IOException {
        rewrite(t -> t.name().contains("h.1.") ? Optional.empty() : keep(t));
        VerifyReport report = verify();
        assertEquals(11, report.findings().size());
        assertTrue(report.findings().getLast().message().matches("\\d+ more tensors with the same problem"));
    }

    @Test
    void shapesThatTheConfigurationDoesNotAskForAreFound() throws IOException {
        rewrite(t -> t.name().endsWith("h.0.mlp.c_fc.bias") ? Optional.of(Shape.of(7)) : keep(t));
        finds(Severity.ERROR, "which config.json asks for, got [7]");
    }

    @Test
    void typesThatTheEngineCannotUseAreFound() throws IOException {
        String name = "h.0.ln_1.bias";
        rewrite(t -> t.name().endsWith(name) ? Optional.empty() : keep(t));
        Path file = folder.resolve("model.safetensors");
        try (Weights weights = Weights.openFile(file)) {
            SafetensorsWriter writer = new SafetensorsWriter();
            weights.names().forEach(n -> writer.add(weights.get(n)));
            String prefix = weights.contains("wte.weight") ? "" : "transformer.";
            long hidden = weights.get(prefix + "ln_f.weight").shape().elements();
            writer.add(
                    prefix + name,
                    ElementType.F64,
                    Shape.of(hidden),
                    MemorySegment.ofArray(new byte[(int) hidden * 8]));
            writer.write(folder.resolve("other"));
        }
        Files.delete(file);
        Files.move(folder.resolve("other"), file);
        finds(Severity.ERROR, "expected F32, F16 or BF16, got F64");
    }

    @Test
    void whatNothingUsesIsAnErrorInLayersAndAWarningElsewhere() throws IOException {
        rewrite(VerifierTest::keep, "score.weight");
        finds(Severity.WARNING, "score.weight");
        configure("num_layers", 3);
        configure("attention_types", List.of(List.of(List.of("global"), 3)));
        configure("attention_layers", List.of("global", "global", "global"));
        assertFalse(verify().isSound());
        assertTrue(verify().findings().stream().anyMatch(f -> f.message().contains("describes layers without it")));
        assertFalse(verify().folders().getFirst().unused().isEmpty());
    }

    @Test
    void keysThatAreNotKnownAreAWarningAndRefusedOnesAnError() throws IOException {
        configure("bogus", 1);
        finds(Severity.WARNING, "ignored unknown key \"bogus\"");
        configure("logit_scale", 0.5);
        finds(Severity.ERROR, "key \"logit_scale\": expected 1 or none, got 0.5");
    }

    @Test
    void buffersThatModelsComputeAreNoProblem() throws IOException {
        rewrite(VerifierTest::keep);
        Path file = folder.resolve("model.safetensors");
        try (Weights weights = Weights.openFile(file)) {
            SafetensorsWriter writer = new SafetensorsWriter();
            weights.names().forEach(n -> writer.add(weights.get(n)));
            String prefix = weights.contains("wte.weight") ? "" : "transformer.";
            writer.add(prefix + "h.0.attn.attention.bias", Shape.of(1, 1, 2, 2), 1, 0, 1, 1);
            writer.write(folder.resolve("other"));
        }
        Files.delete(file);
        Files.move(folder.resolve("other"), file);
        assertEquals(List.of(), verify().findings());
        assertEquals(1, verify().folders().getFirst().buffers().size());
    }

    @Test
    void brokenFilesAreFoundTogether() throws IOException {
        byte[] weights = Files.readAllBytes(folder.resolve("model.safetensors"));
        Files.write(folder.resolve("model.safetensors"), Arrays.copyOf(weights, weights.length - 5));
        Files.writeString(folder.resolve("tokenizer.json"), "{");
        VerifyReport report = verify();
        assertEquals(2, report.findings().size(), report.findings().toString());
        assertTrue(report.findings().get(0).message().contains("bytes of data"));
        assertTrue(report.tokenizer().isEmpty());
        Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"bert\"}");
        finds(Severity.ERROR, "model type \"bert\" is not supported");
        Files.delete(folder.resolve("model.safetensors"));
        finds(Severity.ERROR, "or pickled weights, found none");
    }

    @Test
    void aVocabularyThatDoesNotFitTheTableIsFound() throws IOException {
        try (Weights weights = Weights.openFile(folder.resolve("model.safetensors"))) {
            String name = weights.contains("wte.weight") ? "wte.weight" : "transformer.wte.weight";
            Shape shape = weights.get(name).shape();
            configure("vocab_size", shape.dimension(0) - 8);
        }
        rewrite(t -> t.name().endsWith("wte.weight")
                ? Optional.of(Shape.of(t.shape().dimension(0) - 8, t.shape().dimension(1)))
                : keep(t));
        finds(Severity.ERROR, "the rows of the embedding table, got ids up to");
    }

    @Test
    void pickledWeightsAreCheckedToo() throws IOException {
        folder = Checkpoints.pickled("gptj-ce", parent.resolve("pickled"));
        VerifyReport report = verify();
        assertTrue(report.isSound(), report.findings().toString());
        assertEquals(2, report.files().size());
        assertTrue(report.folders().getFirst().found() > 0);
        Files.writeString(folder.resolve("pytorch_model-00002-of-00002.bin"), "cos\nsystem\n(S'echo hello'\ntR.");
        assertTrue(verify().findings().stream().anyMatch(f -> f.message().contains("global \"os.system\" is refused")));
    }

    @Test
    void aSecondNameOfATensorIsNoProblem() throws IOException {
        folder = Checkpoints.pickled("bloom-ce", parent.resolve("pickled"));
        VerifyReport report = verify();
        assertEquals(List.of(), report.findings());
        // It is the output head, which scores need.
        assertEquals(List.of(), report.folders().getFirst().unused());
    }

    @Test
    void shardsAreComparedWithTheirIndex() throws IOException {
        folder = Checkpoints.pickled("gptj-ce", parent.resolve("pickled"));
        Converter.convert(
                folder,
                parent.resolve("sharded"),
                ConvertOptions.DEFAULT.withMaxShardBytes(400_000),
                ConvertListener.NONE);
        folder = parent.resolve("sharded");
        assertTrue(verify().isSound());
        assertEquals(List.of(), verify().findings());
        Path index = folder.resolve(Weights.INDEX_FILE);
        ObjectNode tree = (ObjectNode) JSON.readTree(index.toFile());
        ObjectNode map = (ObjectNode) tree.get("weight_map");
        String last = map.properties().stream()
                .reduce((a, b) -> b)
                .orElseThrow()
                .getValue()
                .textValue();

        ((ObjectNode) tree.get("metadata")).put("total_size", 1);
        JSON.writeValue(index.toFile(), tree);
        finds(Severity.WARNING, "metadata.total_size");

        Files.copy(folder.resolve(last), folder.resolve("model-00009-of-00009.safetensors"));
        finds(Severity.WARNING, "model-00009-of-00009.safetensors: is not used");

        String moved = map.fieldNames().next();
        String first = map.get(moved).textValue();
        map.put(moved, last);
        JSON.writeValue(index.toFile(), tree);
        finds(Severity.ERROR, "in shard \"" + last + "\", found it in");

        map.remove(moved);
        JSON.writeValue(index.toFile(), tree);
        assertTrue(verify().findings().stream()
                .anyMatch(f -> f.message().contains("is not in model.safetensors.index.json, so it is not read")));

        map.put(moved, first);
        map.put("nothing.weight", last);
        JSON.writeValue(index.toFile(), tree);
        finds(Severity.ERROR, "tensor \"nothing.weight\" in shard \"" + last + "\", found none of that name");

        Files.delete(folder.resolve(last));
        finds(Severity.ERROR, "expected shard \"" + last + "\" in the same directory");
    }

    @Test
    void aDirectoryIsNeeded() {
        folder = parent.resolve("nowhere");
        assertThrows(FormatException.class, this::verify);
    }
}
