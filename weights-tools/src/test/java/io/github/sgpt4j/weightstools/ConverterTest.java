package io.github.sgpt4j.weightstools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import io.github.sgpt4j.weightstools.pickle.PickleBytes;
import io.github.sgpt4j.weightstools.torch.TorchBytes;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Which files a conversion writes, copies, replaces and leaves unchanged.
class ConverterTest {
    private static final byte[] FLOATS = TorchBytes.floats(0, 1, 2, 3, 4, 5);

    @TempDir
    Path folder;

    private Path source;
    private Path target;

    @BeforeEach
    void makeCheckpoint() throws IOException {
        source = Files.createDirectory(folder.resolve("source"));
        target = folder.resolve("target");
        Files.write(source.resolve("pytorch_model.bin"), TorchBytes.small().toByteArray());
        Files.writeString(source.resolve("config.json"), "{\"torch_dtype\": \"float32\", \"n\": 1}");
    }

    private ConvertReport convert(Path to) throws IOException {
        return Converter.convert(source, to, ConvertOptions.DEFAULT, ConvertListener.NONE);
    }

    private static TreeSet<String> files(Path root) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            return new TreeSet<>(files.filter(Files::isRegularFile)
                    .map(file -> root.relativize(file).toString())
                    .toList());
        }
    }

    private static float[] floats(Path directory, String name) {
        try (Weights weights = Weights.open(directory)) {
            return weights.get(name).toFloats();
        }
    }

    private void model(PickleBytes entries, byte[] storage) throws IOException {
        byte[] archive = new TorchBytes()
                .stored("m/data.pkl", TorchBytes.dictionary(entries))
                .stored("m/data/0", storage)
                .toByteArray();
        Files.write(source.resolve("pytorch_model.bin"), archive);
    }

    @Test
    void aNewDirectoryGetsWeightsAndWhatBelongsToThem() throws IOException {
        for (String name :
                List.of("tokenizer.json", "vocab.txt", "README.md", "LICENSE", "NOTICE.txt", "chat_template.jinja")) {
            Files.writeString(source.resolve(name), name);
        }
        for (String name : List.of(
                "tf_model.h5",
                "training_args.bin",
                "flax_model.msgpack",
                "run.py",
                "pytorch_model.bin.index.json.bak")) {
            Files.writeString(source.resolve(name), name);
        }
        ConvertReport report = convert(target);
        assertEquals(
                new TreeSet<>(List.of(
                        "model.safetensors",
                        "config.json",
                        "tokenizer.json",
                        "vocab.txt",
                        "README.md",
                        "LICENSE",
                        "NOTICE.txt",
                        "chat_template.jinja")),
                files(target));
        assertEquals("{\"torch_dtype\": \"float32\", \"n\": 1}", Files.readString(target.resolve("config.json")));
        assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5}, floats(target, "a"));
        assertArrayEquals(new float[] {4, 5}, floats(target, "b"));
        assertEquals(2, report.tensors());
        assertEquals(32, report.bytes());
        assertEquals(List.of("source", "target"), names(folder), "no temporary folder is left");
    }

    private static List<String> names(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void typesThatNoFileStoresAreRefused() {
        for (Dtype dtype : List.of(Dtype.TF32, Dtype.FP8)) {
            IllegalArgumentException e =
                    assertThrows(IllegalArgumentException.class, () -> ConvertOptions.DEFAULT.withDtype(dtype));
            assertEquals("dtype: expected auto, fp32, bf16 or fp16 for files, got " + dtype, e.getMessage());
        }
    }

    @Test
    void theOwnDirectoryGetsWeightsOnly() throws IOException {
        convert(source);
        assertEquals(List.of("config.json", "model.safetensors", "pytorch_model.bin"), names(source));
        assertArrayEquals(new float[] {4, 5}, floats(source, "b"));
    }

    @Test
    void nothingIsReplacedUnlessForced() throws IOException {
        convert(source);
        byte[] before = Files.readAllBytes(source.resolve("model.safetensors"));
        model(new PickleBytes().text("c").tensor("FloatStorage", "0", 6, 0, new long[] {6}, new long[] {1}), FLOATS);
        assertThrows(FileAlreadyExistsException.class, () -> convert(source));
        assertArrayEquals(before, Files.readAllBytes(source.resolve("model.safetensors")));
        Converter.convert(source, source, ConvertOptions.DEFAULT.withForce(true), ConvertListener.NONE);
        assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5}, floats(source, "c"));

        Files.createDirectory(target);
        Files.writeString(target.resolve("config.json"), "mine");
        assertThrows(FileAlreadyExistsException.class, () -> convert(target));
        assertEquals(List.of("config.json"), names(target));
        assertEquals("mine", Files.readString(target.resolve("config.json")));
    }

    /// As after a kill between moving two files: the files already moved are recognised as our own.
    @Test
    void aPublicationThatWasInterruptedIsMadeGood() throws IOException {
        ConvertOptions shards = ConvertOptions.DEFAULT.withMaxShardBytes(24);
        for (Path to : List.of(source, Files.createDirectory(target))) {
            Path inTheWay = Files.createDirectories(to.resolve("model.safetensors.index.json/x"));
            assertThrows(
                    IOException.class,
                    () -> Converter.convert(source, to, shards.withForce(true), ConvertListener.NONE));
            assertTrue(Files.exists(to.resolve("model-00001-of-00002.safetensors")));
            Files.delete(inTheWay);
            Files.delete(inTheWay.getParent());
            Converter.convert(source, to, shards, ConvertListener.NONE);
            assertArrayEquals(new float[] {4, 5}, floats(to, "b"));
            assertFalse(Files.exists(to.resolve(".sgpt-convert")));
            assertThrows(
                    FileAlreadyExistsException.class,
                    () -> Converter.convert(source, to, shards, ConvertListener.NONE),
                    "what is complete is not replaced");
        }
    }

    @Test
    void forcedConversionsLeaveNoOldShards() throws IOException {
        ConvertOptions force = ConvertOptions.DEFAULT.withForce(true);
        Converter.convert(source, target, force.withMaxShardBytes(24), ConvertListener.NONE);
        assertEquals(
                List.of(
                        "config.json",
                        "model-00001-of-00002.safetensors",
                        "model-00002-of-00002.safetensors",
                        "model.safetensors.index.json"),
                names(target));
        Converter.convert(source, target, force, ConvertListener.NONE);
        assertEquals(List.of("config.json", "model.safetensors"), names(target));
        Converter.convert(source, target, force.withMaxShardBytes(24), ConvertListener.NONE);
        assertArrayEquals(new float[] {4, 5}, floats(target, "b"));
        assertFalse(Files.exists(target.resolve("model.safetensors")));
    }

    @Test
    void theIndexIsWrittenAsTransformersWritesIt() throws IOException {
        Converter.convert(source, target, ConvertOptions.DEFAULT.withMaxShardBytes(24), ConvertListener.NONE);
        assertEquals("""
                {
                  "metadata": {
                    "total_parameters": 8,
                    "total_size": 32
                  },
                  "weight_map": {
                    "a": "model-00001-of-00002.safetensors",
                    "b": "model-00002-of-00002.safetensors"
                  }
                }
                """, Files.readString(target.resolve("model.safetensors.index.json")));
    }

    @Test
    void denseModulesAreConverted() throws IOException {
        Files.writeString(source.resolve("modules.json"), """
                [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
                 {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
                 {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"},
                 {"idx": 3, "name": "3", "path": "3_Normalize", "type": "sentence_transformers.models.Normalize"}]
                """);
        Path pooling = Files.createDirectory(source.resolve("1_Pooling"));
        Files.writeString(pooling.resolve("config.json"), "{}");
        Path dense = Files.createDirectory(source.resolve("2_Dense"));
        Files.writeString(dense.resolve("config.json"), "{\"dtype\": \"float32\"}");
        Files.write(dense.resolve("pytorch_model.bin"), TorchBytes.legacySmall().toByteArray());
        Files.writeString(Files.createDirectory(source.resolve("other")).resolve("x.json"), "{}");
        ConvertReport report = convert(target);
        assertEquals(
                new TreeSet<>(List.of(
                        "1_Pooling/config.json",
                        "2_Dense/config.json",
                        "2_Dense/model.safetensors",
                        "config.json",
                        "model.safetensors",
                        "modules.json")),
                files(target));
        assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5}, floats(target.resolve("2_Dense"), "a"));
        assertEquals(3, report.tensors());
        convert(source);
        assertTrue(Files.exists(dense.resolve("model.safetensors")));
        Files.delete(dense.resolve("model.safetensors"));
        Files.delete(source.resolve("model.safetensors"));
        Files.writeString(source.resolve("modules.json"), "[{\"path\": \"../elsewhere\"}]");
        FormatException e = assertThrows(FormatException.class, () -> convert(source));
        assertTrue(e.getMessage().contains("expected a folder of the checkpoint"), e.getMessage());
    }

    @Test
    void aFailureLeavesNothing() throws IOException {
        RuntimeException stop = new IllegalStateException("stop");
        for (Path to : List.of(target, source)) {
            assertEquals(
                    stop,
                    assertThrows(
                            RuntimeException.class,
                            () -> Converter.convert(source, to, ConvertOptions.DEFAULT, (done, total) -> {
                                throw stop;
                            })));
        }
        assertFalse(Files.exists(target));
        assertEquals(List.of("source"), names(folder));
        assertEquals(List.of("config.json", "pytorch_model.bin"), names(source));
        Files.write(source.resolve("pytorch_model.bin"), new byte[] {1, 2, 3});
        assertThrows(FormatException.class, () -> convert(target));
        assertEquals(List.of("source"), names(folder));
    }

    @Test
    void whatAnInterruptedRunLeftIsRemoved() throws IOException {
        Path left = Files.createDirectories(folder.resolve(".target.sgpt-convert/content/old"));
        Files.writeString(left.resolve("model.safetensors"), "half");
        Files.writeString(folder.resolve(".target.sgpt-convert/lock"), "");
        convert(target);
        assertEquals(List.of("source", "target"), names(folder));
        assertEquals(List.of("config.json", "model.safetensors"), names(target));
    }

    @Test
    void onlyOneConversionToAPlaceRuns() throws IOException {
        Path work = Files.createDirectories(folder.resolve(".target.sgpt-convert"));
        try (FileChannel channel =
                FileChannel.open(work.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            channel.lock();
            FileSystemException e = assertThrows(FileSystemException.class, () -> convert(target));
            assertTrue(e.getMessage().contains("another conversion"), e.getMessage());
        }
        convert(target);
        assertTrue(Files.exists(target.resolve("model.safetensors")));
    }

    @Test
    void progressEndsAtTheTotal() throws IOException {
        List<Long> done = new ArrayList<>();
        Converter.convert(source, target, ConvertOptions.DEFAULT, (now, total) -> {
            assertEquals(32, total);
            done.add(now);
        });
        assertEquals(List.of(24L, 32L), done);
    }

    @Test
    void theConfigurationTellsTheNewType() throws IOException {
        Converter.convert(source, target, ConvertOptions.DEFAULT.withDtype(Dtype.FP16), ConvertListener.NONE);
        String config = Files.readString(target.resolve("config.json"));
        assertTrue(config.contains("\"torch_dtype\" : \"float16\""), config);
        assertTrue(config.contains("\"n\" : 1"), config);
        try (Weights weights = Weights.open(target)) {
            assertEquals(ElementType.F16, weights.get("a").dtype());
        }
        assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5}, floats(target, "a"));
    }

    @Test
    void viewsAreGatheredAndIntegersKept() throws IOException {
        PickleBytes entries = new PickleBytes()
                .text("transposed")
                .tensor("FloatStorage", "0", 6, 0, new long[] {3, 2}, new long[] {1, 3})
                .text("column")
                .tensor("FloatStorage", "0", 6, 2, new long[] {2}, new long[] {3})
                .text("repeated")
                .tensor("FloatStorage", "0", 6, 5, new long[] {3}, new long[] {0})
                .text("nothing")
                .tensor("FloatStorage", "0", 6, 0, new long[] {0, 2}, new long[] {2, 1});
        model(entries, FLOATS);
        convert(target);
        assertArrayEquals(new float[] {0, 3, 1, 4, 2, 5}, floats(target, "transposed"));
        assertArrayEquals(new float[] {2, 5}, floats(target, "column"));
        assertArrayEquals(new float[] {5, 5, 5}, floats(target, "repeated"));
        assertArrayEquals(new float[] {}, floats(target, "nothing"));

        PickleBytes integers =
                new PickleBytes().text("ids").tensor("LongStorage", "0", 3, 0, new long[] {3}, new long[] {1});
        model(integers, FLOATS);
        Converter.convert(
                source, folder.resolve("ints"), ConvertOptions.DEFAULT.withDtype(Dtype.BF16), ConvertListener.NONE);
        try (Weights weights = Weights.open(folder.resolve("ints"))) {
            WeightTensor tensor = weights.get("ids");
            assertEquals(ElementType.I64, tensor.dtype());
            assertArrayEquals(FLOATS, tensor.data().toArray(ValueLayout.JAVA_BYTE));
        }
    }

    private static PickleBytes whole(PickleBytes entries, String name) {
        return entries.text(name).tensor("FloatStorage", "0", 6, 0, new long[] {6}, new long[] {1});
    }

    @Test
    void tiedTensorsAreStoredOnce() throws IOException {
        PickleBytes entries = whole(whole(whole(new PickleBytes(), "lm_head.weight"), "wte.weight"), "z.weight");
        entries.text("half").tensor("FloatStorage", "0", 6, 0, new long[] {3}, new long[] {1});
        entries.text("matrix").tensor("FloatStorage", "0", 6, 0, new long[] {2, 3}, new long[] {3, 1});
        model(entries, FLOATS);
        ConvertReport report = convert(target);
        assertEquals(Map.of("lm_head.weight", "wte.weight", "z.weight", "wte.weight"), report.tied());
        try (Weights weights = Weights.open(target)) {
            assertEquals(List.of("half", "matrix", "wte.weight"), List.copyOf(weights.names()));
        }
    }

    @Test
    void aHeadThatIsSaidToBeItsOwnIsStored() throws IOException {
        Files.writeString(source.resolve("config.json"), "{\"tie_word_embeddings\": false}");
        model(whole(whole(new PickleBytes(), "lm_head.weight"), "wte.weight"), FLOATS);
        assertEquals(Map.of(), convert(target).tied());
        assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5}, floats(target, "lm_head.weight"));
    }

    @Test
    void buffersThatModelsComputeAreDropped() throws IOException {
        PickleBytes entries = whole(new PickleBytes(), "h.0.attn.c_attn.bias");
        entries.text("h.0.attn.bias")
                .tensor("FloatStorage", "0", 6, 0, new long[] {1, 1, 2, 2}, new long[] {4, 4, 2, 1});
        entries.text("h.0.attn.masked_bias").tensor("FloatStorage", "0", 6, 0, new long[] {}, new long[] {});
        model(entries, FLOATS);
        ConvertReport report = convert(target);
        assertEquals(List.of("h.0.attn.bias", "h.0.attn.masked_bias"), report.droppedBuffers());
        assertEquals(1, report.tensors());
        model(
                new PickleBytes()
                        .text("attn.masked_bias")
                        .tensor("FloatStorage", "0", 6, 0, new long[] {}, new long[] {}),
                FLOATS);
        assertThrows(FormatException.class, () -> convert(folder.resolve("none")));
    }

    @Test
    void aPickledAdapterBecomesAnAdapterInSafetensors() throws IOException {
        model(whole(new PickleBytes(), "base_model.model.h.0.attn.c_attn.lora_A.weight"), FLOATS);
        Files.move(source.resolve("pytorch_model.bin"), source.resolve("adapter_model.bin"));
        Files.writeString(source.resolve("adapter_config.json"), "{}");
        assertTrue(Converter.isNeeded(source));
        convert(target);
        assertFalse(Converter.isNeeded(target));
        assertTrue(Files.exists(target.resolve("adapter_config.json")));
        assertFalse(Files.exists(target.resolve("model.safetensors")));
        try (Weights weights = Weights.openFile(target.resolve("adapter_model.safetensors"))) {
            assertEquals(List.of("base_model.model.h.0.attn.c_attn.lora_A.weight"), List.copyOf(weights.names()));
        }
    }

    /// Moves the pickled weights to an adapter's file name.
    private void makeAdapter() throws IOException {
        Files.move(source.resolve("pytorch_model.bin"), source.resolve("adapter_model.bin"));
        Files.writeString(source.resolve("adapter_config.json"), "{}");
    }

    @Test
    void aPickledAdapterBesideAPickledModelIsConvertedToo() throws IOException {
        makeAdapter();
        model(whole(new PickleBytes(), "base"), FLOATS);
        convert(target);
        assertEquals(
                List.of("adapter_config.json", "adapter_model.safetensors", "config.json", "model.safetensors"),
                names(target));
        assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5}, floats(target, "base"));
        try (Weights weights = Weights.openFile(target.resolve("adapter_model.safetensors"))) {
            assertEquals(List.of("a", "b"), List.copyOf(weights.names()));
        }
        assertFalse(Converter.isNeeded(target));
    }

    @Test
    void aPickledAdapterBesideSafetensorsLeavesThese() throws IOException {
        convert(source);
        makeAdapter();
        assertTrue(Converter.isNeeded(source));
        convert(target);
        assertEquals(
                List.of("adapter_config.json", "adapter_model.safetensors", "config.json", "model.safetensors"),
                names(target));
        Converter.convert(source, source, ConvertOptions.DEFAULT.withForce(true), ConvertListener.NONE);
        assertArrayEquals(new float[] {4, 5}, floats(source, "b"));
        assertTrue(Files.exists(source.resolve("adapter_model.safetensors")));
        Files.delete(source.resolve("adapter_model.bin"));
        FormatException e = assertThrows(FormatException.class, () -> convert(source));
        assertTrue(e.getMessage().contains("merged into a directory other"), e.getMessage());
    }

    @Test
    void anAdapterKeepsBothNamesOfOneStorage() throws IOException {
        model(whole(whole(new PickleBytes(), "lm_head.weight"), "wte.weight"), FLOATS);
        makeAdapter();
        assertEquals(Map.of(), convert(target).tied());
        try (Weights weights = Weights.openFile(target.resolve("adapter_model.safetensors"))) {
            assertEquals(List.of("lm_head.weight", "wte.weight"), List.copyOf(weights.names()));
        }
    }

    private void refuses(String reason) {
        FormatException e = assertThrows(FormatException.class, () -> convert(target));
        assertTrue(e.getMessage().contains(reason), e.getMessage());
        assertFalse(Files.exists(target));
    }

    @Test
    void checkpointsWithMissingFilesAreRefused() throws IOException {
        Path bin = source.resolve("pytorch_model.bin");
        Path first = source.resolve("pytorch_model-00001-of-00002.bin");
        Path second = source.resolve("pytorch_model-00002-of-00002.bin");
        Path index = source.resolve("pytorch_model.bin.index.json");
        Files.move(bin, first);
        refuses(
                "expected pickled weights (pytorch_model.bin or pytorch_model.bin.index.json, or an adapter's), found none");
        Files.writeString(
                index,
                "{\"weight_map\": {\"a\": \"%s\", \"x\": \"%s\"}}"
                        .formatted(first.getFileName(), second.getFileName()));
        refuses("expected file \"pytorch_model-00002-of-00002.bin\" in the same folder");
        Files.copy(first, second);
        refuses("expected tensor \"x\", which the index says is here, found none");
        Files.writeString(
                index,
                "{\"weight_map\": {\"a\": \"%s\", \"b\": \"%s\"}}"
                        .formatted(first.getFileName(), second.getFileName()));
        refuses("expected tensor \"a\" in one file, got it in pytorch_model-00001-of-00002.bin as well");
        Files.writeString(index, "{\"weight_map\": {\"a\": \"../pytorch_model.bin\"}}");
        refuses("without directories");
        Files.delete(index);
        source = folder.resolve("nowhere");
        refuses("found nothing there");
        source = second;
        refuses("expected a checkpoint directory, got a file");
    }

    @Test
    void whetherAConversionIsNeededIsTold() throws IOException {
        assertTrue(Converter.isNeeded(source));
        convert(source);
        assertFalse(Converter.isNeeded(source));
        assertFalse(Converter.isNeeded(folder));
        assertFalse(Converter.isNeeded(folder.resolve("nowhere")));
    }

    @Test
    void whetherAConversionIsNeededIsToldOfModuleFoldersToo() throws IOException {
        Path modules = source.resolve("modules.json");
        Files.writeString(modules, "[{\"path\": \"0_Transformer\"}, {\"path\": \"2_Dense\"}]");
        Files.createDirectories(source.resolve("0_Transformer"));
        Files.move(source.resolve("pytorch_model.bin"), source.resolve("0_Transformer/pytorch_model.bin"));
        assertTrue(Converter.isNeeded(source));
        Path dense = Files.createDirectories(source.resolve("2_Dense")).resolve("model.safetensors");
        Files.write(dense, new byte[] {1, 2, 3});
        Path target = folder.resolve("whole");
        convert(target);
        assertTrue(Files.exists(target.resolve("0_Transformer/model.safetensors")));
        assertArrayEquals(Files.readAllBytes(dense), Files.readAllBytes(target.resolve("2_Dense/model.safetensors")));
        assertFalse(Converter.isNeeded(target));
        Files.writeString(modules, "[");
        assertFalse(Converter.isNeeded(source), "what is broken is reported elsewhere");
    }

    @Test
    void sizesOfShardsMustBePositive() {
        assertThrows(IllegalArgumentException.class, () -> ConvertOptions.DEFAULT.withMaxShardBytes(0));
    }
}
