package io.github.sgpt4j.weightstools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.weights.SafetensorsWriter;
import io.github.sgpt4j.weights.Weights;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Merging adapters: which files the result contains, and what prevents merging.
class MergeTest {
    private static final String CONFIG = "adapter_config.json";
    private static final String WEIGHTS = "adapter_model.safetensors";
    private static final String TEXT = "a planet";

    @TempDir
    Path folder;

    /// Writes an adapter for the second feed-forward matrix of a model's first layer.
    private static void writeAdapter(Path to, Path twin, String module, float value) throws IOException {
        try (Weights weights = Weights.open(twin)) {
            String name = weights.names().stream()
                    .filter(n -> n.endsWith("0.mlp." + module + ".weight"))
                    .findFirst()
                    .orElseThrow();
            int out = (int) weights.get(name).shape().dimension(0);
            int in = (int) weights.get(name).shape().dimension(1);
            float[] a = new float[in];
            Arrays.fill(a, 0.01f);
            float[] b = new float[out];
            Arrays.fill(b, value);
            String key = "base_model.model." + name.replace(".weight", "");
            new SafetensorsWriter()
                    .add(key + ".lora_A.weight", Shape.of(1, in), a)
                    .add(key + ".lora_B.weight", Shape.of(out, 1), b)
                    .write(to.resolve(WEIGHTS));
        }
        Files.writeString(to.resolve(CONFIG), """
                {"peft_type": "LORA", "r": 1, "lora_alpha": 3, "target_modules": ["%s"], "base_model_name_or_path": "x"}
                """.formatted(module));
    }

    private static ConvertReport merge(Path source, Optional<Path> base, Path target, ConvertOptions options)
            throws IOException {
        return Converter.merge(source, base, target, options, ConvertListener.NONE);
    }

    private static TreeSet<String> files(Path root) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            return new TreeSet<>(files.filter(Files::isRegularFile)
                    .map(file -> root.relativize(file).toString())
                    .toList());
        }
    }

    private static float[] embedding(Path directory, ModelOptions options) {
        try (Model model = Model.open(directory, options);
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT)) {
            assertEquals(List.of(), model.notices());
            return encoder.embed(TEXT);
        }
    }

    /// An adapter in the layout of sentence-transformers, without its base model.
    ///
    /// @param tokenizer whether the adapter has its own tokenizer
    private Path sentenceAdapter(Path base, boolean tokenizer) throws IOException {
        Path adapter = Checkpoints.copy("qwen3-be", Files.createDirectory(folder.resolve("own")));
        writeAdapter(adapter, adapter, "down_proj", 0.5f);
        Files.createDirectory(base);
        Files.move(adapter.resolve("config.json"), base.resolve("config.json"));
        Files.move(adapter.resolve("model.safetensors"), base.resolve("model.safetensors"));
        for (String name : List.of("tokenizer.json", "tokenizer_config.json")) {
            Files.copy(adapter.resolve(name), base.resolve(name));
            if (!tokenizer) {
                Files.delete(adapter.resolve(name));
            }
        }
        Files.writeString(base.resolve("README.md"), "of the base");
        Files.writeString(base.resolve("LICENSE"), "terms");
        Files.writeString(base.resolve("modules.json"), "[]");
        Files.writeString(base.resolve("special_tokens_map.json"), "{}");
        return adapter;
    }

    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "mapped files cannot be changed there")
    @ParameterizedTest
    @ValueSource(strings = {"own/qwen3-be/adapter_model.safetensors", "base/model.safetensors"})
    void aFileThatIsCutMeanwhileIsNamed(String changed) throws IOException {
        Path base = folder.resolve("base");
        Path adapter = sentenceAdapter(base, true);
        Path target = folder.resolve("merged");
        Path file = folder.resolve(changed);
        FormatException e = assertThrows(
                FormatException.class,
                () -> Converter.merge(adapter, Optional.of(base), target, ConvertOptions.DEFAULT, (done, total) -> {
                    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                        channel.truncate(10);
                    } catch (IOException failure) {
                        throw new UncheckedIOException(failure);
                    }
                }));
        String message = String.valueOf(e.getMessage());
        assertTrue(message.startsWith(file + ": expected the file as it was opened ("), message);
        assertFalse(Files.exists(target), "no result");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theResultEmbedsAsTheAdapterDoes(boolean tokenizer) throws IOException {
        Path base = folder.resolve("base");
        Path adapter = sentenceAdapter(base, tokenizer);
        Path target = folder.resolve("merged");
        assertEquals(
                List.of(),
                merge(adapter, Optional.of(base), target, ConvertOptions.DEFAULT)
                        .notices());
        TreeSet<String> expected = new TreeSet<>(List.of(
                "1_Pooling/config.json",
                "LICENSE",
                "config.json",
                "config_sentence_transformers.json",
                "expected.json",
                "model.safetensors",
                "modules.json",
                "sentence_bert_config.json",
                "tokenizer.json",
                "tokenizer_config.json"));
        if (!tokenizer) {
            expected.add("special_tokens_map.json");
        }
        assertEquals(expected, files(target));
        assertArrayEquals(
                embedding(adapter, ModelOptions.DEFAULT.withBaseModel(base)), embedding(target, ModelOptions.DEFAULT));
        Path half = folder.resolve("half");
        merge(adapter, Optional.of(base), half, ConvertOptions.DEFAULT.withDtype(Dtype.BF16));
        float[] rounded = embedding(half, ModelOptions.DEFAULT);
        float[] whole = embedding(target, ModelOptions.DEFAULT);
        assertArrayEquals(whole, rounded, 0.05f);
        assertFalse(Arrays.equals(whole, rounded));
        assertFalse(Converter.isAdapter(target));
    }

    @Test
    void aPickledBaseInTheSameFolderIsConvertedOnTheWay() throws IOException {
        Path twin = Checkpoints.copy("gptneo-be-bin", Files.createDirectory(folder.resolve("twin")));
        writeAdapter(twin, twin, "c_proj", 0.5f);
        Path pickled = Checkpoints.pickled("gptneo-be-bin", Files.createDirectory(folder.resolve("pickled")));
        writeAdapter(pickled, twin, "c_proj", 0.5f);
        assertEquals(Optional.empty(), Model.neededBaseModel(pickled));
        merge(twin, Optional.empty(), folder.resolve("a"), ConvertOptions.DEFAULT);
        merge(pickled, Optional.empty(), folder.resolve("b"), ConvertOptions.DEFAULT);
        assertEquals(Checkpoints.tensors(folder.resolve("a")), Checkpoints.tensors(folder.resolve("b")));
        assertEquals(files(folder.resolve("a")), files(folder.resolve("b")));
        assertFalse(files(folder.resolve("b")).contains(CONFIG));
        assertArrayEquals(embedding(twin, ModelOptions.DEFAULT), embedding(folder.resolve("b"), ModelOptions.DEFAULT));
    }

    @Test
    void whatIsInTheWayStays() throws IOException {
        Path base = folder.resolve("base");
        Path adapter = sentenceAdapter(base, true);
        ConvertOptions force = ConvertOptions.DEFAULT.withForce(true);
        for (Path own : List.of(adapter, base)) {
            TreeSet<String> before = files(own);
            assertThrows(FileAlreadyExistsException.class, () -> merge(adapter, Optional.of(base), own, force));
            assertEquals(before, files(own));
        }
        Path target = Files.createDirectory(folder.resolve("merged"));
        Files.writeString(target.resolve(CONFIG), "{}");
        IOException e =
                assertThrows(FileAlreadyExistsException.class, () -> merge(adapter, Optional.of(base), target, force));
        assertTrue(e.getMessage().contains(CONFIG), e.getMessage());
        assertEquals(new TreeSet<>(List.of(CONFIG)), files(target));
    }

    @Test
    void aFailureLeavesNothing() throws IOException {
        Path base = folder.resolve("base");
        Path adapter = sentenceAdapter(base, true);
        Path target = folder.resolve("merged");
        RuntimeException stop = new IllegalStateException("stop");
        assertEquals(
                stop,
                assertThrows(
                        RuntimeException.class,
                        () -> Converter.merge(
                                adapter, Optional.of(base), target, ConvertOptions.DEFAULT, (done, total) -> {
                                    throw stop;
                                })));
        // Beyond the range of 16-bit floats.
        writeAdapter(adapter, base, "down_proj", 3e7f);
        FormatException e = assertThrows(
                FormatException.class,
                () -> merge(adapter, Optional.of(base), target, ConvertOptions.DEFAULT.withDtype(Dtype.FP16)));
        assertTrue(e.getMessage().contains("down_proj") && e.getMessage().contains("65520"), e.getMessage());
        FormatException alone = assertThrows(
                FormatException.class, () -> merge(adapter, Optional.empty(), target, ConvertOptions.DEFAULT));
        assertTrue(alone.getMessage().contains("base_model_name_or_path"), alone.getMessage());
        FormatException none = assertThrows(
                FormatException.class, () -> merge(base, Optional.empty(), target, ConvertOptions.DEFAULT));
        assertTrue(none.getMessage().contains("modules"), none.getMessage());
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(
                    List.of("base", "own"),
                    left.map(file -> file.getFileName().toString()).sorted().toList());
        }
    }

    @Test
    void unknownKeysOfTheAdapterAreTold() throws IOException {
        Path base = folder.resolve("base");
        Path adapter = sentenceAdapter(base, true);
        String config = Files.readString(adapter.resolve(CONFIG));
        Files.writeString(adapter.resolve(CONFIG), config.replaceFirst("\\{", "{\"quantum_rank\": 3, "));
        ConvertReport report = merge(adapter, Optional.of(base), folder.resolve("merged"), ConvertOptions.DEFAULT);
        assertEquals(1, report.notices().size());
        assertTrue(report.notices().getFirst().contains("quantum_rank"));
    }
}
