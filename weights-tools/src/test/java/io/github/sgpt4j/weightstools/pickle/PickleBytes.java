package io.github.sgpt4j.weightstools.pickle;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// Writes pickles opcode by opcode.
public final class PickleBytes {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /// Opcodes without arguments, or any bytes, given as characters.
    public PickleBytes raw(String latin1) {
        out.writeBytes(latin1.getBytes(StandardCharsets.ISO_8859_1));
        return this;
    }

    public PickleBytes op(int... bytes) {
        for (int b : bytes) {
            out.write(b);
        }
        return this;
    }

    public PickleBytes proto(int version) {
        return op(0x80, version);
    }

    public PickleBytes global(String module, String name) {
        return raw("c" + module + "\n" + name + "\n");
    }

    public PickleBytes text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        op('X').i32(bytes.length);
        out.writeBytes(bytes);
        return this;
    }

    public PickleBytes whole(long value) {
        op(0x8a, 8);
        return i64(value);
    }

    public PickleBytes i32(int value) {
        out.writeBytes(ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array());
        return this;
    }

    public PickleBytes i64(long value) {
        out.writeBytes(ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array());
        return this;
    }

    public PickleBytes add(PickleBytes other) {
        out.writeBytes(other.toByteArray());
        return this;
    }

    /// `('storage', torch.NAME, key, 'cpu', elements)` as persistent id.
    public PickleBytes storage(String name, String key, long elements) {
        return raw("(").text("storage")
                .global("torch", name)
                .text(key)
                .text("cpu")
                .whole(elements)
                .raw("tQ");
    }

    public PickleBytes tuple(long... values) {
        raw("(");
        for (long value : values) {
            whole(value);
        }
        return raw("t");
    }

    /// A tensor as PyTorch writes it, of its own storage or of a shared one.
    public PickleBytes tensor(String type, String key, long elements, long offset, long[] shape, long[] strides) {
        return global("torch._utils", "_rebuild_tensor_v2")
                .raw("(")
                .storage(type, key, elements)
                .whole(offset)
                .tuple(shape)
                .tuple(strides)
                .op(0x89)
                .global("collections", "OrderedDict")
                .raw(")RtR");
    }

    public byte[] toByteArray() {
        return out.toByteArray();
    }
}
