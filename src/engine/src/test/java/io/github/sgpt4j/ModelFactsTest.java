package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.cpu.CpuOptions;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.LittleEndian;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.testing.CheckpointFolder;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Variants;
import io.github.sgpt4j.weights.SafetensorsWriter;
import io.github.sgpt4j.weights.WeightScan;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Facts about an open model: tensors, statistics, memory, and the sources of facts.
class ModelFactsTest {
    @TempDir
    Path folder;

    @Test
    void tensorsAreListedWithThoseOfDenseLayers() {
        try (Model model = Model.open(Variants.model("st-two-dense-f16"))) {
            List<TensorInfo> tensors = model.tensors();
            assertEquals(
                    model.info().parameters(),
                    tensors.stream().mapToLong(TensorInfo::elements).sum());
            assertEquals(
                    model.info().bytes(),
                    tensors.stream().mapToLong(TensorInfo::bytes).sum());
            List<TensorInfo> dense = tensors.stream()
                    .filter(tensor -> tensor.name().equals("linear.weight"))
                    .toList();
            assertEquals(2, dense.size());
            assertEquals("F16", dense.getFirst().dtype());
            assertEquals(2, dense.getFirst().shape().size());
            assertTrue(dense.getFirst().file().toString().contains("Dense"));
            assertEquals(3, model.info().files().size());
        }
    }

    @Test
    void aScanCountsWhatIsNotFinite() throws IOException {
        CheckpointFolder checkpoint = CheckpointFolder.copy("gptneo-be", folder);
        String name = "h.0.mlp.c_fc.bias";
        try (Weights weights = Weights.open(Goldens.model("gptneo-be"))) {
            SafetensorsWriter writer = new SafetensorsWriter();
            for (String each : weights.names()) {
                if (!each.equals(name)) {
                    writer.add(weights.get(each));
                }
            }
            float[] values = weights.get(name).toFloats();
            values[3] = Float.NaN;
            values[5] = Float.NEGATIVE_INFINITY;
            values[6] = 123;
            values[7] = -456;
            writer.add(name, Shape.of(values.length), values);
            writer.write(checkpoint.file("broken.safetensors"));
        }
        Files.move(
                checkpoint.file("broken.safetensors"),
                checkpoint.file("model.safetensors"),
                StandardCopyOption.REPLACE_EXISTING);
        try (Model model = Model.open(checkpoint.directory())) {
            for (TensorStatistics s : model.scan()) {
                if (!s.tensor().name().equals(name)) {
                    assertTrue(s.isFinite(), s.tensor().name());
                    assertTrue(
                            s.min() <= s.max() && s.absMax() >= Math.abs(s.min()),
                            s.tensor().name());
                    continue;
                }
                assertFalse(s.isFinite());
                assertEquals(1, s.nan());
                assertEquals(1, s.infinite());
                assertEquals(-456, s.min());
                assertEquals(123, s.max());
                assertEquals(456, s.absMax());
                assertEquals(OptionalLong.of(3), s.firstNonFinite());
            }
        }
    }

    @Test
    void aScanGoesThroughLongTensorsPieceByPiece() {
        int elements = (1 << 17) + 5;
        MemorySegment data = MemorySegment.ofArray(new byte[elements * 2]);
        data.set(LittleEndian.I16, 2L * (elements - 1), Float.floatToFloat16(7));
        data.set(LittleEndian.I16, 2L * (1 << 16), Float.floatToFloat16(-9));
        data.set(LittleEndian.I16, 2L * 70_000, Float.floatToFloat16(Float.POSITIVE_INFINITY));
        WeightTensor tensor = new WeightTensor("t", "f", ElementType.F16, Shape.of(elements), data);
        WeightScan.Statistics statistics = WeightScan.statistics(tensor);
        assertEquals(1, statistics.infinite());
        assertEquals(0, statistics.nan());
        assertEquals(7, statistics.max());
        assertEquals(-9, statistics.min());
        assertEquals(9, statistics.absMax());
        for (long i = 0; i < elements; i++) {
            data.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * i, (short) -1);
        }
        statistics = WeightScan.statistics(tensor);
        assertEquals(elements, statistics.nan());
        assertTrue(Float.isNaN(statistics.min()) && Float.isNaN(statistics.max()) && Float.isNaN(statistics.absMax()));
    }

    @Test
    void memoryIsThatOfWeightsAndActivations() {
        try (Model model = Model.open(Goldens.model("gptneo-be"))) {
            List<MemoryNeed> needs = model.memoryNeeds(100);
            assertEquals(
                    "cpu auto, cpu fp32, cpu bf16, cpu fp16, cuda fp32, cuda bf16, cuda fp16, cuda fp8",
                    needs.stream()
                            .map(need -> need.device() + " " + need.dtype())
                            .collect(Collectors.joining(", ")));
            MemoryNeed cpu = needs.get(1);
            // All tensors of this checkpoint are F32 and used: kept as floats, they take the size of
            // the file, and with a matrix unit their matrices take less.
            CpuOptions options = CpuOptions.of(Precision.FP32);
            assertEquals(options.usesMatrixUnit(), cpu.weights() < model.info().bytes());
            assertTrue(cpu.weights() <= model.info().bytes());
            int vocabulary = model.info().vocabulary();
            assertEquals(options.matrixBytes(ElementType.F32, model.info().hidden(), vocabulary), cpu.head());
            assertEquals(cpu.weights() + cpu.activations(), cpu.total());
            assertEquals(2 * cpu.activations(), model.memoryNeeds(200).get(1).activations());
            assertEquals(cpu.weights(), needs.getFirst().weights(), "stored as floats");
            MemoryNeed gpu = needs.get(5);
            assertEquals("cuda", gpu.device());
            assertEquals(Dtype.BF16, gpu.dtype());
            assertEquals(0, gpu.head(), "the table itself");
            assertTrue(gpu.weights() < model.info().bytes() * 6 / 10);
            MemoryNeed narrow = needs.getLast();
            assertEquals(Dtype.FP8, narrow.dtype());
            assertTrue(narrow.weights() < gpu.weights(), "matrices of one byte per number");
            assertThrows(IllegalArgumentException.class, () -> model.memoryNeeds(0));
        }
    }

    @Test
    void memoryOfACheckpointOfSixteenBitsIsThatOfFloatsForTheMatrixUnitAndItsOwnOtherwise() {
        try (Model model = Model.open(Variants.model("st-two-dense-f16"))) {
            List<MemoryNeed> needs = model.memoryNeeds(1);
            boolean unit = CpuOptions.of(Precision.AUTO).usesMatrixUnit();
            assertEquals(needs.get(unit ? 1 : 3).weights(), needs.getFirst().weights());
            assertTrue(needs.get(1).weights() > needs.get(3).weights());
            assertEquals(needs.get(2).weights(), needs.get(3).weights());
        }
    }

    @Test
    void factsSayWhereTheyComeFrom() throws IOException {
        try (Model model = Model.open(Goldens.model("gptj-ce"))) {
            ModelInfo.Sources sources = model.info().sources();
            assertEquals("default, as there is no modules.json", sources.pooling());
            assertTrue(sources.specb().contains("neither"), sources.specb());
            assertTrue(sources.prompts().startsWith("no prompts"), sources.prompts());
        }
        try (Model model = Model.open(Variants.model("st-pooling-name"))) {
            assertEquals(
                    Path.of("1_Pooling", "config.json").toString(),
                    model.info().sources().pooling());
        }
        CheckpointFolder named = CheckpointFolder.copy("gptneo-be", folder)
                .set("config.json", "_name_or_path", "\"someone/a-specb-model\"");
        try (Model model = Model.open(named.directory())) {
            assertTrue(model.info().specb());
            assertEquals(
                    "\"specb\" is in \"_name_or_path\" of config.json, \"someone/a-specb-model\"",
                    model.info().sources().specb());
        }
    }

    @Test
    void theLengthSaysWhichFileSetsIt() {
        try (Model model = Model.open(Variants.model("st-tokenizer-max-length"))) {
            assertEquals(
                    "model_max_length of tokenizer_config.json",
                    model.info().sources().maxLength());
        }
        try (Model model = Model.open(Variants.model("st-pooling-name"))) {
            assertEquals(
                    "max_seq_length of sentence_bert_config.json",
                    model.info().sources().maxLength());
        }
    }
}
