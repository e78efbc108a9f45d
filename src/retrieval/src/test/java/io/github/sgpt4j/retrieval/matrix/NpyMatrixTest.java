package io.github.sgpt4j.retrieval.matrix;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NpyMatrixTest {
    @TempDir
    Path folder;

    private Path write(String dictionary, byte[] numbers) throws IOException {
        byte[] text = dictionary.getBytes(StandardCharsets.ISO_8859_1);
        ByteBuffer bytes = ByteBuffer.allocate(10 + text.length + numbers.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0})
                .putShort((short) text.length)
                .put(text)
                .put(numbers);
        return Files.write(folder.resolve("vectors.npy"), bytes.array());
    }

    private static byte[] floats(float... values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes.array();
    }

    private Path matrix() throws IOException {
        return write("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }\n", floats(1, 2, 3, 4));
    }

    @Test
    void rowsHaveTheIdsOfTheFileBeside() throws IOException {
        Path file = matrix();
        NpyMatrix numbered = NpyMatrix.read(file);
        assertEquals(List.of("1", "2"), numbered.ids());
        assertArrayEquals(new float[][] {{1, 2}, {3, 4}}, numbered.vectors());
        Files.writeString(NpyMatrix.idsOf(file), "a b\nc\n");
        assertEquals(List.of("a b", "c"), NpyMatrix.read(file).ids());
        Files.writeString(NpyMatrix.idsOf(file), "a\n");
        refused(file, "expected 2 ids");
        Files.writeString(NpyMatrix.idsOf(file), "a\nb\nc\n");
        refused(file, "got more");
    }

    private static void refused(Path file, String part) {
        String message =
                assertThrows(FormatException.class, () -> NpyMatrix.read(file)).getMessage();
        assertTrue(message.contains(part), message);
        assertTrue(message.contains(file.toString()), message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }|C order",
                "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 2), }|of type",
                "{'descr': '<u1', 'fortran_order': False, 'shape': (4, 4), }|of type",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }|expected",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999, 2), }|rows",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (2000000000, 60000), }|bytes",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }|matrix",
                "{'descr': '<f4', 'fortran_order': False}|header",
                "__import__('os').system('true')|header"
            })
    void otherFilesAreRefused(String dictionary, String part) throws IOException {
        refused(write(dictionary + "\n", floats(1, 2, 3, 4)), part);
    }

    @Test
    void whatIsNoNumberIsRefused() throws IOException {
        refused(
                write("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }\n", floats(1, 2, Float.NaN, 4)),
                "row 2: component 1");
        refused(folder.resolve("none.npy"), "no such file");
        refused(folder, "regular file");
        refused(Files.writeString(folder.resolve("text.npy"), "text"), "magic");
    }
}
