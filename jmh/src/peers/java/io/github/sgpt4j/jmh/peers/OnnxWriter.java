package io.github.sgpt4j.jmh.peers;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// Writes an ONNX model: `model.onnx`, a protocol buffer, and `weights.bin` beside it, which it refers to.
///
/// Field numbers are from `onnx.proto` of ONNX 1.16.
final class OnnxWriter implements AutoCloseable {
    static final int FLOAT = 1;
    static final int INT64 = 7;

    private static final String WEIGHTS = "weights.bin";
    private static final long IR_VERSION = 10;
    private static final long OPSET = 20;
    private static final int CHUNK = 1 << 16;

    private final Path directory;
    private final OutputStream weights;
    private final Message graph = new Message();
    private long offset;
    private int names;

    /// A protocol buffer under construction.
    private static final class Message {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        private void varint(long value) {
            long rest = value;
            while ((rest & ~0x7FL) != 0) {
                bytes.write((int) (rest & 0x7F | 0x80));
                rest >>>= 7;
            }
            bytes.write((int) rest);
        }

        Message integer(int field, long value) {
            varint((long) field << 3);
            varint(value);
            return this;
        }

        Message real(int field, float value) {
            varint((long) field << 3 | 5);
            bytes.writeBytes(ByteBuffer.allocate(Float.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putFloat(value)
                    .array());
            return this;
        }

        Message text(int field, String value) {
            return raw(field, value.getBytes(StandardCharsets.UTF_8));
        }

        Message message(int field, Message value) {
            return raw(field, value.bytes.toByteArray());
        }

        private Message raw(int field, byte[] value) {
            varint((long) field << 3 | 2);
            varint(value.length);
            bytes.writeBytes(value);
            return this;
        }
    }

    OnnxWriter(Path directory) throws IOException {
        this.directory = directory;
        Files.createDirectories(directory);
        weights = Files.newOutputStream(directory.resolve(WEIGHTS));
    }

    /// Declares an input of the graph; dimensions are numbers, or names where they vary.
    void input(String name, int type, String... dimensions) {
        graph.message(11, value(name, type, dimensions));
    }

    void output(String name, String... dimensions) {
        graph.message(12, value(name, FLOAT, dimensions));
    }

    private static Message value(String name, int type, String... dimensions) {
        Message shape = new Message();
        for (String dimension : dimensions) {
            shape.message(1, new Message().text(2, dimension));
        }
        Message tensor = new Message().integer(1, type).message(2, shape);
        return new Message().text(1, name).message(2, new Message().message(1, tensor));
    }

    /// Adds weights, row-major.
    ///
    /// @return their name
    String weight(float[] values, long... dimensions) {
        String name = "w" + names++;
        long bytes = (long) values.length * Float.BYTES;
        Message tensor = new Message();
        for (long dimension : dimensions) {
            tensor.integer(1, dimension);
        }
        tensor.integer(2, FLOAT).text(8, name);
        tensor.message(13, new Message().text(1, "location").text(2, WEIGHTS));
        tensor.message(13, new Message().text(1, "offset").text(2, Long.toString(offset)));
        tensor.message(13, new Message().text(1, "length").text(2, Long.toString(bytes)));
        tensor.integer(14, 1);
        graph.message(5, tensor);
        append(values);
        offset += bytes;
        return name;
    }

    private void append(float[] values) {
        ByteBuffer buffer = ByteBuffer.allocate(CHUNK * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        try {
            for (int from = 0; from < values.length; from += CHUNK) {
                int count = Math.min(CHUNK, values.length - from);
                buffer.clear();
                buffer.asFloatBuffer().put(values, from, count);
                weights.write(buffer.array(), 0, count * Float.BYTES);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// A node under construction; [#to] or [#apply] adds it.
    final class Node {
        private final Message node = new Message();

        private Node(String operator, String domain, String... inputs) {
            for (String input : inputs) {
                node.text(1, input);
            }
            node.text(4, operator);
            if (!domain.isEmpty()) {
                node.text(7, domain);
            }
        }

        Node integer(String name, long value) {
            node.message(5, new Message().text(1, name).integer(3, value).integer(20, 2));
            return this;
        }

        Node real(String name, float value) {
            node.message(5, new Message().text(1, name).real(2, value).integer(20, 1));
            return this;
        }

        Node text(String name, String value) {
            node.message(5, new Message().text(1, name).text(4, value).integer(20, 3));
            return this;
        }

        /// Adds the node.
        ///
        /// @return the name of its output
        String apply() {
            return to("t" + names++);
        }

        String to(String output) {
            graph.message(1, node.text(2, output));
            return output;
        }
    }

    Node node(String operator, String... inputs) {
        return new Node(operator, "", inputs);
    }

    /// A node with one of ONNX Runtime's own operators.
    Node microsoftNode(String operator, String... inputs) {
        return new Node(operator, "com.microsoft", inputs);
    }

    /// Writes the model.
    @Override
    public void close() throws IOException {
        weights.close();
        graph.text(2, "decoder");
        Message model = new Message().integer(1, IR_VERSION).text(2, "sgpt4j-jmh");
        model.message(7, graph);
        model.message(8, new Message().text(1, "").integer(2, OPSET));
        model.message(8, new Message().text(1, "com.microsoft").integer(2, 1));
        Files.write(directory.resolve("model.onnx"), model.bytes.toByteArray());
    }
}
