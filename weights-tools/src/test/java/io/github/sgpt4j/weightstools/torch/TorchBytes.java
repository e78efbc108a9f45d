package io.github.sgpt4j.weightstools.torch;

import io.github.sgpt4j.weightstools.pickle.PickleBytes;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/// Writes files as `torch.save` does, and files that it never would write.
public final class TorchBytes {
    private final List<Entry> entries = new ArrayList<>();
    private boolean large;

    /// An entry of a zip archive; tests change its headers.
    public static final class Entry {
        public String name;
        public String localName;
        public byte[] packed;
        public int method;
        public int flags;
        public long packedSize;
        public long size;
        public long header = -1;
        private final long crc;

        Entry(String name, byte[] data, boolean deflate) {
            this.name = name;
            this.localName = name;
            this.packed = deflate ? deflate(data) : data;
            this.method = deflate ? 8 : 0;
            this.packedSize = packed.length;
            this.size = data.length;
            CRC32 sum = new CRC32();
            sum.update(data);
            this.crc = sum.getValue();
        }

        private static byte[] deflate(byte[] data) {
            Deflater deflater = new Deflater(9, true);
            deflater.setInput(data);
            deflater.finish();
            byte[] packed = new byte[data.length + 64];
            int length = deflater.deflate(packed);
            deflater.end();
            return Arrays.copyOf(packed, length);
        }
    }

    public TorchBytes stored(String name, byte[] data) {
        entries.add(new Entry(name, data, false));
        return this;
    }

    public TorchBytes deflated(String name, byte[] data) {
        entries.add(new Entry(name, data, true));
        return this;
    }

    /// Changes the last entry.
    public TorchBytes change(Consumer<Entry> change) {
        change.accept(entries.getLast());
        return this;
    }

    /// Writes all sizes and offsets in 64-bit fields.
    public TorchBytes large() {
        large = true;
        return this;
    }

    public byte[] toByteArray() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream directory = new ByteArrayOutputStream();
        for (Entry entry : entries) {
            long header = entry.header >= 0 ? entry.header : out.size();
            byte[] local = entry.localName.getBytes(StandardCharsets.UTF_8);
            ByteBuffer head = little(30 + local.length);
            head.putInt(0x04034b50)
                    .putShort((short) 20)
                    .putShort((short) entry.flags)
                    .putShort((short) entry.method);
            head.putInt(0)
                    .putInt((int) entry.crc)
                    .putInt((int) entry.packedSize)
                    .putInt((int) entry.size);
            head.putShort((short) local.length).putShort((short) 0).put(local);
            out.writeBytes(head.array());
            out.writeBytes(entry.packed);
            directory.writeBytes(central(entry, header));
        }
        int start = out.size();
        out.writeBytes(directory.toByteArray());
        if (large) {
            int at = out.size();
            ByteBuffer end = little(56 + 20);
            end.putInt(0x06064b50)
                    .putLong(44)
                    .putShort((short) 45)
                    .putShort((short) 45)
                    .putInt(0)
                    .putInt(0);
            end.putLong(entries.size())
                    .putLong(entries.size())
                    .putLong(directory.size())
                    .putLong(start);
            end.putInt(0x07064b50).putInt(0).putLong(at).putInt(1);
            out.writeBytes(end.array());
        }
        ByteBuffer end = little(22);
        end.putInt(0x06054b50).putShort((short) 0).putShort((short) 0);
        end.putShort((short) (large ? -1 : entries.size())).putShort((short) (large ? -1 : entries.size()));
        end.putInt(large ? -1 : directory.size()).putInt(large ? -1 : start).putShort((short) 0);
        out.writeBytes(end.array());
        return out.toByteArray();
    }

    private byte[] central(Entry entry, long header) {
        byte[] name = entry.name.getBytes(StandardCharsets.UTF_8);
        ByteBuffer record = little(46 + name.length + (large ? 28 : 0));
        record.putInt(0x02014b50).putShort((short) 20).putShort((short) 20);
        record.putShort((short) entry.flags)
                .putShort((short) entry.method)
                .putInt(0)
                .putInt((int) entry.crc);
        record.putInt(large ? -1 : (int) entry.packedSize).putInt(large ? -1 : (int) entry.size);
        record.putShort((short) name.length).putShort((short) (large ? 28 : 0)).putShort((short) 0);
        record.putShort((short) 0).putShort((short) 0).putInt(0).putInt(large ? -1 : (int) header);
        record.put(name);
        if (large) {
            record.putShort((short) 1).putShort((short) 24);
            record.putLong(entry.size).putLong(entry.packedSize).putLong(header);
        }
        return record.array();
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /// Little-endian floats.
    public static byte[] floats(float... values) {
        ByteBuffer bytes = little(4 * values.length);
        for (float value : values) {
            bytes.putFloat(value);
        }
        return bytes.array();
    }

    /// A dictionary with what `entries` writes between the marks.
    public static byte[] dictionary(PickleBytes entries) {
        return new PickleBytes().proto(2).raw("}(").add(entries).raw("u.").toByteArray();
    }

    /// `{"a": 2 × 3 floats 0 … 5 of storage 0, "b": its last two}`.
    public static byte[] smallPickle() {
        return dictionary(new PickleBytes()
                .text("a")
                .tensor("FloatStorage", "0", 6, 0, new long[] {2, 3}, new long[] {3, 1})
                .text("b")
                .tensor("FloatStorage", "0", 6, 4, new long[] {2}, new long[] {1}));
    }

    /// The small dictionary, complete.
    public static TorchBytes small() {
        return new TorchBytes()
                .stored("model/data.pkl", smallPickle())
                .stored("model/byteorder", "little".getBytes(StandardCharsets.US_ASCII))
                .stored("model/data/0", floats(0, 1, 2, 3, 4, 5))
                .stored("model/version", "3\n".getBytes(StandardCharsets.US_ASCII));
    }

    /// The start of the format before PyTorch 1.6.
    public static PickleBytes legacyStart() {
        return legacyStart(true);
    }

    public static PickleBytes legacyStart(boolean littleEndian) {
        return new PickleBytes()
                .proto(2)
                .op(0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.')
                .proto(2)
                .op('M', 0xe9, 0x03, '.')
                .proto(2)
                .raw("}(")
                .text("protocol_version")
                .op('M', 0xe9, 0x03)
                .text("little_endian")
                .op(littleEndian ? 0x88 : 0x89)
                .raw("u.");
    }

    /// A storage and the pickle that names it, in the format before PyTorch 1.6.
    public static PickleBytes legacySmall() {
        PickleBytes entries = new PickleBytes()
                .text("a")
                .global("torch._utils", "_rebuild_tensor_v2")
                .raw("((");
        entries.text("storage")
                .global("torch", "FloatStorage")
                .text("0")
                .text("cpu")
                .whole(6)
                .raw("NtQ");
        entries.whole(0).tuple(2, 3).tuple(3, 1).op(0x89).raw("NtR");
        PickleBytes all = legacyStart().raw("}(").add(entries).raw("u.");
        all.proto(2).raw("]").text("0").raw("a.").i64(6);
        for (byte b : floats(0, 1, 2, 3, 4, 5)) {
            all.op(b);
        }
        return all;
    }
}
