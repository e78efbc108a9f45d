package io.github.sgpt4j.weights;

import io.github.sgpt4j.call.Uninterrupted;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.files.FileEntries;
import io.github.sgpt4j.json.Unreadable;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Half;
import io.github.sgpt4j.tensor.LittleEndian;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.text.NearNames;
import io.github.sgpt4j.text.Quoted;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/// The tensors of a checkpoint by name, in mapped memory: `model.safetensors`, or the shards that
/// `model.safetensors.index.json` names (if both exist, the single file is used, as in transformers).
///
/// Opening reads headers only; pages of weights are read when accessed, so files must not change:
/// [#mapped] detects changes. All segments belong to one shared arena, which [#close] closes: any
/// thread may read until then, and none may read while it closes.
///
/// With an index, each listed tensor must be in its stated shard, and no name may occur in two shards.
/// Tensors that the index does not list are ignored.
///
/// Tensors of unknown element types are ignored: [#notices] reports them, and asking for one is an
/// error.
public final class Weights implements AutoCloseable {
    /// Name of a checkpoint's only weight file.
    public static final String SINGLE_FILE = "model.safetensors";

    /// Name of the index of a checkpoint in shards.
    public static final String INDEX_FILE = "model.safetensors.index.json";

    private static final int MAX_LISTED = 8;

    /// How many values [#random] draws; the rest are copies.
    private static final int RANDOM_VALUES = 1 << 16;

    private final Path source;
    private final Arena arena;
    private final AtomicBoolean closed = new AtomicBoolean();
    private final NavigableMap<String, WeightTensor> tensors;
    private final Map<String, String> unknown;
    private final Map<String, String> metadata;
    private final List<Path> files;
    private final MappedFiles mapped;

    /// Owners of some of the tensors, closed with this object.
    private final List<Weights> parts = new ArrayList<>();

    private Weights(
            Path source,
            Arena arena,
            Map<String, WeightTensor> tensors,
            Map<String, String> unknown,
            Map<String, String> metadata,
            List<Path> files,
            MappedFiles mapped) {
        this.source = source;
        this.arena = arena;
        this.tensors = Collections.unmodifiableNavigableMap(new TreeMap<>(tensors));
        this.unknown = Collections.unmodifiableMap(new TreeMap<>(unknown));
        this.metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
        this.files = List.copyOf(files);
        this.mapped = mapped;
    }

    /// Opens the weights of a checkpoint directory.
    ///
    /// @throws FormatException if there are no weights, or a file breaks a rule of its format
    public static Weights open(Path directory) {
        return Uninterrupted.get(() -> openHere(directory));
    }

    private static Weights openHere(Path directory) {
        MappedFile.requireDirectory(directory, "a model directory");
        Path single = directory.resolve(SINGLE_FILE);
        if (FileEntries.exists(single)) {
            return openFileHere(single);
        }
        Path index = directory.resolve(INDEX_FILE);
        if (FileEntries.exists(index)) {
            return openShards(ShardIndex.read(index), directory);
        }
        throw noWeights(directory);
    }

    /// Opens a single safetensors file.
    ///
    /// @throws FormatException if it is missing, or breaks a rule of the format
    public static Weights openFile(Path file) {
        return Uninterrupted.get(() -> openFileHere(file));
    }

    private static Weights openFileHere(Path file) {
        Arena arena = Arena.ofShared();
        boolean opened = false;
        try {
            SafetensorsFile safetensors = SafetensorsFile.open(file, arena);
            Weights weights = new Weights(
                    file,
                    arena,
                    safetensors.tensors(),
                    safetensors.unknown(),
                    safetensors.metadata(),
                    List.of(file),
                    new MappedFiles(List.of(safetensors.mapped())));
            opened = true;
            return weights;
        } finally {
            if (!opened) {
                arena.close();
            }
        }
    }

    /// Stored weights with some tensors replaced.
    ///
    /// @param stored base weights; closed with the result
    /// @param changes creates the replacements in the given memory, which lives as long as the result
    public static Weights overlaid(Weights stored, Function<SegmentAllocator, Map<String, WeightTensor>> changes) {
        return overlaid(stored, List.of(), changes);
    }

    /// Stored weights with some tensors replaced or added.
    ///
    /// @param stored base weights; closed with the result, like `others`
    /// @param others further weights that tensors may come from
    /// @param changes creates the replacements, using the given memory for tensors that are not stored
    public static Weights overlaid(
            Weights stored, Weights others, Function<SegmentAllocator, Map<String, WeightTensor>> changes) {
        return overlaid(stored, List.of(others), changes);
    }

    private static Weights overlaid(
            Weights stored, List<Weights> others, Function<SegmentAllocator, Map<String, WeightTensor>> changes) {
        Arena arena = Arena.ofShared();
        boolean opened = false;
        try {
            List<MappedFiles> all = new ArrayList<>(List.of(stored.mapped));
            others.forEach(other -> all.add(other.mapped));
            MappedFiles mapped = MappedFiles.together(all.toArray(MappedFiles[]::new));
            Map<String, WeightTensor> tensors = new TreeMap<>(stored.tensors);
            tensors.putAll(mapped.reading(() -> changes.apply(arena)));
            Map<String, String> unknown = new TreeMap<>(stored.unknown);
            unknown.keySet().removeAll(tensors.keySet());
            List<Path> files = new ArrayList<>(stored.files);
            others.forEach(other -> files.addAll(other.files));
            Weights weights = new Weights(stored.source, arena, tensors, unknown, stored.metadata, files, mapped);
            weights.parts.add(stored);
            weights.parts.addAll(others);
            opened = true;
            return weights;
        } finally {
            if (!opened) {
                arena.close();
            }
        }
    }

    /// Random tensors without a file, with values between −0.05 and 0.05. All start at the same block
    /// of memory, which has the size of the largest tensor.
    ///
    /// @param source path for messages
    /// @param shapes shapes by tensor name
    /// @param dtype F32, F16 or BF16
    public static Weights random(Path source, Map<String, long[]> shapes, ElementType dtype, long seed) {
        Arena arena = Arena.ofShared();
        boolean opened = false;
        try {
            long max = 0;
            for (long[] shape : shapes.values()) {
                max = Math.max(max, Shape.of(shape).elements());
            }
            MemorySegment block = arena.allocate(Math.multiplyExact(max, (long) dtype.bytes()), 64);
            fill(block, dtype, max, seed);
            MemorySegment data = block.asReadOnly();
            Map<String, WeightTensor> tensors = new TreeMap<>();
            shapes.forEach((name, dimensions) -> {
                Shape shape = Shape.of(dimensions);
                MemorySegment bytes = data.asSlice(0, shape.elements() * dtype.bytes());
                tensors.put(name, new WeightTensor(name, source.toString(), dtype, shape, bytes));
            });
            Weights weights =
                    new Weights(source, arena, tensors, Map.of(), Map.of(), List.of(), new MappedFiles(List.of()));
            opened = true;
            return weights;
        } finally {
            if (!opened) {
                arena.close();
            }
        }
    }

    /// Fills with pieces of a table of random numbers, each from a random offset: fast, and without a
    /// noticeable period.
    private static void fill(MemorySegment block, ElementType dtype, long count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int size = (int) Math.min(count, RANDOM_VALUES);
        for (int i = 0; i < size; i++) {
            float value = random.nextFloat(-0.05f, 0.05f);
            switch (dtype) {
                case F32 -> block.setAtIndex(LittleEndian.F32, i, value);
                case F16 -> block.setAtIndex(LittleEndian.I16, i, Half.floatToF16(value));
                case BF16 -> block.setAtIndex(LittleEndian.I16, i, Half.floatToBf16(value));
                default -> throw new IllegalArgumentException("random weights of type " + dtype);
            }
        }
        int bytes = dtype.bytes();
        for (long at = size; at < count; ) {
            long length = Math.min(count - at, RANDOM_VALUES / 8);
            long from = random.nextInt(RANDOM_VALUES - RANDOM_VALUES / 8);
            MemorySegment.copy(block, from * bytes, block, at * bytes, length * bytes);
            at += length;
        }
    }

    private static Weights openShards(ShardIndex index, Path directory) {
        Arena arena = Arena.ofShared();
        boolean opened = false;
        try {
            Map<String, SafetensorsFile> shards = new TreeMap<>();
            for (String shard : new TreeSet<>(index.shards().values())) {
                Path path = directory.resolve(shard);
                if (!FileEntries.exists(path)) {
                    throw new FormatException("%s: expected shard %s in the same directory, found nothing there"
                            .formatted(index.path(), Quoted.of(shard)));
                }
                shards.put(shard, SafetensorsFile.open(path, arena));
            }
            requireDistinct(shards.values());
            Map<String, String> metadata = new LinkedHashMap<>();
            shards.values().forEach(shard -> shard.metadata().forEach(metadata::putIfAbsent));
            List<Path> files =
                    shards.values().stream().map(SafetensorsFile::path).toList();
            Map<String, String> unknown = new TreeMap<>();
            Map<String, WeightTensor> tensors = select(index, shards, unknown);
            MappedFiles mapped = new MappedFiles(
                    shards.values().stream().map(SafetensorsFile::mapped).toList());
            Weights weights = new Weights(directory, arena, tensors, unknown, metadata, files, mapped);
            opened = true;
            return weights;
        } finally {
            if (!opened) {
                arena.close();
            }
        }
    }

    private static void requireDistinct(Iterable<SafetensorsFile> shards) {
        Map<String, Path> holders = new TreeMap<>();
        for (SafetensorsFile shard : shards) {
            Set<String> names = new TreeSet<>(shard.tensors().keySet());
            names.addAll(shard.unknown().keySet());
            for (String name : names) {
                Path other = holders.put(name, shard.path());
                if (other != null) {
                    throw new FormatException("%s: expected tensor %s in one shard, got it in %s as well"
                            .formatted(shard.path(), Quoted.of(name), other.getFileName()));
                }
            }
        }
    }

    /// The tensors that the index lists.
    ///
    /// @param unknown receives the names of unknown types, by tensor
    private static Map<String, WeightTensor> select(
            ShardIndex index, Map<String, SafetensorsFile> shards, Map<String, String> unknown) {
        Map<String, WeightTensor> selected = new TreeMap<>();
        index.shards().forEach((name, file) -> {
            SafetensorsFile shard = shards.get(file);
            WeightTensor tensor = shard == null ? null : shard.tensors().get(name);
            String type = shard == null ? null : shard.unknown().get(name);
            if (type != null) {
                unknown.put(name, type);
                return;
            }
            if (tensor == null) {
                throw new FormatException("%s: expected tensor %s in shard %s, found no such tensor there"
                        .formatted(index.path(), Quoted.of(name), Quoted.of(file)));
            }
            selected.put(name, tensor);
        });
        return selected;
    }

    /// Whether the directory contains weights under the names that [#open] looks for.
    public static boolean hasSafetensors(Path directory) {
        return FileEntries.exists(directory.resolve(SINGLE_FILE)) || FileEntries.exists(directory.resolve(INDEX_FILE));
    }

    /// Whether the directory contains pickled weights under the names that transformers looks for.
    public static boolean hasPickled(Path directory) {
        return FileEntries.exists(directory.resolve("pytorch_model.bin"))
                || FileEntries.exists(directory.resolve("pytorch_model.bin.index.json"));
    }

    private static SgptException noWeights(Path directory) {
        Set<String> names = new TreeSet<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                names.add(entry.getFileName().toString());
            }
        } catch (IOException e) {
            return Unreadable.of(directory, e);
        } catch (DirectoryIteratorException e) {
            return Unreadable.of(directory, Objects.requireNonNull(e.getCause()));
        }
        String expected = "%s: expected %s or %s, got ".formatted(directory, SINGLE_FILE, INDEX_FILE);
        if (names.isEmpty()) {
            return new FormatException(expected + "an empty directory");
        }
        List<String> pickled = matching(names, "pytorch_model", ".bin");
        if (!pickled.isEmpty()) {
            return new FormatException("%sonly pickled weights (%s), which Models.open of sgpt4j-weights-tools converts"
                    .formatted(expected, listed(pickled)));
        }
        List<String> strays = matching(names, "", ".safetensors");
        if (!strays.isEmpty()) {
            return new FormatException("%sonly %s".formatted(expected, listed(strays)));
        }
        return new FormatException("%sno weights, only %s".formatted(expected, listed(names)));
    }

    private static List<String> matching(Set<String> names, String prefix, String suffix) {
        return names.stream()
                .filter(name -> name.startsWith(prefix) && name.endsWith(suffix))
                .toList();
    }

    private static String listed(Iterable<String> names) {
        List<String> all = new ArrayList<>();
        names.forEach(all::add);
        String shown = String.join(", ", all.subList(0, Math.min(all.size(), MAX_LISTED)));
        return all.size() <= MAX_LISTED ? shown : "%s and %d more".formatted(shown, all.size() - MAX_LISTED);
    }

    /// Names of all tensors of known types, sorted.
    public Set<String> names() {
        return tensors.keySet();
    }

    /// Names of the tensors of unknown types, sorted.
    public Set<String> unknownNames() {
        return unknown.keySet();
    }

    /// Whether a tensor of this name is stored, with any type.
    public boolean contains(String name) {
        return tensors.containsKey(name) || unknown.containsKey(name);
    }

    /// What users should know: which tensors are ignored because their types are unknown.
    public List<String> notices() {
        if (unknown.isEmpty()) {
            return List.of();
        }
        List<String> some = unknown.entrySet().stream()
                .limit(MAX_LISTED)
                .map(entry -> "%s of type %s".formatted(Quoted.of(entry.getKey()), Quoted.of(entry.getValue())))
                .toList();
        int more = unknown.size() - some.size();
        return List.of("%s: ignored tensors of unknown types: %s%s"
                .formatted(source, String.join(", ", some), more == 0 ? "" : " and %d more".formatted(more)));
    }

    /// The tensor of this name; its segment is borrowed until [#close].
    ///
    /// @throws FormatException if there is no such tensor
    /// @throws UnsupportedModelException if its data type is unknown
    /// @throws IllegalStateException if the weights are closed
    public WeightTensor get(String name) {
        if (closed.get()) {
            throw new IllegalStateException("the weights of %s are closed".formatted(source));
        }
        WeightTensor tensor = tensors.get(name);
        String type = unknown.get(name);
        if (type != null) {
            throw new UnsupportedModelException("%s: tensor %s: expected F32, F16 or BF16, got the unknown type %s"
                    .formatted(source, Quoted.of(name), Quoted.of(type)));
        }
        if (tensor == null) {
            List<String> near = NearNames.of(name, tensors.keySet());
            throw new FormatException("%s: expected a tensor %s, got %d others%s"
                    .formatted(
                            source,
                            Quoted.of(name),
                            tensors.size(),
                            near.isEmpty() ? "" : ", such as " + String.join(", ", near)));
        }
        return tensor;
    }

    /// The tensor of this name, which must have this shape and be F32, F16 or BF16; its segment is borrowed until
    /// [#close].
    ///
    /// @param expectedShape dimensions, outermost first
    /// @throws FormatException if there is no such tensor, or it has another shape
    /// @throws UnsupportedModelException if its data type is not a weight type
    /// @throws IllegalStateException if the weights are closed
    public WeightTensor get(String name, long... expectedShape) {
        return requireWeight(get(name), expectedShape);
    }

    /// The tensor, if it has this shape and is F32, F16 or BF16.
    ///
    /// @throws FormatException if it has another shape
    /// @throws UnsupportedModelException if its data type is not a weight type
    public static WeightTensor requireWeight(WeightTensor tensor, long... expectedShape) {
        Shape expected = Shape.of(expectedShape);
        String name = tensor.name();
        if (!tensor.shape().equals(expected)) {
            throw new FormatException("%s: tensor %s: expected shape %s, got %s"
                    .formatted(tensor.file(), Quoted.of(name), expected, tensor.shape()));
        }
        if (!tensor.dtype().isWeight()) {
            throw new UnsupportedModelException("%s: tensor %s: expected F32, F16 or BF16, got %s"
                    .formatted(tensor.file(), Quoted.of(name), tensor.dtype()));
        }
        return tensor;
    }

    /// The metadata strings of the files, commonly `format` = `pt`; for a key in several shards, the
    /// first value is used.
    public Map<String, String> metadata() {
        return metadata;
    }

    /// The mapped files, sorted by name.
    public List<Path> files() {
        return files;
    }

    /// The mapped files, for code that reads tensors: inside [MappedFiles#reading].
    public MappedFiles mapped() {
        return mapped;
    }

    /// Bytes of all tensors.
    public long totalBytes() {
        return tensors.values().stream()
                .mapToLong(tensor -> tensor.data().byteSize())
                .sum();
    }

    /// Number of elements of all tensors.
    ///
    /// @throws ArithmeticException if the number does not fit a `long`
    public long elements() {
        long elements = 0;
        for (WeightTensor tensor : tensors.values()) {
            elements = Math.addExact(elements, tensor.shape().elements());
        }
        return elements;
    }

    /// Unmaps the files: their tensors must no longer be read. Closing again does nothing.
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            arena.close();
            parts.forEach(Weights::close);
        }
    }
}
