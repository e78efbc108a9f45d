package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/// Closing while a call computes ends that call with an error that says so.
class ClosedMeanwhileTest {
    private static final Path CHECKPOINT = Path.of("src/test/resources/goldens/models/gptneo-ce");
    private static final List<String> TEXTS =
            IntStream.range(0, 200).mapToObj(i -> "text " + i).toList();

    @Test
    void embeddingSaysThatItsModelWasClosed() {
        Model model = Model.open(CHECKPOINT);
        BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT.withBatchTokens(8));
        assertEquals(
                "model " + CHECKPOINT + " is closed",
                failure(() -> encoder.embed(TEXTS, TextKind.TEXT, (done, total) -> model.close())));
    }

    @Test
    void scoringSaysThatItsEncoderWasClosed() {
        CrossEncoder encoder =
                CrossEncoder.open(CHECKPOINT, ModelOptions.DEFAULT, CrossEncoderOptions.DEFAULT.withBatchTokens(64));
        assertEquals(
                "cross-encoder over " + CHECKPOINT + " is closed",
                failure(() -> encoder.score(TEXTS, TEXTS, (done, total) -> encoder.close())));
    }

    private static String failure(Executable call) {
        return String.valueOf(assertThrows(IllegalStateException.class, call).getMessage());
    }
}
