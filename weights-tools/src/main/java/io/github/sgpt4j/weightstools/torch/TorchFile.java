package io.github.sgpt4j.weightstools.torch;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.tensor.LittleEndian;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.weights.MappedFile;
import io.github.sgpt4j.weights.MappedFiles;
import io.github.sgpt4j.weightstools.pickle.PickleValue;
import io.github.sgpt4j.weightstools.pickle.StorageView;
import io.github.sgpt4j.weightstools.pickle.TensorView;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/// A file written by `torch.save`: a dictionary of named tensors, in mapped memory. The pickle in it is
/// interpreted as data; see [io.github.sgpt4j.weightstools.pickle.PickleReader].
///
/// The first bytes tell the format: a zip archive (PyTorch 1.6 and later), or pickles followed by
/// storages.
///
/// Not thread-safe: one thread opens, reads and closes it.
public final class TorchFile implements AutoCloseable {
    private static final String KIND = "a file that torch.save wrote";
    private static final int ZIP_LOCAL_HEADER = 0x04034b50;

    /// Bytes that all tensors may have in total, by the length of the file: `MAX_TIMES · length +
    /// MAX_MORE`. Views that overlap or repeat an element can claim any size.
    private static final long MAX_TIMES = 8;

    private static final long MAX_MORE = 16L << 20;

    private final Path path;
    private final Arena arena;
    private final MappedFile mapped;
    private final FileChannel channel;
    private final Storages storages;
    private final Map<String, TensorView> tensors;

    private TorchFile(
            Path path,
            Arena arena,
            MappedFile mapped,
            FileChannel channel,
            Storages storages,
            Map<String, TensorView> tensors) {
        this.path = path;
        this.arena = arena;
        this.mapped = mapped;
        this.channel = channel;
        this.storages = storages;
        this.tensors = tensors;
    }

    /// The storages of a file, each readable as little-endian bytes.
    interface Storages extends AutoCloseable {
        /// All bytes of a storage mentioned by the pickle.
        MemorySegment bytes(String key) throws IOException;

        @Override
        void close() throws IOException;
    }

    /// The content of a file in either format.
    record Content(PickleValue root, Storages storages) {}

    /// Opens a file and reads its pickles; weights are mapped, not read.
    ///
    /// @param scratch folder for compressed storages: they are decompressed there when requested
    /// @throws FormatException if anything in the file is wrong or not allowed, or the file changes
    /// @throws IOException if the file cannot be opened
    public static TorchFile open(Path path, Path scratch) throws IOException {
        Arena arena = Arena.ofShared();
        boolean opened = false;
        try {
            MappedFile mapped = MappedFile.map(path, KIND, arena);
            MemorySegment bytes = mapped.bytes();
            Content content = new MappedFiles(List.of(mapped)).reading(() -> {
                boolean zip = bytes.byteSize() >= Integer.BYTES && bytes.get(LittleEndian.I32, 0) == ZIP_LOCAL_HEADER;
                return zip ? ZipForm.read(path, bytes, scratch, arena) : LegacyForm.read(path, bytes);
            });
            Map<String, TensorView> tensors = tensors(path, content.root(), bytes.byteSize());
            FileChannel channel = open(mapped);
            TorchFile file = new TorchFile(path, arena, mapped, channel, content.storages(), tensors);
            opened = true;
            return file;
        } finally {
            if (!opened) {
                arena.close();
            }
        }
    }

    private static FileChannel open(MappedFile mapped) throws IOException {
        FileChannel channel = FileChannel.open(mapped.path());
        try {
            mapped.requireInPlace();
            return channel;
        } catch (FormatException e) {
            channel.close();
            throw e;
        }
    }

    private static Map<String, TensorView> tensors(Path path, PickleValue root, long length) {
        if (!(root instanceof PickleValue.Dictionary dictionary)) {
            throw new FormatException("%s: expected a dictionary of tensors, got %s".formatted(path, root.kind()));
        }
        Map<String, TensorView> tensors = new LinkedHashMap<>();
        long left = length > (Long.MAX_VALUE - MAX_MORE) / MAX_TIMES ? Long.MAX_VALUE : MAX_TIMES * length + MAX_MORE;
        for (Map.Entry<PickleValue.Key, PickleValue> entry :
                dictionary.entries().entrySet()) {
            if (!(entry.getKey() instanceof PickleValue.Text(String name))) {
                throw new FormatException("%s: expected names of tensors, got %s"
                        .formatted(path, entry.getKey().kind()));
            }
            if (!(entry.getValue() instanceof PickleValue.Tensor(TensorView view))) {
                throw new FormatException("%s: expected a tensor as %s, got %s"
                        .formatted(path, Quoted.of(name), entry.getValue().kind()));
            }
            if (view.bytes() > left) {
                throw new FormatException("%s: tensor %s: expected tensors of at most %d times the file's %d bytes,"
                                .formatted(path, Quoted.of(name), MAX_TIMES, length)
                        + " got more with this one");
            }
            left -= view.bytes();
            tensors.put(name, view);
        }
        if (tensors.isEmpty()) {
            throw new FormatException("%s: expected a dictionary of tensors, got an empty one".formatted(path));
        }
        return Collections.unmodifiableMap(tensors);
    }

    public Path path() {
        return path;
    }

    /// The mapped file, for readers of [#bytes].
    public MappedFile mapped() {
        return mapped;
    }

    /// All tensors by name, in the order of the file.
    public Map<String, TensorView> tensors() {
        return tensors;
    }

    /// The bytes of a storage, from its own first to its last. Valid until this file is closed.
    ///
    /// @throws IOException if decompressing fails
    public MemorySegment bytes(StorageView storage) throws IOException {
        return storages.bytes(storage.key()).asSlice(storage.offset(), storage.bytes());
    }

    /// The position of some of a storage's bytes in the file; empty if they were decompressed
    /// elsewhere.
    ///
    /// @param data part of a result of [#bytes]
    public OptionalLong position(MemorySegment data) {
        MemorySegment whole = mapped.bytes();
        return whole.asOverlappingSlice(data).isPresent()
                ? OptionalLong.of(data.address() - whole.address())
                : OptionalLong.empty();
    }

    /// The file, open for reading; owned by this object.
    public FileChannel channel() {
        return channel;
    }

    @Override
    public void close() throws IOException {
        arena.close();
        try {
            storages.close();
        } finally {
            channel.close();
        }
    }
}
