package io.github.sgpt4j.weightstools.torch;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.weightstools.pickle.PickleInput;
import io.github.sgpt4j.weightstools.pickle.PickleReader;
import io.github.sgpt4j.weightstools.pickle.PickleValue;
import io.github.sgpt4j.weightstools.pickle.StorageResolver;
import io.github.sgpt4j.weightstools.pickle.StorageView;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/// The format before PyTorch 1.6: five pickles (magic number, protocol version, facts about the
/// machine, the object, the keys of the storages), then for every key the number of elements in eight
/// bytes, and the elements.
final class LegacyForm {
    private static final BigInteger MAGIC = new BigInteger("1950a86a20f9469cfc6c", 16);
    private static final long PROTOCOL = 1001;

    private final Path path;
    private final MemorySegment bytes;
    private final Map<String, Declared> declared = new HashMap<>();
    private final Map<String, MemorySegment> storages = new HashMap<>();

    /// What the pickle declares about a storage.
    private record Declared(int elementBytes, long bytes) {}

    private LegacyForm(Path path, MemorySegment bytes) {
        this.path = path;
        this.bytes = bytes;
    }

    static TorchFile.Content read(Path path, MemorySegment bytes) {
        LegacyForm form = new LegacyForm(path, bytes);
        PickleInput input = new PickleInput(path.toString(), bytes, 0);
        form.readMagic(input);
        form.readMachine(input);
        PickleValue root = PickleReader.read(input, form::resolve);
        form.readStorages(input, PickleReader.read(input, LegacyForm::refuse));
        return new TorchFile.Content(root, form.new InPlace());
    }

    private static StorageView refuse(StorageResolver.Request request, PickleInput input) {
        throw input.bad("expected no storage in this pickle, got %s".formatted(Quoted.of(request.key())));
    }

    private void readMagic(PickleInput input) {
        PickleValue magic;
        try {
            magic = PickleReader.read(input, LegacyForm::refuse);
        } catch (FormatException e) {
            throw new FormatException(
                    "%s: expected a file that torch.save wrote, got something else (%s)"
                            .formatted(path, e.getMessage()),
                    e);
        }
        if (!(magic instanceof PickleValue.Wide(BigInteger wide)) || !wide.equals(MAGIC)) {
            throw new FormatException(
                    "%s: byte 0: expected PyTorch's magic number, got %s".formatted(path, magic.kind()));
        }
        long at = input.position();
        PickleValue version = PickleReader.read(input, LegacyForm::refuse);
        if (!(version instanceof PickleValue.Whole(long number)) || number != PROTOCOL) {
            throw new FormatException(
                    "%s: byte %d: expected protocol version %d, got another".formatted(path, at, PROTOCOL));
        }
    }

    private void readMachine(PickleInput input) {
        long at = input.position();
        PickleValue machine = PickleReader.read(input, LegacyForm::refuse);
        if (machine instanceof PickleValue.Dictionary facts
                && facts.entries().get(new PickleValue.Text("little_endian")) == PickleValue.Constant.FALSE) {
            throw new FormatException(
                    "%s: byte %d: expected little-endian numbers, got big-endian ones".formatted(path, at));
        }
    }

    private StorageView resolve(StorageResolver.Request request, PickleInput input) {
        Declared wanted = new Declared(request.type().elementBytes(), request.bytes());
        if (request.bytes() > bytes.byteSize()) {
            throw input.bad("storage %s: expected at most the file's %d bytes, got %d"
                    .formatted(Quoted.of(request.key()), bytes.byteSize(), request.bytes()));
        }
        Declared known = declared.putIfAbsent(request.key(), wanted);
        if (known != null && !known.equals(wanted)) {
            throw input.bad("storage %s: expected %d bytes as before, got %d"
                    .formatted(Quoted.of(request.key()), known.bytes(), wanted.bytes()));
        }
        StorageResolver.Part part = request.part().orElse(new StorageResolver.Part(0, request.bytes()));
        if (part.offset() > request.bytes() || part.bytes() > request.bytes() - part.offset()) {
            throw input.bad("storage %s: expected a part of its %d bytes, got %d at %d"
                    .formatted(Quoted.of(request.key()), request.bytes(), part.bytes(), part.offset()));
        }
        return new StorageView(request.key(), request.type().type(), part.offset(), part.bytes());
    }

    private void readStorages(PickleInput input, PickleValue keys) {
        if (!(keys instanceof PickleValue.Sequence list)) {
            throw new FormatException("%s: byte %d: expected a list of storages before this byte, got %s"
                    .formatted(path, input.position(), keys.kind()));
        }
        for (PickleValue key : list.items()) {
            long at = input.position();
            if (!(key instanceof PickleValue.Text(String name)) || !declared.containsKey(name)) {
                throw new FormatException(
                        "%s: byte %d: expected storages that tensors use, got another".formatted(path, at));
            }
            Declared storage = declared.get(name);
            if (input.remaining() < Long.BYTES) {
                throw cut(name, at, Long.BYTES);
            }
            long elements = input.i64();
            if (elements != storage.bytes() / storage.elementBytes()) {
                throw new FormatException("%s: byte %d: storage %s: expected %d elements, got %s"
                        .formatted(
                                path,
                                at,
                                Quoted.of(name),
                                storage.bytes() / storage.elementBytes(),
                                Long.toUnsignedString(elements)));
            }
            if (input.remaining() < storage.bytes()) {
                throw cut(name, input.position(), storage.bytes());
            }
            MemorySegment data = bytes.asSlice(input.take(storage.bytes()), storage.bytes());
            if (storages.put(name, data) != null) {
                throw new FormatException(
                        "%s: byte %d: expected storage %s once, got it twice".formatted(path, at, Quoted.of(name)));
            }
        }
        if (storages.size() != declared.size()) {
            throw new FormatException("%s: expected all %d storages that tensors use, got %d"
                    .formatted(path, declared.size(), storages.size()));
        }
    }

    private FormatException cut(String name, long at, long length) {
        return new FormatException("%s: byte %d: storage %s: expected %d more bytes, got the end after %d"
                .formatted(path, at, Quoted.of(name), length, bytes.byteSize() - at));
    }

    private final class InPlace implements TorchFile.Storages {
        @Override
        public MemorySegment bytes(String key) {
            MemorySegment data = storages.get(key);
            if (data == null) {
                throw new IllegalArgumentException("no storage " + key);
            }
            return data;
        }

        @Override
        public void close() {}
    }
}
