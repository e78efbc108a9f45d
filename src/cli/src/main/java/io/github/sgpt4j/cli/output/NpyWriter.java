package io.github.sgpt4j.cli.output;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Writes a matrix as NumPy's `.npy`, version 1.0: float32 (little-endian), int8 or uint8, C order, shape
/// `(rows, columns)`.
/// Source: NEP 1, "A Simple File Format for NumPy Arrays".
public final class NpyWriter {
    /// Bytes before the numbers: a multiple of 64, with room for any shape.
    public static final int HEADER_BYTES = 128;

    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};

    private final Output output;
    private final String type;
    private final int columns;
    private final byte[] row;
    private long rows;

    private NpyWriter(Output output, String type, int columns, int bytes) throws IOException {
        this.output = output;
        this.type = type;
        this.columns = columns;
        row = new byte[Math.multiplyExact(columns, bytes)];
        output.stream().write(header(0));
    }

    /// For rows of floats.
    ///
    /// @param output must be patchable
    public static NpyWriter ofFloats(Output output, int columns) throws IOException {
        return new NpyWriter(output, "<f4", columns, Float.BYTES);
    }

    /// For rows of bytes.
    ///
    /// @param output must be patchable
    /// @param unsigned whether they are 0 to 255
    public static NpyWriter ofBytes(Output output, int columns, boolean unsigned) throws IOException {
        return new NpyWriter(output, unsigned ? "|u1" : "|i1", columns, Byte.BYTES);
    }

    /// Writes a row of bytes.
    public void row(byte[] values) throws IOException {
        if (values.length != row.length) {
            throw new IllegalArgumentException("expected %d bytes, got %d".formatted(row.length, values.length));
        }
        output.stream().write(values);
        rows++;
    }

    /// Writes a row of floats.
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
        output.patch(header(rows));
    }

    private byte[] header(long count) {
        String shape = "{'descr': '%s', 'fortran_order': False, 'shape': (%d, %d), }".formatted(type, count, columns);
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        Arrays.fill(header.array(), (byte) ' ');
        header.put(MAGIC);
        header.putShort((short) (HEADER_BYTES - MAGIC.length - Short.BYTES));
        header.put(shape.getBytes(StandardCharsets.US_ASCII));
        header.put(HEADER_BYTES - 1, (byte) '\n');
        return header.array();
    }
}
