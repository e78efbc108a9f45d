package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.testing.Goldens;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BatchingEncoderTest {
    private static final TextKind[] KINDS = TextKind.values();

    private static BiEncoder encoder;

    @BeforeAll
    static void open() {
        encoder = BiEncoder.open(
                Goldens.model("gptneo-be"),
                ModelOptions.DEFAULT.withDevice("cpu").withThreads(2),
                BiEncoderOptions.DEFAULT.withSpecb(true).withMaxLength(40).withTruncate(false));
    }

    @AfterAll
    static void close() {
        encoder.close();
    }

    private static List<String> texts(int call) {
        return IntStream.range(0, call % 4)
                .mapToObj(i -> "a spider has %d legs, and text %d has words".formatted(call, i))
                .toList();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 50, 4096})
    void givesEachCallWhatTheEncoderGives(int batchTokens) throws Exception {
        try (BatchingEncoder batching = new BatchingEncoder(encoder, batchTokens);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<float[][]>> results = new ArrayList<>();
            for (int call = 0; call < 64; call++) {
                int number = call;
                results.add(threads.submit(() -> batching.embed(texts(number), KINDS[number % 3])));
            }
            for (int call = 0; call < results.size(); call++) {
                assertArrayEquals(
                        encoder.embed(texts(call), KINDS[call % 3]),
                        results.get(call).get(),
                        "call " + call);
            }
        }
    }

    @Test
    void aCallThatFailsDoesNotDisturbOthers() throws Exception {
        String tooLong = "word ".repeat(100);
        try (BatchingEncoder batching = new BatchingEncoder(encoder);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<float[]>> results = new ArrayList<>();
            for (int call = 0; call < 40; call++) {
                String text = call % 5 == 0 ? tooLong : "text " + call;
                results.add(threads.submit(() -> batching.embed(text, TextKind.TEXT)));
            }
            for (int call = 0; call < results.size(); call++) {
                Future<float[]> result = results.get(call);
                if (call % 5 == 0) {
                    ExecutionException e = assertThrows(ExecutionException.class, result::get);
                    assertEquals(FormatException.class, e.getCause().getClass());
                } else {
                    assertArrayEquals(encoder.embed("text " + call), result.get());
                }
            }
        }
    }

    @Test
    void aTextThatIsTooLongIsToldAsTheEncoderTellsIt() {
        String tooLong = "word ".repeat(100);
        try (BatchingEncoder batching = new BatchingEncoder(encoder)) {
            String expected = assertThrows(FormatException.class, () -> encoder.embedQuery(tooLong))
                    .getMessage();
            assertEquals(
                    expected,
                    assertThrows(FormatException.class, () -> batching.embed(tooLong, TextKind.QUERY))
                            .getMessage());
        }
    }

    @Test
    void anInterruptedCallIsCancelledAndOthersGoOn() throws Exception {
        try (BatchingEncoder batching = new BatchingEncoder(encoder)) {
            Thread.currentThread().interrupt();
            assertThrows(CancelledException.class, () -> batching.embed("text", TextKind.TEXT));
            assertTrue(Thread.interrupted());
            assertArrayEquals(encoder.embed("text"), batching.embed("text", TextKind.TEXT));
        }
    }

    @Test
    void aClosedOneRefusesCalls() {
        BatchingEncoder batching = new BatchingEncoder(encoder);
        batching.embed("text", TextKind.TEXT);
        batching.close();
        batching.close();
        assertThrows(IllegalStateException.class, () -> batching.embed("text", TextKind.TEXT));
        assertThrows(IllegalArgumentException.class, () -> new BatchingEncoder(encoder, 0));
    }
}
