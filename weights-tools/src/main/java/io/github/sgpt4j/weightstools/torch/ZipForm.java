package io.github.sgpt4j.weightstools.torch;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.weightstools.pickle.PickleInput;
import io.github.sgpt4j.weightstools.pickle.PickleReader;
import io.github.sgpt4j.weightstools.pickle.PickleValue;
import io.github.sgpt4j.weightstools.pickle.StorageResolver;
import io.github.sgpt4j.weightstools.pickle.StorageView;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/// The format since PyTorch 1.6: a zip archive with one folder that contains `data.pkl`, `data/KEY` for
/// every storage, and optionally `byteorder`.
final class ZipForm {
    private static final String PICKLE = "data.pkl";

    /// Longest pickle: 100,000 tensors need about 20 MB.
    private static final long MAX_PICKLE_BYTES = 64L << 20;

    /// Most content that compressed entries may have in total, as a multiple of the file's length:
    /// weights hardly compress.
    private static final long MAX_TIMES = 16;

    private static final long MAX_MORE = 16L << 20;

    private final Path path;
    private final MemorySegment bytes;
    private final Map<String, ZipArchive.Entry> entries;
    private final String root;

    private ZipForm(Path path, MemorySegment bytes) {
        this.path = path;
        this.bytes = bytes;
        this.entries = ZipArchive.read(path, bytes).entries();
        this.root = root();
        requireNoBomb();
    }

    static TorchFile.Content read(Path path, MemorySegment bytes, Path scratch, Arena arena) {
        ZipForm form = new ZipForm(path, bytes);
        form.requireLittleEndian();
        ZipArchive.Entry pickle = form.entry(PICKLE);
        if (pickle.size() > MAX_PICKLE_BYTES) {
            throw form.bad(pickle, "expected at most %d bytes, got %d".formatted(MAX_PICKLE_BYTES, pickle.size()));
        }
        PickleInput input = new PickleInput(path + ": " + pickle.name(), form.content(pickle), 0);
        PickleValue value = PickleReader.read(input, form::resolve);
        return new TorchFile.Content(value, form.new Unpacked(scratch, arena));
    }

    private FormatException bad(ZipArchive.Entry entry, String problem) {
        return new FormatException("%s: entry %s: %s".formatted(path, Quoted.of(entry.name()), problem));
    }

    private FormatException bad(ZipArchive.Entry entry, String problem, Throwable cause) {
        return new FormatException("%s: entry %s: %s".formatted(path, Quoted.of(entry.name()), problem), cause);
    }

    private String root() {
        List<String> found = new ArrayList<>();
        for (String name : entries.keySet()) {
            int slash = name.indexOf('/');
            if (slash > 0 && name.substring(slash + 1).equals(PICKLE)) {
                found.add(name.substring(0, slash + 1));
            }
        }
        if (found.size() != 1) {
            throw new FormatException(
                    "%s: expected one folder with %s in the archive, got %d".formatted(path, PICKLE, found.size()));
        }
        return found.getFirst();
    }

    private ZipArchive.Entry entry(String name) {
        ZipArchive.Entry entry = entries.get(root + name);
        if (entry == null) {
            throw new FormatException(
                    "%s: expected entry %s in the archive, found none".formatted(path, Quoted.of(root + name)));
        }
        return entry;
    }

    private void requireNoBomb() {
        long left = MAX_TIMES * Math.min(bytes.byteSize(), Long.MAX_VALUE / MAX_TIMES - MAX_MORE) + MAX_MORE;
        for (ZipArchive.Entry entry : entries.values()) {
            if (entry.deflated()) {
                if (entry.size() > left) {
                    throw bad(
                            entry,
                            "expected compressed entries of at most %d times the file's %d bytes, got more"
                                    .formatted(MAX_TIMES, bytes.byteSize()));
                }
                left -= entry.size();
            }
        }
    }

    private void requireLittleEndian() {
        ZipArchive.Entry order = entries.get(root + "byteorder");
        if (order == null) {
            return;
        }
        String text = order.size() > Long.BYTES
                ? "a longer text"
                : new String(content(order).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.ISO_8859_1);
        if (!text.equals("little")) {
            throw bad(order, "expected byte order \"little\", got " + Quoted.of(text));
        }
    }

    private StorageView resolve(StorageResolver.Request request, PickleInput input) {
        ZipArchive.Entry entry = entries.get(root + "data/" + request.key());
        if (entry == null) {
            throw input.bad("expected a storage of the archive, got %s".formatted(Quoted.of(request.key())));
        }
        if (entry.size() != request.bytes()) {
            throw input.bad("storage %s: expected %d bytes in the archive, got %d"
                    .formatted(Quoted.of(request.key()), request.bytes(), entry.size()));
        }
        if (request.part().isPresent()) {
            throw input.bad("storage %s: expected a whole storage, got a part".formatted(Quoted.of(request.key())));
        }
        return new StorageView(request.key(), request.type().type(), 0, request.bytes());
    }

    /// The content of a small entry.
    private MemorySegment content(ZipArchive.Entry entry) {
        if (!entry.deflated()) {
            return bytes.asSlice(entry.data(), entry.size());
        }
        byte[] content = new byte[Math.toIntExact(entry.size())];
        int[] filled = new int[1];
        try {
            inflate(entry, (buffer, count) -> {
                System.arraycopy(buffer, 0, content, filled[0], count);
                filled[0] += count;
            });
        } catch (IOException e) {
            throw bad(entry, "cannot be unpacked", e);
        }
        return MemorySegment.ofArray(content);
    }

    @FunctionalInterface
    private interface Sink {
        void accept(byte[] buffer, int count) throws IOException;
    }

    /// Decompresses an entry piece by piece: its size must be exactly that in the directory.
    private void inflate(ZipArchive.Entry entry, Sink sink) throws IOException {
        byte[] buffer = new byte[1 << 16];
        // A copy: native code that reads a mapped file would crash the process if the file were
        // truncated.
        byte[] packed = new byte[1 << 16];
        Inflater inflater = new Inflater(true);
        try {
            long fed = 0;
            long left = entry.size();
            while (!inflater.finished()) {
                if (inflater.needsInput() && fed < entry.packed()) {
                    int length = (int) Math.min(packed.length, entry.packed() - fed);
                    MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, entry.data() + fed, packed, 0, length);
                    inflater.setInput(packed, 0, length);
                    fed += length;
                }
                int count = inflater.inflate(buffer);
                if (count > left || (count == 0 && !inflater.finished() && fed == entry.packed())) {
                    throw bad(
                            entry,
                            "expected %d bytes when unpacked, got %s"
                                    .formatted(entry.size(), count > left ? "more" : "fewer"));
                }
                sink.accept(buffer, count);
                left -= count;
            }
            if (left > 0) {
                throw bad(
                        entry, "expected %d bytes when unpacked, got %d".formatted(entry.size(), entry.size() - left));
            }
        } catch (DataFormatException e) {
            throw bad(entry, "expected deflated bytes, got others: " + e.getMessage(), e);
        } finally {
            inflater.end();
        }
    }

    /// The storages: in place, or decompressed to a temporary file that is then mapped.
    private final class Unpacked implements TorchFile.Storages {
        private final Path scratch;
        private final Arena arena;
        private final Map<String, MemorySegment> unpacked = new HashMap<>();
        private final List<Path> temporary = new ArrayList<>();

        Unpacked(Path scratch, Arena arena) {
            this.scratch = scratch;
            this.arena = arena;
        }

        @Override
        public MemorySegment bytes(String key) throws IOException {
            ZipArchive.Entry entry = entry("data/" + key);
            if (!entry.deflated()) {
                return bytes.asSlice(entry.data(), entry.size());
            }
            MemorySegment known = unpacked.get(key);
            if (known == null) {
                known = unpack(entry);
                unpacked.put(key, known);
            }
            return known;
        }

        private MemorySegment unpack(ZipArchive.Entry entry) throws IOException {
            if (entry.size() == 0) {
                return MemorySegment.NULL;
            }
            Path file = Files.createTempFile(scratch, "unpacked-", ".tmp");
            temporary.add(file);
            try (OutputStream out = Files.newOutputStream(file)) {
                inflate(entry, (buffer, count) -> out.write(buffer, 0, count));
            }
            try (FileChannel channel = FileChannel.open(file)) {
                return channel.map(FileChannel.MapMode.READ_ONLY, 0, entry.size(), arena);
            }
        }

        @Override
        public void close() throws IOException {
            for (Path file : temporary) {
                Files.deleteIfExists(file);
            }
        }
    }
}
