package io.github.sgpt4j.cli.output;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Writes a matrix as NumPy's `.npy`, version 1.0: float32, little-endian, C order, shape `(rows, columns)`.
/// Source: NEP 1, "A Simple File Format for NumPy Arrays".
public final class NpyWriter {
    /// Bytes before the numbers: a multiple of 64, with room for any shape.
    public static final int HEADER_BYTES = 128;

    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};

    private final Output output;
    private final int columns;
    private final byte[] row;
    private long rows;

    /// @param output must be patchable
    public NpyWriter(Output output, int columns) throws IOException {
        this.output = output;
        this.columns = columns;
        row = new byte[Math.multiplyExact(columns, Float.BYTES)];
        output.stream().write(header(0, columns));
    }

    /// Writes a row.
    public void row(float[] values) throws IOException {
        if (values.length != columns) {
            throw new IllegalArgumentException("expected %d columns, got %d".formatted(columns, values.length));
        }
        ByteBuffer bytes = ByteBuffer.wrap(row).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            bytes.putFloat(value);
        }
        output.stream().write(row);
        rows++;
    }

    /// Writes the shape; no rows may follow.
    public void finish() throws IOException {
        output.patch(header(rows, columns));
    }

    private static byte[] header(long rows, int columns) {
        String shape = "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }".formatted(rows, columns);
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        Arrays.fill(header.array(), (byte) ' ');
        header.put(MAGIC);
        header.putShort((short) (HEADER_BYTES - MAGIC.length - Short.BYTES));
        header.put(shape.getBytes(StandardCharsets.US_ASCII));
        header.put(HEADER_BYTES - 1, (byte) '\n');
        return header.array();
    }
}
