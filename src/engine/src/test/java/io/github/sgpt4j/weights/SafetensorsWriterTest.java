package io.github.sgpt4j.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
    @TempDir
    Path directory;

    private Path file() {
        return directory.resolve("m.safetensors");
    }

    private static byte[] bytes(WeightTensor tensor) {
        return tensor.data().toArray(ValueLayout.JAVA_BYTE);
    }

    @Test
    void whatIsWrittenIsReadBack() throws IOException {
        long seed = Long.getLong("sgpt4j.test.seed", System.nanoTime());
        Random random = new Random(seed);
        for (int round = 0; round < 100; round++) {
            Map<String, WeightTensor> tensors = randomTensors(random);
            SafetensorsWriter writer = new SafetensorsWriter().metadata("seed", "" + seed);
            tensors.values().forEach(writer::add);
            writer.write(file());
            try (Arena arena = Arena.ofConfined()) {
                SafetensorsFile read = SafetensorsFile.open(file(), arena);
                assertEquals(Map.of("format", "pt", "seed", "" + seed), read.metadata());
                assertEquals(tensors.keySet(), new TreeMap<>(read.tensors()).keySet(), "seed " + seed);
                for (WeightTensor tensor : tensors.values()) {
                    WeightTensor back = read.tensors().get(tensor.name());
                    assertEquals(tensor.dtype(), back.dtype(), "seed " + seed);
                    assertEquals(tensor.shape(), back.shape(), "seed " + seed);
                    assertArrayEquals(bytes(tensor), bytes(back), "seed " + seed);
                    assertEquals(
                            0,
                            back.data().address()
                                    % (isPacked(tensor.dtype())
                                            ? 1
                                            : tensor.dtype().bytes()),
                            "aligned to its elements");
                }
            }
        }
    }

    private static boolean isPacked(ElementType dtype) {
        return dtype == ElementType.F4 || dtype == ElementType.F6_E2M3 || dtype == ElementType.F6_E3M2;
    }

    private static Map<String, WeightTensor> randomTensors(Random random) {
        Map<String, WeightTensor> tensors = new TreeMap<>();
        int count = random.nextInt(12);
        for (int i = 0; i < count; i++) {
            String name = randomName(random);
            ElementType dtype = ElementType.values()[random.nextInt(ElementType.values().length)];
            long[] dimensions = random.longs(random.nextInt(5), 0, 6).toArray();
            Shape shape = isPacked(dtype) ? Shape.of(random.nextInt(6), 4) : Shape.of(dimensions);
            byte[] data = new byte[Math.toIntExact(dtype.bytes(shape.elements()))];
            random.nextBytes(data);
            tensors.put(name, new WeightTensor(name, "memory", dtype, shape, MemorySegment.ofArray(data)));
        }
        return tensors;
    }

    private static String randomName(Random random) {
        StringBuilder name = new StringBuilder();
        int length = random.nextInt(20);
        for (int i = 0; i < length; i++) {
            int codePoint = random.nextInt(4) > 0 ? random.nextInt(128) : random.nextInt(Character.MAX_CODE_POINT);
            if (codePoint < Character.MIN_SURROGATE || codePoint > Character.MAX_SURROGATE) {
                name.appendCodePoint(codePoint);
            }
        }
        return name.toString();
    }

    @Test
    void theBytesAreThoseOfTheFormat() throws IOException {
        new SafetensorsWriter()
                .add("z", Shape.of(1), 1f)
                .add("b", ElementType.U8, Shape.of(1), MemorySegment.ofArray(new byte[] {5}))
                .add("a", ElementType.F64, Shape.of(), MemorySegment.ofArray(new byte[8]))
                .write(file());
        String json = "{\"__metadata__\":{\"format\":\"pt\"},"
                + "\"a\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]},"
                + "\"z\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]},"
                + "\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[12,13]}}";
        int padding = (8 - json.length() % 8) % 8;
        byte[] header = (json + " ".repeat(padding)).getBytes(StandardCharsets.UTF_8);
        byte[] expected = Hostile.file(header.length, header, 13);
        System.arraycopy(new byte[] {0, 0, (byte) 0x80, 0x3F, 5}, 0, expected, expected.length - 5, 5);
        assertArrayEquals(expected, Files.readAllBytes(file()));
    }

    @Test
    void aFailureLeavesWhatWasThere() throws IOException {
        Files.writeString(file(), "before");
        SafetensorsWriter few = new SafetensorsWriter().add("t", ElementType.U8, Shape.of(3), out -> out.write(1));
        assertEquals(
                "tensor \"t\": expected 3 bytes, got 1",
                assertThrows(IOException.class, () -> few.write(file())).getMessage());
        SafetensorsWriter many =
                new SafetensorsWriter().add("t", ElementType.U8, Shape.of(3), out -> out.write(new byte[4]));
        assertThrows(IOException.class, () -> many.write(file()));
        assertEquals("before", Files.readString(file()));
        try (Stream<Path> files = Files.list(directory)) {
            assertEquals(List.of(file()), files.toList());
        }
    }

    @Test
    void aSourceCannotCloseTheFile() throws IOException {
        new SafetensorsWriter()
                .add("a", ElementType.U8, Shape.of(1), out -> {
                    out.write(1);
                    out.close();
                })
                .add("b", ElementType.U8, Shape.of(1), out -> out.write(2))
                .write(file());
        try (Weights weights = Weights.openFile(file())) {
            assertArrayEquals(new byte[] {2}, bytes(weights.get("b")));
        }
    }

    @Test
    void badTensorsAreRefused() {
        SafetensorsWriter writer = new SafetensorsWriter().add("t", Shape.of(1), 1);
        assertThrows(IllegalArgumentException.class, () -> writer.add("t", Shape.of(1), 1));
        assertThrows(IllegalArgumentException.class, () -> writer.add("__metadata__", Shape.of(1), 1));
        assertThrows(IllegalArgumentException.class, () -> writer.add("u", Shape.of(2), 1));
    }
}
