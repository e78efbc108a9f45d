package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.testing.Goldens;
import org.junit.jupiter.api.Test;

class TrainableModelTest {
    private static final int TOKENS = 16;

    private static TrainableModel open() {
        return TrainableModel.open(
                Goldens.model("gptneo-be"),
                ModelOptions.DEFAULT.withDevice("cpu").withDtype(Dtype.FP32).withThreads(1),
                BiEncoderOptions.DEFAULT.withMaxLength(TOKENS),
                TrainableTensor::isBias);
    }

    @Test
    void matricesAreHeldTwiceOnTheCpu() {
        try (TrainableModel model = open()) {
            long embedding = model.model().memoryNeeds(TOKENS).stream()
                    .filter(need -> need.device().equals("cpu") && need.dtype() == Dtype.FP32)
                    .mapToLong(MemoryNeed::weights)
                    .findFirst()
                    .orElseThrow();
            long matrices = model.model().tensors().stream()
                    .filter(tensor -> tensor.name().startsWith("h.")
                            && tensor.shape().size() == 2
                            && tensor.name().endsWith(".weight"))
                    .mapToLong(tensor -> tensor.elements() * Float.BYTES)
                    .sum();
            assertTrue(matrices > 0);
            assertTrue(model.weightBytes() >= embedding + matrices, "%,d".formatted(model.weightBytes()));
            assertTrue(model.weightBytes() < 2 * embedding, "%,d".formatted(model.weightBytes()));
        }
    }

    @Test
    void whatIsMeasuredIsCountedApart() {
        try (TrainableModel model = open()) {
            model.tokens("one text", TextKind.QUERY);
            model.measuredTokens("two texts", TextKind.QUERY);
            model.measuredTokens("more ".repeat(2 * TOKENS), TextKind.QUERY);
            assertEquals(1, model.truncation(TextKind.QUERY).texts());
            assertEquals(0, model.truncation(TextKind.QUERY).truncated());
            assertEquals(2, model.measuredTruncation(TextKind.QUERY).texts());
            assertEquals(1, model.measuredTruncation(TextKind.QUERY).truncated());
        }
    }
}
