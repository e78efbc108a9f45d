package io.github.sgpt4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.nano.NanoModel;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;

/// A checkpoint with which every computation fails.
final class BrokenModel {
    private BrokenModel() {}

    /// The built-in model with a weight of its last normalization that is not a number.
    static Path in(Path directory) throws IOException {
        Path source = NanoModel.directory();
        try (Stream<Path> files = Files.walk(source)) {
            for (Path file : files.toList()) {
                Path copy = directory.resolve(source.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(copy);
                } else {
                    Files.copy(file, copy);
                }
            }
        }
        Path weights = directory.resolve("model.safetensors");
        weights.toFile().setWritable(true);
        try (RandomAccessFile file = new RandomAccessFile(weights.toFile(), "rw")) {
            byte[] length = new byte[Long.BYTES];
            file.readFully(length);
            int size =
                    (int) ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getLong();
            byte[] header = new byte[size];
            file.readFully(header);
            JsonNode tensors = RunningServer.parsed(new String(header, StandardCharsets.UTF_8));
            Map.Entry<String, JsonNode> norm = tensors.propertyStream()
                    .filter(tensor -> tensor.getKey().endsWith("ln_f.weight"))
                    .findFirst()
                    .orElseThrow();
            assertEquals("F16", norm.getValue().get("dtype").textValue());
            file.seek(Long.BYTES
                    + size
                    + norm.getValue().get("data_offsets").get(0).longValue());
            file.write(new byte[] {0x00, 0x7e});
        }
        return directory;
    }
}
