package io.github.sgpt4j.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.LittleEndian;
import io.github.sgpt4j.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsFileTest {
    @TempDir
    Path directory;

    private Path write(byte[] bytes) throws IOException {
        return Hostile.write(directory, "m.safetensors", bytes);
    }

    private static SafetensorsFile open(Path file) {
        try (Arena arena = Arena.ofConfined()) {
            return SafetensorsFile.open(file, arena);
        }
    }

    private static String entry(String name, String dtype, String shape, String offsets) {
        return "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}".formatted(name, dtype, shape, offsets);
    }

    @Test
    void tensorsScalarsAndEmptyTensorsAreRead() throws IOException {
        String header = "{\"__metadata__\":{\"format\":\"pt\",\"note\":\"ü\"},"
                + entry("b", "F32", "[2,1]", "[2,10]")
                + "," + entry("none", "F32", "[0,7]", "[2,2]")
                + "," + entry("a.ß", "BF16", "[]", "[0,2]") + "}   ";
        ByteBuffer bytes = ByteBuffer.wrap(Hostile.file(header, 10)).order(ByteOrder.LITTLE_ENDIAN);
        int data = bytes.capacity() - 10;
        bytes.putShort(data, (short) 0x3F80).putFloat(data + 2, -2.5f).putFloat(data + 6, 1e-3f);
        Path file = write(bytes.array());
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile opened = SafetensorsFile.open(file, arena);
            assertEquals(
                    List.of("b", "none", "a.ß"), List.copyOf(opened.tensors().keySet()));
            assertEquals(Map.of("format", "pt", "note", "ü"), opened.metadata());
            WeightTensor scalar = opened.tensors().get("a.ß");
            assertEquals(Shape.of(), scalar.shape());
            assertEquals(ElementType.BF16, scalar.dtype());
            assertEquals(1f, scalar.element(0));
            WeightTensor vector = opened.tensors().get("b");
            assertEquals(Shape.of(2, 1), vector.shape());
            assertEquals(-2.5f, vector.element(0));
            assertEquals(1e-3f, vector.element(1));
            assertEquals(file.toString(), vector.file());
            assertEquals(0, opened.tensors().get("none").data().byteSize());
            assertTrue(vector.data().isReadOnly());
        }
    }

    @Test
    void aFileWithoutTensorsIsRead() throws IOException {
        assertEquals(Set.of(), open(write(Hostile.file("{}", 0))).tensors().keySet());
    }

    @Test
    void unknownKeysOfAnEntryArePassedOver() throws IOException {
        String header = "{\"a\":{\"later\":{\"x\":[1,{}]},\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}";
        assertEquals(Set.of("a"), open(write(Hostile.file(header, 1))).tensors().keySet());
    }

    static Stream<Arguments> brokenHeaders() {
        String a = entry("a", "U8", "[2]", "[0,2]");
        return Stream.of(
                arguments("not an object", "[1]", 0, List.of("byte 8", "begins with {", "0x5b")),
                arguments("leading space", " {}", 0, List.of("byte 8", "begins with {", "0x20")),
                arguments("empty header", "", 0, List.of("byte 8", "begins with {", "an empty header")),
                arguments("not JSON", "{a}", 0, List.of("byte 9", "not valid JSON")),
                arguments("cut off", "{\"a\":{\"dtype\":\"U8\"", 0, List.of("byte 26")),
                arguments("never closed", "{" + a, 2, List.of("byte", "not valid JSON")),
                arguments("trailing text", "{" + a + "} x", 2, List.of("byte 62", "expected spaces", "0x78")),
                arguments("trailing object", "{" + a + "}{}", 2, List.of("byte 61", "expected spaces", "0x7b")),
                arguments("trailing newline", "{" + a + "}\n", 2, List.of("byte 61", "expected spaces", "0x0a")),
                arguments("null byte", "{" + a + "}\0", 2, List.of("byte 61", "null byte")),
                arguments("null byte inside", "{\"a\0\":{}}", 0, List.of("byte 11", "null byte")),
                arguments("UTF-16", "{\0}\0", 0, List.of("byte 9", "null byte")),
                arguments("tensor twice", "{" + a + "," + a + "}", 2, List.of("byte 61", "tensor \"a\" once", "twice")),
                arguments("tensor is a number", "{\"a\":1}", 0, List.of("byte 13", "an object for tensor \"a\"", "1")),
                arguments("tensor is null", "{\"a\":null}", 0, List.of("byte 13", "object for tensor \"a\"", "null")),
                arguments("metadata twice", "{\"__metadata__\":{},\"__metadata__\":{}}", 0, List.of("got a second")),
                arguments("metadata a list", "{\"__metadata__\":[]}", 0, List.of("an object of strings", "an array")),
                arguments(
                        "metadata number", "{\"__metadata__\":{\"n\":1}}", 0, List.of("a string as \"n\"", "number 1")),
                arguments(
                        "metadata nested", "{\"__metadata__\":{\"n\":{}}}", 0, List.of("a string as \"n\"", "object")),
                arguments("metadata key twice", "{\"__metadata__\":{\"n\":\"\",\"n\":\"\"}}", 0, List.of("\"n\" once")),
                arguments("deep nesting", "{\"a\":{\"k\":" + "[".repeat(5000), 0, List.of("byte", "depth")),
                arguments("long name", "{\"" + "n".repeat(60_000) + "\":{}}", 0, List.of("byte", "not valid JSON")),
                arguments("endless digits", "{\"a\":{\"shape\":[" + "9".repeat(10_000), 0, List.of("byte", "length")),
                arguments("unpaired high surrogate", "{\"\\ud800\":{}}", 0, List.of("byte", "surrogate")),
                arguments("unpaired low surrogate", "{\"\\udc00\":{}}", 0, List.of("byte", "surrogate")),
                arguments(
                        "unpaired surrogate in metadata",
                        "{\"__metadata__\":{\"n\":\"\\udc00\"}}",
                        0,
                        List.of("byte", "surrogate")));
    }

    static Stream<Arguments> brokenEntries() {
        String half = Long.toString(Long.MAX_VALUE / 2);
        return Stream.of(
                arguments("F4 too large", entry("a", "F4", "[4]", "[0,3]"), 3, List.of("expected 2", "got 3")),
                arguments("F4 too small", entry("a", "F4", "[8]", "[0,3]"), 3, List.of("expected 4", "got 3")),
                arguments("half a byte", entry("a", "F4", "[3]", "[0,2]"), 2, List.of("whole bytes", "[3] of F4")),
                arguments("F6 in no whole bytes", entry("a", "F6_E2M3", "[6]", "[0,5]"), 5, List.of("whole bytes")),
                arguments("C64 too small", entry("a", "C64", "[2]", "[0,8]"), 8, List.of("expected 16", "got 8")),
                arguments("dtype is a number", "\"a\":{\"dtype\":32}", 0, List.of("dtype of", "the number 32")),
                arguments("shape is a number", "\"a\":{\"shape\":32}", 0, List.of("an array", "the number 32")),
                arguments("shape nested", "\"a\":{\"shape\":[[1]]}", 0, List.of("the shape of", "an array")),
                arguments("negative dimension", entry("a", "U8", "[-1]", "[0,1]"), 1, List.of("the shape of", "-1")),
                arguments("fraction", entry("a", "U8", "[1.0]", "[0,1]"), 1, List.of("the shape of", "number 1.0")),
                arguments("text dimension", entry("a", "U8", "[\"1\"]", "[0,1]"), 1, List.of("string \"1\"")),
                arguments("huge dimension", entry("a", "U8", "[9223372036854775808]", "[0,1]"), 1, List.of("64-bit")),
                arguments(
                        "endless digits", entry("a", "U8", "[" + "9".repeat(90) + "]", "[0,1]"), 1, List.of("64-bit")),
                arguments(
                        "element count overflows",
                        entry("a", "U8", "[" + half + ",4]", "[0,1]"),
                        1,
                        List.of("element count", half)),
                arguments(
                        "byte count overflows", entry("a", "F64", "[" + half + "]", "[0,1]"), 1, List.of("F64", half)),
                arguments("rank", entry("a", "U8", "[1" + ",1".repeat(64) + "]", "[0,1]"), 1, List.of("at most 64")),
                arguments("one offset", entry("a", "U8", "[1]", "[0]"), 1, List.of("2 data_offsets", "got 1")),
                arguments("three offsets", entry("a", "U8", "[1]", "[0,1,1]"), 1, List.of("at most 2 numbers")),
                arguments("negative offset", entry("a", "U8", "[1]", "[-1,0]"), 1, List.of("data_offsets of", "-1")),
                arguments(
                        "huge offset", entry("a", "U8", "[1]", "[0,18446744073709551616]"), 1, List.of("data_offsets")),
                arguments("offsets reversed", entry("a", "U8", "[1]", "[1,0]"), 1, List.of("in order", "[1, 0]")),
                arguments("beyond the data", entry("a", "U8", "[9]", "[0,9]"), 8, List.of("8 bytes", "[0, 9]")),
                arguments("shape too small", entry("a", "F16", "[3]", "[0,8]"), 8, List.of("expected 6", "got 8")),
                arguments("shape too large", entry("a", "F32", "[3]", "[0,8]"), 8, List.of("expected 12", "got 8")),
                arguments("no dtype", "\"a\":{\"shape\":[],\"data_offsets\":[0,1]}", 1, List.of("no dtype")),
                arguments("no shape", "\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}", 1, List.of("no shape")),
                arguments("no offsets", "\"a\":{\"dtype\":\"U8\",\"shape\":[]}", 0, List.of("no data_offsets")),
                arguments("dtype twice", "\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\"}", 0, List.of("one dtype")),
                arguments("shape twice", "\"a\":{\"shape\":[],\"shape\":[]}", 0, List.of("one shape")),
                arguments(
                        "offsets twice",
                        "\"a\":{\"data_offsets\":[0,0],\"data_offsets\":[0,0]}",
                        0,
                        List.of("one data_offsets")),
                arguments("gap at the start", entry("a", "U8", "[1]", "[1,2]"), 2, List.of("from 0 on", "a gap")),
                arguments("bytes left over", entry("a", "U8", "[1]", "[0,1]"), 2, List.of("expected 1", "got 2")),
                arguments(
                        "gap",
                        entry("b", "U8", "[1]", "[0,1]") + "," + entry("a", "U8", "[1]", "[2,3]"),
                        3,
                        List.of("byte 61", "from 1 on, after tensor \"b\"", "got 2", "a gap")),
                arguments(
                        "overlap",
                        entry("b", "U8", "[2]", "[0,2]") + "," + entry("a", "U8", "[2]", "[1,3]"),
                        3,
                        List.of("byte 61", "from 2 on, after tensor \"b\"", "got 1", "overlap")),
                arguments(
                        "empty tensor inside another",
                        entry("b", "U8", "[2]", "[0,2]") + "," + entry("a", "U8", "[0]", "[1,1]"),
                        2,
                        List.of("overlap")),
                arguments(
                        "the same bytes twice",
                        entry("b", "U8", "[2]", "[0,2]") + "," + entry("a", "U8", "[2]", "[0,2]"),
                        2,
                        List.of("overlap")));
    }

    static Stream<Arguments> notComputedWith() {
        return Stream.of(
                arguments("F4", "[2,4]", 4),
                arguments("F6_E2M3", "[4]", 3),
                arguments("F6_E3M2", "[2,2]", 3),
                arguments("F8_E8M0", "[3]", 3),
                arguments("F8_E4M3FNUZ", "[3]", 3),
                arguments("F8_E5M2FNUZ", "[3]", 3),
                arguments("C64", "[3]", 24));
    }

    @ParameterizedTest
    @MethodSource("notComputedWith")
    void typesThatAreNotComputedWithAreRead(String type, String shape, int bytes) throws IOException {
        Path file = write(Hostile.file("{" + entry("a", type, shape, "[0," + bytes + "]") + "}", bytes));
        WeightTensor tensor = open(file).tensors().get("a");
        assertEquals(type, tensor.dtype().name());
        assertEquals(bytes, tensor.data().byteSize());
    }

    @ParameterizedTest
    @ValueSource(strings = {"F33", "f32", "", "torch.float32"})
    void aTypeThatIsNotKnownIsKeptByName(String type) throws IOException {
        String header = "{" + entry("a", type, "[1]", "[0,5]") + "," + entry("b", "F32", "[1]", "[5,9]") + "}";
        SafetensorsFile file = open(write(Hostile.file(header, 9)));
        assertEquals(Map.of("a", type), file.unknown());
        assertEquals(Set.of("b"), file.tensors().keySet());
    }

    @ParameterizedTest
    @ValueSource(strings = {"[0,10]", "[1,5]", "[5,0]"})
    void theBytesOfATypeThatIsNotKnownMustBeThere(String offsets) throws IOException {
        Path file = write(Hostile.file("{" + entry("a", "F33", "[1]", offsets) + "}", 5));
        Hostile.assertRefused(() -> open(file), file, "tensor \"a\"");
    }

    @Test
    void nullIsNoMetadata() throws IOException {
        SafetensorsFile file = open(write(Hostile.file("{\"__metadata__\":null}", 0)));
        assertEquals(Map.of(), file.metadata());
        Path twice = write(Hostile.file("{\"__metadata__\":null,\"__metadata__\":{}}", 0));
        Hostile.assertRefused(() -> open(twice), "got a second");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("brokenHeaders")
    void aBrokenHeaderIsRefused(String cause, String header, int dataBytes, List<String> parts) throws IOException {
        Path file = write(Hostile.file(header, dataBytes));
        Hostile.assertRefused(() -> open(file), file);
        Hostile.assertRefused(() -> open(file), parts.toArray());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("brokenEntries")
    void aBrokenEntryIsRefused(String cause, String entry, int dataBytes, List<String> parts) throws IOException {
        Path file = write(Hostile.file("{" + entry + "}", dataBytes));
        Hostile.assertRefused(() -> open(file), file, "tensor \"a\"");
        Hostile.assertRefused(() -> open(file), parts.toArray());
    }

    @Test
    void aLengthBeyondTheFileIsRefused() throws IOException {
        Path file = write(Hostile.file(3, "{}".getBytes(StandardCharsets.UTF_8), 0));
        Hostile.assertRefused(() -> open(file), file, "byte 0", "header of 3 bytes", "got 2");
    }

    @Test
    void aLengthBeyondTheLimitIsRefused() throws IOException {
        Path file = write(Hostile.file(100_000_001, "{}".getBytes(StandardCharsets.UTF_8), 0));
        Hostile.assertRefused(() -> open(file), file, "byte 0", "at most 100000000", "100000001");
    }

    @Test
    void aLengthBeyondSignedNumbersIsRefused() throws IOException {
        Path file = write(Hostile.file(-1, "{}".getBytes(StandardCharsets.UTF_8), 0));
        Hostile.assertRefused(() -> open(file), "byte 0", "got a length of 18446744073709551615");
    }

    @Test
    void aFileShorterThanTheLengthIsRefused() throws IOException {
        Path file = write(new byte[7]);
        Hostile.assertRefused(() -> open(file), file, "byte 0", "8 bytes", "got 7");
    }

    @Test
    void brokenUtf8IsRefused() throws IOException {
        byte[] header = "{\"a?\":{}}".getBytes(StandardCharsets.UTF_8);
        header[3] = (byte) 0xFF;
        Path file = write(Hostile.file(header.length, header, 0));
        Hostile.assertRefused(() -> open(file), file, "byte 11", "UTF-8", "0xff");
    }

    @Test
    void aGitLfsPointerIsNamedAsSuch() throws IOException {
        Path file = Hostile.write(
                directory, "m.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n");
        Hostile.assertRefused(() -> open(file), file, "Git LFS pointer", "not downloaded");
    }

    @Test
    void anEmptyFileIsRefused() throws IOException {
        Path file = write(new byte[0]);
        Hostile.assertRefused(() -> open(file), file, "a safetensors file", "an empty file");
    }

    @Test
    void aDirectoryIsRefused() {
        Hostile.assertRefused(() -> open(directory), directory, "a safetensors file", "got a directory");
    }

    @Test
    void aMissingFileIsRefused() {
        Path file = directory.resolve("none.safetensors");
        Hostile.assertRefused(() -> open(file), file, "found nothing there");
    }

    @Test
    void aLinkToNowhereIsRefused() throws IOException {
        assumeTrue(isPosix(), "needs a POSIX file system for symbolic links");
        Path link = Files.createSymbolicLink(directory.resolve("m.safetensors"), Path.of("blobs", "gone"));
        Hostile.assertRefused(() -> open(link), link, "symbolic link", "gone", "missing");
    }

    @Test
    void anUnreadableFileIsRefused() throws IOException {
        assumeTrue(isPosix(), "needs a POSIX file system for permissions");
        Path file = write(Hostile.file("{}", 0));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("---------"));
        assumeFalse(Files.isReadable(file), "needs a user who is not allowed to read everything");
        Hostile.assertRefused(() -> open(file), file, "permission denied");
    }

    private static boolean isPosix() {
        return FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
    }

    @Test
    void offsetsBeyondTwoGibibytesAreReadWithoutTouchingTheRest() throws IOException {
        long large = 5L << 30;
        String header = "{" + entry("large", "U8", "[5," + (1 << 30) + "]", "[0," + large + "]") + ","
                + entry("last", "F32", "[1]", "[" + large + "," + (large + 4) + "]") + "}";
        Path file = directory.resolve("sparse.safetensors");
        byte[] start = Hostile.file(header, 0);
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE_NEW, StandardOpenOption.SPARSE, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(start));
            ByteBuffer last =
                    ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(0, 7.5f);
            channel.write(last, start.length + large);
        }
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile opened = SafetensorsFile.open(file, arena);
            assertEquals(7.5f, opened.tensors().get("last").data().get(LittleEndian.F32, 0));
            assertEquals(large, opened.tensors().get("large").data().byteSize());
        }
    }

    @Test
    void aManyTensorHeaderIsReadInFull() throws IOException {
        StringBuilder header = new StringBuilder("{");
        int count = 20_000;
        for (int i = 0; i < count; i++) {
            header.append(i == 0 ? "" : ",")
                    .append(entry("layer." + i + ".weight", "U8", "[1]", "[" + i + "," + (i + 1) + "]"));
        }
        assertEquals(
                count,
                open(write(Hostile.file(header.append('}').toString(), count)))
                        .tensors()
                        .size());
    }

    @Test
    void moreTensorsThanTheLimitAreRefused() throws IOException {
        StringBuilder header = new StringBuilder("{");
        for (int i = 0; i <= SafetensorsHeader.MAX_TENSORS; i++) {
            header.append(i == 0 ? "" : ",").append(entry("" + i, "U8", "[0]", "[0,0]"));
        }
        Path file = write(Hostile.file(header.append('}').toString(), 0));
        Hostile.assertRefused(() -> open(file), file, "byte", "at most 250000 tensors");
    }

    @Test
    void moreMetadataThanTheLimitAreRefused() throws IOException {
        StringBuilder header = new StringBuilder("{\"__metadata__\":{");
        for (int i = 0; i <= SafetensorsHeader.MAX_METADATA; i++) {
            header.append(i == 0 ? "\"" : ",\"").append(i).append("\":\"\"");
        }
        Path file = write(Hostile.file(header.append("}}").toString(), 0));
        Hostile.assertRefused(() -> open(file), file, "byte", "at most 100000 strings");
    }

    @Test
    void anEndlessUnknownValueIsRefused() throws IOException {
        Path file = write(Hostile.file("{\"a\":{\"later\":[0" + ",0".repeat(6_000_000) + "]}}", 0));
        Hostile.assertRefused(() -> open(file), file, "byte", "Token count");
    }

    @Test
    void tensorsEndWithTheirArena() throws IOException {
        Path file = write(Hostile.file("{" + entry("a", "U8", "[1]", "[0,1]") + "}", 1));
        WeightTensor tensor = open(file).tensors().get("a");
        assertThrows(IllegalStateException.class, () -> tensor.data().toArray(ValueLayout.JAVA_BYTE));
    }
}
