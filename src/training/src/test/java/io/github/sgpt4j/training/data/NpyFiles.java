package io.github.sgpt4j.training.data;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// Writes `.npy` files as NumPy does, and as it does not.
public final class NpyFiles {
    private NpyFiles() {}

    /// A matrix of 32-bit floats, version 1.
    public static Path write(Path file, float[][] rows) throws IOException {
        ByteBuffer numbers =
                ByteBuffer.allocate(rows.length * rows[0].length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (float[] row : rows) {
            for (float value : row) {
                numbers.putFloat(value);
            }
        }
        String shape = "(%d, %d)".formatted(rows.length, rows[0].length);
        return Files.write(file, bytes(1, header("<f4", "False", shape), numbers.array()));
    }

    static String header(String type, String order, String shape) {
        return "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }".formatted(type, order, shape);
    }

    static byte[] bytes(int version, String header, byte[] numbers) throws IOException {
        byte[] text = (header + "\n").getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', (byte) version, 0});
        ByteBuffer length = ByteBuffer.allocate(version == 1 ? 2 : 4).order(ByteOrder.LITTLE_ENDIAN);
        if (version == 1) {
            length.putShort((short) text.length);
        } else {
            length.putInt(text.length);
        }
        out.write(length.array());
        out.write(text);
        out.write(numbers);
        return out.toByteArray();
    }
}
