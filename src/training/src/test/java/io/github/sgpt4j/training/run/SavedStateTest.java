package io.github.sgpt4j.training.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.training.TrainingState;
import io.github.sgpt4j.training.data.BatchPosition;
import io.github.sgpt4j.training.data.DataFile;
import io.github.sgpt4j.training.optimizer.AdamState;
import io.github.sgpt4j.weights.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SavedStateTest {
    private static final String METADATA = """
            {"version": 1, "step": 5, "batches": 5, "rows": 20, "base": "b", "settings": {"a": "1"}, "data": []}""";

    /// More than any state here has.
    private static final long NUMBERS = 100_000;

    private static final Origin ORIGIN = new Origin(
            "0123",
            Map.of("learning rate", "1.0E-4", "schedule", "\"quoted\" | ü"),
            List.of(new DataFile("rows.jsonl", 1L << 40, "abc"), new DataFile("b", 0, "")));

    /// The training in [#METADATA].
    private static final Origin OTHER = new Origin("b", Map.of("a", "1"), List.of());

    @TempDir
    Path folder;

    static SavedState state(long step, OptionalDouble best) {
        double[] odd = {
            -0.0, Double.MIN_VALUE, Double.MAX_VALUE, Math.PI, Double.longBitsToDouble(0x7ff8000000000123L), -1e-300
        };
        // More numbers than are written at once.
        double[] many = new Random(step).doubles(70_001).toArray();
        return new SavedState(
                new TrainingState(
                        step,
                        new BatchPosition(step, 4 * step),
                        new AdamState(
                                step,
                                List.of(
                                        new AdamState.Tensor("h.0.bias", odd, reversed(odd), odd),
                                        new AdamState.Tensor("z", many, reversed(many), many)))),
                ORIGIN,
                OptionalDouble.empty(),
                best);
    }

    private static double[] reversed(double[] values) {
        double[] reversed = new double[values.length];
        Arrays.setAll(reversed, i -> values[values.length - 1 - i]);
        return reversed;
    }

    private static long[] bits(double[] values) {
        return Arrays.stream(values).mapToLong(Double::doubleToRawLongBits).toArray();
    }

    @Test
    void whatIsReadIsWhatWasWritten() throws IOException {
        for (OptionalDouble best : List.of(OptionalDouble.empty(), OptionalDouble.of(0.1 + 0.2))) {
            SavedState state = state(5, best);
            Path file = folder.resolve("step-5.safetensors");
            state.write(file);
            SavedState read = SavedState.read(file, NUMBERS, ORIGIN);
            assertEquals(ORIGIN, read.origin());
            assertEquals(
                    new SavedState.Header(5, state.state().position(), ORIGIN, state.score(), best),
                    SavedState.header(file));
            assertEquals(state.score(), read.score());
            assertEquals(best, read.best());
            assertEquals(state.state().step(), read.state().step());
            assertEquals(state.state().position(), read.state().position());
            assertEquals(5, read.state().optimizer().steps());
            List<AdamState.Tensor> expected = state.state().optimizer().tensors();
            List<AdamState.Tensor> got = read.state().optimizer().tensors();
            assertEquals(expected.size(), got.size());
            for (int i = 0; i < got.size(); i++) {
                assertEquals(expected.get(i).name(), got.get(i).name());
                assertArrayEquals(
                        bits(expected.get(i).values()), bits(got.get(i).values()));
                assertArrayEquals(bits(expected.get(i).first()), bits(got.get(i).first()));
                assertArrayEquals(
                        bits(expected.get(i).second()), bits(got.get(i).second()));
            }
        }
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(1, files.count());
        }
    }

    @Test
    void aFileThatIsCutAnywhereIsRefused() throws IOException {
        Path file = folder.resolve("state");
        state(5, OptionalDouble.of(1)).write(file);
        byte[] bytes = Files.readAllBytes(file);
        for (int length : List.of(0, 7, 8, 100, 500, 5000, bytes.length / 2, bytes.length - 1)) {
            Files.write(file, Arrays.copyOf(bytes, length));
            String said = assertThrows(
                            SgptException.class, () -> SavedState.read(file, NUMBERS, ORIGIN), "length " + length)
                    .getMessage();
            assertTrue(said.contains(file.toString()), said);
        }
    }

    private Path written(String metadata, ElementType type, Shape shape, String... names) throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter();
        if (!metadata.isEmpty()) {
            writer.metadata("sgpt4j", metadata);
        }
        for (String name : names) {
            writer.add(name, type, shape, out -> out.write(new byte[Math.toIntExact(type.bytes(shape.elements()))]));
        }
        Path file = folder.resolve("other.safetensors");
        writer.write(file);
        return file;
    }

    private static String failure(Path file) {
        String said = assertThrows(FormatException.class, () -> SavedState.read(file, NUMBERS, OTHER))
                .getMessage();
        assertTrue(said.startsWith(file.toString()), said);
        return said.substring(file.toString().length() + 2);
    }

    private static final String[] TENSORS = {"values.x", "first.x", "second.x"};

    @Test
    void tensorsOfOtherKindsAreRefused() throws IOException {
        Shape three = Shape.of(3);
        assertDoesNotThrow(() -> SavedState.read(written(METADATA, ElementType.F64, three, TENSORS), NUMBERS, OTHER));
        assertEquals(
                "expected the state of a training, got other tensors",
                failure(written("", ElementType.F64, three, TENSORS)));
        assertTrue(failure(written(METADATA, ElementType.F32, three, TENSORS))
                        .startsWith("tensor first.x: expected a vector of type F64, got")
                || failure(written(METADATA, ElementType.F32, three, TENSORS))
                        .startsWith("tensor values.x: expected a vector of type F64, got"));
        assertTrue(failure(written(METADATA, ElementType.F64, Shape.of(3, 1), TENSORS))
                .contains("expected a vector of type F64, got"));
        assertTrue(failure(written(METADATA, ElementType.F64, three, "values.x", "first.x"))
                .contains("second.x"));
        assertEquals(
                "expected three tensors for each of the 1 trained ones, got 4",
                failure(written(METADATA, ElementType.F64, three, "values.x", "first.x", "second.x", "third.x")));
        assertEquals(
                "expected three tensors for each of the 1 trained ones, got 4",
                failure(written(METADATA, ElementType.F64, three, "values.x", "first.x", "second.x", "first.y")));
    }

    /// A file that claims gigabytes takes none of them.
    @Test
    void moreNumbersThanAreTrainedAreNotRead() throws IOException {
        Path file = written(METADATA, ElementType.F64, Shape.of(3), "values.x", "first.x", "second.x");
        assertEquals(
                1, SavedState.read(file, 3, OTHER).state().optimizer().tensors().size());
        String said = assertThrows(FormatException.class, () -> SavedState.read(file, 2, OTHER))
                .getMessage();
        assertEquals(file + ": expected the state of 2 trained numbers, got more", said);
        SafetensorsWriter writer = new SafetensorsWriter().metadata("sgpt4j", METADATA);
        writer.add("values.x", ElementType.F64, Shape.of(0), out -> {});
        writer.add("first.x", ElementType.F64, Shape.of(0), out -> {});
        writer.add("second.x", ElementType.F64, Shape.of(7), out -> out.write(new byte[7 * Double.BYTES]));
        writer.write(file);
        assertTrue(failure(file).startsWith("tensor second.x: expected shape [0] as that of its values, got [7]"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"version\": 1|\"version\": 2|expected the state of a training in version 1, got version 2",
                "\"version\": 1|\"version\": \"1\"|key \"version\": expected a whole number of at least 0, got",
                "\"step\": 5,||key \"step\": expected a whole number of at least 0, got nothing",
                "\"step\": 5|\"step\": -5|key \"step\": expected a whole number of at least 0, got -5",
                "\"step\": 5|\"step\": 5.5|key \"step\": expected a whole number of at least 0, got 5.5",
                "\"rows\": 20|\"rows\": 2|expected at least as many rows as batches, got 2 and 5",
                "\"base\": \"b\"|\"best\": \"high\"|expected a finite number",
                "\"base\": \"b\"|\"best\": 1e999|key \"best\": expected a finite number",
                "\"base\": \"b\"|\"base\": 7|base",
            })
    void metadataOfOtherKindsAreRefused(String what, String by, String complaint) throws IOException {
        assertTrue(METADATA.contains(what));
        String changed = METADATA.replace(what, by == null ? "" : by);
        String said = failure(written(changed, ElementType.F64, Shape.of(3), TENSORS));
        assertTrue(said.contains(complaint), said);
    }

    @Test
    void metadataThatIsNoJsonIsRefused() throws IOException {
        for (String text : List.of("{", "[]", "{\"step\": 1, \"step\": 2}")) {
            Path file = written(text, ElementType.F64, Shape.of(3), TENSORS);
            String said = assertThrows(FormatException.class, () -> SavedState.read(file, NUMBERS, OTHER), text)
                    .getMessage();
            assertTrue(said.contains(file.toString()), said);
        }
    }

    /// Also where the other training has more numbers.
    @Test
    void anotherTrainingIsNamedBeforeItsNumbers() throws IOException {
        Path file = written(METADATA, ElementType.F64, Shape.of(3), TENSORS);
        Origin full = new Origin("b", Map.of("a", "2"), List.of());
        String said = assertThrows(FormatException.class, () -> SavedState.read(file, 2, full))
                .getMessage();
        assertEquals(file + ": a: expected 1 as before, got 2", said);
    }

    @Test
    void theFirstDifferenceOfATrainingIsNamed() {
        Path file = Path.of("state");
        assertDoesNotThrow(() -> ORIGIN.requireSame(file, ORIGIN));
        assertEquals(
                "state: expected the model that the training started from (fingerprint 0123), got one whose weights,"
                        + " tokenizer or configuration differ (fingerprint 4567)",
                difference("4567", Map.of(), List.of()));
        assertEquals(
                "state: learning rate: expected 1.0E-4 as before, got nothing",
                difference("0123", Map.of("schedule", "\"quoted\" | ü"), ORIGIN.data()));
        assertEquals(
                "state: batch size: expected nothing as before, got 8",
                difference("0123", Map.of("batch size", "8"), ORIGIN.data()));
        String data = difference("0123", ORIGIN.settings(), ORIGIN.data().subList(0, 1));
        assertEquals("state: expected the file b again, found none", data);
    }

    private static String difference(String base, Map<String, String> settings, List<DataFile> data) {
        Origin now = new Origin(base, settings, data);
        return assertThrows(FormatException.class, () -> ORIGIN.requireSame(Path.of("state"), now))
                .getMessage();
    }
}
