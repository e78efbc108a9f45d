package io.github.sgpt4j.training.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TeacherSourceTest {
    private static final float[][] ROWS = {{1, -2, 0.5f}, {0, 0, 3}};

    @TempDir
    Path folder;

    private Path text(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    private String failure(Path texts, Optional<Path> embeddings) {
        return assertThrows(FormatException.class, () -> TrainingData.openTaught(texts, embeddings))
                .getMessage()
                .replace(folder + "/", "");
    }

    private static void check(TeacherSource source) {
        assertEquals(2, source.rows());
        assertEquals(3, source.dimension());
        assertEquals("a b", source.row(0, 0).text());
        assertEquals(List.of("c"), source.row(1, 7).texts());
        assertArrayEquals(ROWS[1], source.row(1, 0).teacher());
        assertArrayEquals(ROWS[0], source.row(0, 3).teacher());
    }

    @Test
    void linesAndAMatrixBelongTogetherRowByRow() throws IOException {
        Path matrix = NpyFiles.write(folder.resolve("t.npy"), ROWS);
        String objects = "{\"title\": \"a\", \"text\": \"b\"}\n\n{\"text\": \" c \", \"id\": 7}\n";
        for (Path texts : List.of(text("t.txt", "a b\r\nc"), text("t.jsonl", objects))) {
            Path packed = folder.resolve(texts.getFileName() + ".gz");
            try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
                out.write(Files.readAllBytes(texts));
            }
            for (Path file : List.of(texts, packed)) {
                try (TeacherSource source = TrainingData.openTaught(file, Optional.of(matrix))) {
                    check(source);
                    assertEquals(
                            List.of(texts.getFileName().toString(), "t.npy"),
                            source.files().stream().map(DataFile::name).toList());
                    assertEquals(Files.size(matrix), source.files().getLast().bytes());
                }
            }
        }
    }

    @Test
    void rowsMayHaveTheirEmbeddings() throws IOException {
        Path texts = text("t.jsonl", """
                {"index": 0, "text": "a b", "embedding": [1, -2.0, 5e-1]}
                {"index": 1, "text": "c", "embedding": [0, 0, 3]}
                """);
        try (TeacherSource source = TrainingData.openTaught(texts, Optional.empty())) {
            check(source);
            assertEquals(1, source.files().size());
        }
    }

    @ParameterizedTest
    @CsvSource({"1,<f4", "2,<f4", "3,<f4", "1,<f2", "3,<f2", "1,<f8", "2,<f8"})
    void versionsAndTypes(int version, String type) throws IOException {
        ByteBuffer numbers = ByteBuffer.allocate(6 * 8).order(ByteOrder.LITTLE_ENDIAN);
        for (float[] row : ROWS) {
            for (float value : row) {
                switch (type) {
                    case "<f2" -> numbers.putShort(Float.floatToFloat16(value));
                    case "<f4" -> numbers.putFloat(value);
                    default -> numbers.putDouble(value);
                }
            }
        }
        byte[] used = new byte[numbers.position()];
        numbers.flip().get(used);
        String[] headers = {
            NpyFiles.header(type, "False", "(2, 3)"),
            "{ \"shape\":(2,3,),\"fortran_order\" : False , \"descr\":\"%s\"}     ".formatted(type)
        };
        for (String header : headers) {
            Path matrix = Files.write(folder.resolve("t.npy"), NpyFiles.bytes(version, header, used));
            try (TeacherSource source = TrainingData.openTaught(text("t.txt", "a b\nc\n"), Optional.of(matrix))) {
                check(source);
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), };little-endian numbers of type <f2, <f4 or <f8, got descr \"'>f4'\"",
                "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), };got descr \"'<i4'\"",
                "{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), };got descr \"'|O'\"",
                "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3), };got descr \"[('a', '<f4')]\"",
                "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), };C order",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), };a matrix, of shape (rows, columns), got shape \"(6,)\"",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3), };got shape \"(1, 2, 3)\"",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3), };got shape \"(-2, 3)\"",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), };expected from 1 to 2147483631 rows, got 0",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 0), };expected from 1 to 65536 columns, got 0",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 999999999), };expected from 1 to 65536 columns",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999999999, 3), };expected from 1 to 2147483631 rows",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (2147483631, 65536), };bytes for 2147483631 rows of 65536 numbers, got ",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3), };for 3 rows of 3 numbers, got ",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), };for 1 rows of 3 numbers, got ",
                "{'descr': '<f4', 'fortran_order': False, };expected a header with descr, fortran_order and shape, got",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'more': True};expected a header with",
                "{'descr': '<f4', 'fortran_order': False, 'fortran_order': False, 'shape': (2, 3)};expected a header with",
                "{'descr': '<f4' 'fortran_order': False, 'shape': (2, 3)};expected a header with",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3);expected a header with",
                "{;expected a header with",
                "__import__('os').system('x');expected a header with",
            })
    void headersThatSayAnythingElseAreRefused(String header, String complaint) throws IOException {
        Files.write(folder.resolve("t.npy"), NpyFiles.bytes(1, header, new byte[24]));
        String said = failure(text("t.txt", "a\nb\n"), Optional.of(folder.resolve("t.npy")));
        assertTrue(said.startsWith("t.npy: ") && said.contains(complaint), said);
    }

    @Test
    void brokenMatricesAreRefused() throws IOException {
        Path texts = text("t.txt", "a\nb\n");
        Path file = folder.resolve("t.npy");
        Optional<Path> matrix = Optional.of(file);
        Files.write(file, new byte[0]);
        assertEquals("t.npy: expected the magic number of a .npy file, found none", failure(texts, matrix));
        Files.write(file, "PK zipped, many bytes".getBytes(StandardCharsets.UTF_8));
        assertEquals("t.npy: expected the magic number of a .npy file, found none", failure(texts, matrix));
        byte[] good = NpyFiles.bytes(1, NpyFiles.header("<f4", "False", "(2, 3)"), new byte[24]);
        byte[] later = good.clone();
        later[6] = 4;
        Files.write(file, later);
        assertEquals("t.npy: expected version 1, 2 or 3 of the .npy format, got 4.0", failure(texts, matrix));
        byte[] long2 = NpyFiles.bytes(2, NpyFiles.header("<f4", "False", "(2, 3)"), new byte[24]);
        long2[11] = (byte) 0xFF;
        Files.write(file, long2);
        assertTrue(failure(texts, matrix).startsWith("t.npy: expected a header of at most 10000 bytes, got 42"));
        for (int cut = 7; cut < 60; cut++) {
            byte[] some = new byte[cut];
            System.arraycopy(good, 0, some, 0, cut);
            Files.write(file, some);
            String said = failure(texts, matrix);
            assertTrue(said.startsWith("t.npy: expected "), said);
        }
        Files.write(file, good);
        assertEquals(
                "t.npy: row 1: expected an embedding of a length of at least 1.0E-12, got 0.0", failure(texts, matrix));
        NpyFiles.write(file, new float[][] {{1, 2}, {3, Float.NaN}});
        assertEquals("t.npy: row 2: component 2: expected a finite 32-bit number, got NaN", failure(texts, matrix));
        byte[] huge = ByteBuffer.allocate(16)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putDouble(1)
                .putDouble(1e39)
                .array();
        Files.write(file, NpyFiles.bytes(1, NpyFiles.header("<f8", "False", "(1, 2)"), huge));
        assertEquals(
                "t.npy: row 1: component 2: expected a finite 32-bit number, got Infinity", failure(texts, matrix));
        NpyFiles.write(file, new float[][] {{1, 2}, {3, 4}, {5, 6}});
        assertEquals("t.npy: expected a row for each of the 2 texts of t.txt, got 3", failure(texts, matrix));
        NpyFiles.write(file, new float[][] {{1, 2}});
        assertEquals("t.npy: expected a row for each of the 2 texts of t.txt, got 1", failure(texts, matrix));
        Files.delete(file);
        assertEquals("t.npy: expected a file, found nothing there", failure(texts, matrix));
        assertEquals("t.npz: expected a name ending in .npy", failure(texts, Optional.of(folder.resolve("t.npz"))));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"text\": \"b\"}|line 2: expected \"embedding\", found none",
                "{\"embedding\": [1, 2]}|line 2: expected \"text\", found none",
                "{\"text\": \" \", \"embedding\": [1, 2]}|line 2: \"text\": expected a text, got an empty one",
                "{\"text\": 5, \"embedding\": [1, 2]}|line 2: \"text\": expected a string, got a number",
                "{\"text\": \"b\", \"embedding\": [1]}|line 2: \"embedding\": expected 2 numbers as in the first row (t.jsonl: line 1), got 1",
                "{\"text\": \"b\", \"embedding\": []}|line 2: \"embedding\": expected from 1 to 65536 numbers, got 0",
                "{\"text\": \"b\", \"embedding\": [0, 0]}|line 2: \"embedding\": expected an embedding of a length of at least 1.0E-12, got 0.0",
                "{\"text\": \"b\", \"embedding\": [1, 1e39]}|line 2: \"embedding\": component 2: expected a finite 32-bit number, got Infinity",
                "{\"text\": \"b\", \"embedding\": [1, \"2\"]}|line 2: \"embedding\": component 2: expected a number, got a string",
                "{\"text\": \"b\", \"embedding\": [1, NaN]}|line 2: not valid JSON at column",
                "{\"text\": \"b\", \"embedding\": \"1\"}|line 2: \"embedding\": expected an array of numbers, got a string",
                "[1, 2]|line 2: expected an object, got an array",
            })
    void badRowsAreNamedByFileAndLine(String row, String complaint) throws IOException {
        String said = failure(text("t.jsonl", "{\"text\": \"a\", \"embedding\": [3, 4]}\n" + row), Optional.empty());
        assertTrue(said.startsWith("t.jsonl: " + complaint), said);
    }

    @Test
    void embeddingsComeFromOnePlace() throws IOException {
        Path matrix = NpyFiles.write(folder.resolve("t.npy"), ROWS);
        Path both = text("t.jsonl", "{\"text\": \"a\", \"embedding\": [3, 4]}\n");
        assertEquals(
                "t.jsonl: line 1: expected no \"embedding\" beside those of t.npy, found one",
                failure(both, Optional.of(matrix)));
        assertEquals(
                "t.txt: line 1: expected \"embedding\", found none", failure(text("t.txt", "a\n"), Optional.empty()));
        assertEquals(
                "t.txt: line 2: expected a text, got an empty one",
                failure(text("t.txt", "a\n\nb\n"), Optional.of(matrix)));
        assertEquals(
                "t.csv: expected a name ending in .txt, .jsonl, .txt.gz or .jsonl.gz",
                failure(text("t.csv", "a\n"), Optional.empty()));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aMatrixThatIsChangedMeanwhileIsAnError(boolean shorter) throws IOException {
        Path matrix = NpyFiles.write(folder.resolve("t.npy"), ROWS);
        try (TeacherSource source = TrainingData.openTaught(text("t.txt", "a b\nc\n"), Optional.of(matrix))) {
            try (RandomAccessFile file = new RandomAccessFile(matrix.toFile(), "rw")) {
                if (shorter) {
                    file.setLength(file.length() - 2);
                } else {
                    file.seek(file.length() - 1);
                    file.write(1);
                }
            }
            assertArrayEquals(ROWS[0], source.row(0, 0).teacher());
            assertTrue(assertThrows(FormatException.class, () -> source.row(1, 0))
                    .getMessage()
                    .endsWith("t.npy: row 2: expected the numbers that were there when the file was opened, the file"
                            + " was changed"));
        }
    }
}
