package io.github.sgpt4j.checkpoint;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.json.Unreadable;
import io.github.sgpt4j.model.AdaptedModel;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeSet;

/// A short string that differs if results may differ: part of the SHA-256 hash of everything that they
/// depend on.
///
/// Small tensors (biases, norms) are hashed whole; of large ones, [#SAMPLES] blocks spread from start
/// to end, so that a checkpoint of many gigabytes takes a fraction of a second. A change in a large
/// tensor outside these blocks goes unnoticed; training changes all of them.
public final class Fingerprint {
    private static final int SAMPLES = 16;
    private static final int BLOCK_BYTES = 4096;
    private static final int WHOLE_BYTES = SAMPLES * BLOCK_BYTES;
    private static final int DIGITS = 32;

    /// Files that determine how texts become ids and hidden states become embeddings; most checkpoints
    /// lack some.
    private static final List<String> FILES = List.of(
            "config.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "added_tokens.json",
            "vocab.json",
            "merges.txt",
            "sentence_bert_config.json");

    private final MessageDigest digest;

    public Fingerprint() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /// The fingerprint of a checkpoint: configuration, tokenizer, weights.
    ///
    /// @param cancellation of the call, checked before each tensor
    public static String ofCheckpoint(AdaptedModel files, Weights weights, Cancellation cancellation) {
        Fingerprint fingerprint = new Fingerprint();
        for (String name : FILES) {
            Path own = files.folder().resolve(name);
            fingerprint.addFile(Files.exists(own) ? own : files.base().resolve(name), name);
        }
        for (String name : new TreeSet<>(weights.names())) {
            cancellation.check();
            WeightTensor tensor = weights.get(name);
            fingerprint
                    .add(name)
                    .add(tensor.dtype().name())
                    .add(tensor.shape().toString())
                    .addSampled(tensor.data());
        }
        return fingerprint.hex();
    }

    public Fingerprint add(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        addLength(bytes.length);
        digest.update(bytes);
        return this;
    }

    public Fingerprint add(int[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(values.length, Integer.BYTES));
        bytes.asIntBuffer().put(values);
        addLength(values.length);
        digest.update(bytes);
        return this;
    }

    /// Adds a module: its configuration and weights.
    public Fingerprint addModule(Path folder) {
        addFile(folder.resolve("config.json"), "config.json");
        try (Weights weights = Weights.open(folder)) {
            return weights.mapped().reading(() -> {
                weights.files().forEach(this::addSampled);
                return this;
            });
        }
    }

    private void addSampled(Path weights) {
        try (FileChannel channel = FileChannel.open(weights)) {
            addLength(channel.size());
            sample(channel.size(), (offset, length) -> {
                ByteBuffer block = ByteBuffer.allocate(length);
                while (block.hasRemaining() && channel.read(block, offset + block.position()) >= 0) {
                    // Until the block is full.
                }
                digest.update(block.flip());
            });
        } catch (IOException e) {
            throw Unreadable.of(weights, e);
        }
    }

    private void addFile(Path file, String name) {
        if (!Files.exists(file)) {
            return;
        }
        try {
            byte[] bytes = Files.readAllBytes(file);
            add(name).addLength(bytes.length);
            digest.update(bytes);
        } catch (IOException e) {
            throw Unreadable.of(file, e);
        }
    }

    private void addSampled(MemorySegment data) {
        addLength(data.byteSize());
        try {
            sample(
                    data.byteSize(),
                    (offset, length) ->
                            digest.update(data.asSlice(offset, length).asByteBuffer()));
        } catch (IOException e) {
            throw new IllegalStateException("writing to memory cannot fail", e);
        }
    }

    /// Consumer of a range of bytes.
    private interface Block {
        void add(long offset, int length) throws IOException;
    }

    private static void sample(long size, Block block) throws IOException {
        if (size <= WHOLE_BYTES) {
            block.add(0, (int) size);
            return;
        }
        for (int i = 0; i < SAMPLES; i++) {
            block.add((size - BLOCK_BYTES) * i / (SAMPLES - 1), BLOCK_BYTES);
        }
    }

    private void addLength(long length) {
        digest.update(ByteBuffer.allocate(Long.BYTES).putLong(0, length));
    }

    /// 32 hexadecimal digits; nothing can be added afterwards.
    public String hex() {
        return HexFormat.of().formatHex(digest.digest()).substring(0, DIGITS);
    }
}
