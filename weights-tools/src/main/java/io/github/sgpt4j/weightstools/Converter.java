package io.github.sgpt4j.weightstools;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.checkpoint.CheckpointLayout;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.weights.MappedFile;
import io.github.sgpt4j.weights.Quoted;
import io.github.sgpt4j.weights.SafetensorsWriter;
import io.github.sgpt4j.weights.Weights;
import io.github.sgpt4j.weightstools.torch.TorchFile;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Converts checkpoints with pickled weights (`pytorch_model.bin`, or `pytorch_model-00001-of-00002.bin` … with
/// `pytorch_model.bin.index.json`) to safetensors, as transformers' `save_pretrained` would write them: same
/// names, same bytes, same division into files.
///
/// No code of a checkpoint is run. Weights are streamed: memory does not grow with their size. The result is made in a
/// hidden folder beside its place and moved there at the end, so a failure leaves nothing half-written.
public final class Converter {
    private static final Pattern SHARD = Pattern.compile("model-\\d{5}-of-\\d{5}\\.safetensors");

    private final Path source;
    private final Path target;
    private final ConvertOptions options;
    private final boolean inPlace;
    private final List<Part> parts = new ArrayList<>();
    private final List<TorchFile> opened = new ArrayList<>();

    /// One folder of the checkpoint.
    ///
    /// @param folder relative to the checkpoint
    /// @param plan its weights
    /// @param shards weights by file name; none if the folder has no weights
    /// @param copied names of other files to take along
    private record Part(Path folder, WeightPlan plan, Map<String, List<PlannedTensor>> shards, List<String> copied) {
        boolean sharded() {
            return shards.size() > 1;
        }

        /// Weight files and index, relative to the checkpoint.
        List<Path> weightFiles() {
            List<Path> files = new ArrayList<>();
            shards.keySet().forEach(name -> files.add(folder.resolve(name)));
            if (sharded()) {
                files.add(folder.resolve(Weights.INDEX_FILE));
            }
            return files;
        }
    }

    private Converter(Path source, Path target, ConvertOptions options) throws IOException {
        this.source = source;
        this.target = target;
        this.options = options;
        this.inPlace = Files.exists(target) && Files.isSameFile(source, target);
    }

    /// Converts a checkpoint.
    ///
    /// Into its own directory: safetensors appear beside the pickled files, in module folders too. Into another
    /// one, which is new or empty unless forced: configuration, tokenizer, module folders, texts and licence are
    /// copied as well.
    ///
    /// @param source checkpoint directory
    /// @param target where the result goes; may be `source`
    /// @throws FormatException if something in the checkpoint is missing, wrong, or not allowed
    /// @throws IOException if writing fails, files are in the way and may not be replaced, or another conversion
    ///     to the same place is running
    public static ConvertReport convert(Path source, Path target, ConvertOptions options, ConvertListener listener)
            throws IOException {
        MappedFile.requireDirectory(source, "a checkpoint directory");
        if (MappedFile.present(target)) {
            MappedFile.requireDirectory(target, "a directory");
        }
        Converter converter = new Converter(source, target, options);
        try (WorkFolder work = WorkFolder.open(target)) {
            try {
                converter.plan(work.scratch());
                converter.requireFree(work);
                converter.requireRoom(work.content());
                converter.write(work.content(), listener);
            } finally {
                converter.close();
            }
            converter.publish(work);
        }
        return converter.report();
    }

    /// Whether a checkpoint, or a folder of one of its modules, has pickled weights that can be converted, and none
    /// that the engine reads. Where `modules.json` is broken, that is left for the engine to say.
    public static boolean isNeeded(Path directory) {
        if (!Files.isDirectory(directory)) {
            return false;
        }
        try {
            return SourceFolder.folders(directory).stream().anyMatch(folder -> isPickled(directory.resolve(folder)));
        } catch (FormatException e) {
            return isPickled(directory);
        }
    }

    private static boolean isPickled(Path folder) {
        if (SourceFolder.isPickledAdapter(folder)) {
            return true;
        }
        boolean readable = MappedFile.present(folder.resolve(Weights.SINGLE_FILE))
                || MappedFile.present(folder.resolve(Weights.INDEX_FILE));
        return !readable
                && (MappedFile.present(folder.resolve(SourceFolder.SINGLE_FILE))
                        || MappedFile.present(folder.resolve(SourceFolder.INDEX_FILE)));
    }

    private void plan(Path scratch) throws IOException {
        boolean untied = SourceFolder.isUntied(source);
        boolean any = false;
        for (Path folder : SourceFolder.folders(source)) {
            Path from = source.resolve(folder);
            List<TorchFile> files = new ArrayList<>();
            for (Path file : SourceFolder.weights(from)) {
                TorchFile torch = TorchFile.open(file, scratch);
                opened.add(torch);
                files.add(torch);
            }
            requireIndexed(from, files);
            WeightPlan plan = WeightPlan.of(files, options.type(), untied);
            if (!files.isEmpty()) {
                Optional<String> table = CheckpointLayout.tiedTable(from, plan.names());
                if (table.isPresent()) {
                    plan.tieCopies(table.get());
                }
            }
            if (!files.isEmpty() && plan.tensors().isEmpty()) {
                throw new FormatException("%s: expected weights, got only buffers that models compute"
                        .formatted(files.getFirst().path()));
            }
            any |= !files.isEmpty();
            parts.add(new Part(
                    folder,
                    plan,
                    shards(from, files, plan),
                    inPlace ? List.of() : SourceFolder.copied(from, files.isEmpty())));
        }
        if (!any) {
            throw new FormatException("%s: expected pickled weights (%s or %s, or an adapter's), found none"
                    .formatted(source, SourceFolder.SINGLE_FILE, SourceFolder.INDEX_FILE));
        }
    }

    /// The files to write; an adapter is one.
    private Map<String, List<PlannedTensor>> shards(Path from, List<TorchFile> files, WeightPlan plan) {
        if (files.isEmpty()) {
            return Map.of();
        }
        return SourceFolder.isPickledAdapter(from)
                ? Map.of(SourceFolder.ADAPTER, plan.tensors())
                : plan.shards(options.maxShardBytes());
    }

    private static void requireIndexed(Path folder, List<TorchFile> files) {
        Map<String, TorchFile> byName = new LinkedHashMap<>();
        files.forEach(file -> byName.put(String.valueOf(file.path().getFileName()), file));
        SourceFolder.index(folder).forEach((tensor, name) -> {
            TorchFile file = byName.get(name);
            if (file == null || !file.tensors().containsKey(tensor)) {
                throw new FormatException("%s: expected tensor %s, which the index says is here, found none"
                        .formatted(folder.resolve(name), Quoted.of(tensor)));
            }
        });
    }

    /// Files that may be in the way: those to be written, and weights that the engine would read instead.
    private void requireFree(WorkFolder work) throws IOException {
        if (options.force() || !Files.isDirectory(target)) {
            return;
        }
        requireNotReplaced();
        if (!inPlace) {
            requireEmpty(work);
        }
    }

    /// A checkpoint among files of something else would be neither.
    private void requireEmpty(WorkFolder work) throws IOException {
        try (Stream<Path> files = Files.list(target)) {
            Optional<Path> other =
                    files.filter(file -> !work.isIn(file)).sorted().findFirst();
            if (other.isPresent()) {
                throw new FileAlreadyExistsException(
                        target.toString(),
                        null,
                        "expected a new or empty directory unless forced, found %s in it"
                                .formatted(other.get().getFileName()));
            }
        }
    }

    private void requireNotReplaced() throws IOException {
        for (Part part : parts) {
            List<Path> files = new ArrayList<>(part.weightFiles());
            part.copied().forEach(name -> files.add(part.folder().resolve(name)));
            if (!part.shards().isEmpty()) {
                files.add(part.folder().resolve(Weights.SINGLE_FILE));
                files.add(part.folder().resolve(Weights.INDEX_FILE));
            }
            for (Path file : files) {
                Path there = target.resolve(file);
                if (MappedFile.present(there)) {
                    throw new FileAlreadyExistsException(
                            there.toString(), null, "is there already, and is not replaced unless forced");
                }
            }
        }
    }

    private long bytes() {
        return parts.stream().mapToLong(part -> part.plan().bytes()).reduce(0, Math::addExact);
    }

    private void requireRoom(Path content) throws IOException {
        long free = Files.getFileStore(content).getUsableSpace();
        if (free < bytes()) {
            throw new FileSystemException(
                    target.toString(), null, "needs %d bytes, has %d free".formatted(bytes(), free));
        }
    }

    private void write(Path content, ConvertListener listener) throws IOException {
        long total = bytes();
        long[] done = new long[1];
        LongConsumer written = bytes -> {
            done[0] += bytes;
            listener.progress(done[0], total);
        };
        for (Part part : parts) {
            Path folder = content.resolve(part.folder());
            Files.createDirectories(folder);
            for (Map.Entry<String, List<PlannedTensor>> shard : part.shards().entrySet()) {
                SafetensorsWriter writer = new SafetensorsWriter();
                for (PlannedTensor tensor : shard.getValue()) {
                    writer.add(
                            tensor.name(), tensor.type(), tensor.view().shape(), out -> tensor.writeTo(out, written));
                }
                writer.write(folder.resolve(shard.getKey()));
            }
            if (part.sharded()) {
                IndexFile.write(
                        folder.resolve(Weights.INDEX_FILE),
                        part.plan().elements(),
                        part.plan().bytes(),
                        WeightPlan.fileByTensor(part.shards()));
            }
            for (String name : part.copied()) {
                copy(source.resolve(part.folder()).resolve(name), folder.resolve(name), part.folder());
            }
        }
    }

    /// Copies a file; the configuration of the model tells the element type that is stored now.
    private void copy(Path from, Path to, Path folder) throws IOException {
        boolean config = folder.toString().isEmpty() && to.endsWith(SourceFolder.CONFIG_FILE);
        if (!config || options.type() == ConvertOptions.StoredType.KEEP) {
            Files.copy(from, to);
            return;
        }
        JsonNode tree = SourceFolder.json(from);
        if (tree instanceof ObjectNode object) {
            for (String key : new String[] {"torch_dtype", "dtype"}) {
                if (object.path(key).isTextual()) {
                    object.put(key, options.type().configName());
                }
            }
        }
        new ObjectMapper().writerWithDefaultPrettyPrinter().writeValue(to.toFile(), tree);
    }

    /// Shows the result; indices come last, since they make shards count.
    private void publish(WorkFolder work) throws IOException {
        List<Path> last = new ArrayList<>();
        for (Part part : parts) {
            if (part.sharded()) {
                last.add(part.folder().resolve(Weights.INDEX_FILE));
            }
        }
        work.publish(last);
        for (Part part : parts) {
            if (work.merges() && !part.shards().isEmpty()) {
                removeOld(part);
            }
        }
    }

    /// Removes weights of an earlier conversion that the new files do not replace. Only when forced is there any.
    private void removeOld(Part part) throws IOException {
        Path folder = target.resolve(part.folder());
        if (!Files.isDirectory(folder)) {
            return;
        }
        List<Path> old;
        try (Stream<Path> files = Files.list(folder)) {
            old = files.filter(file -> isWeightFile(String.valueOf(file.getFileName())))
                    .filter(file -> !part.weightFiles().contains(part.folder().resolve(file.getFileName())))
                    .toList();
        }
        for (Path file : old) {
            Files.delete(file);
        }
    }

    private static boolean isWeightFile(String name) {
        return name.equals(Weights.SINGLE_FILE)
                || name.equals(Weights.INDEX_FILE)
                || SHARD.matcher(name).matches();
    }

    private void close() throws IOException {
        for (TorchFile file : opened) {
            file.close();
        }
    }

    private ConvertReport report() {
        List<Path> files = new ArrayList<>();
        List<String> dropped = new ArrayList<>();
        Map<String, String> tied = new LinkedHashMap<>();
        int tensors = 0;
        for (Part part : parts) {
            part.weightFiles().forEach(file -> files.add(target.resolve(file)));
            dropped.addAll(part.plan().dropped());
            tied.putAll(part.plan().tied());
            tensors += part.plan().tensors().size();
        }
        return new ConvertReport(files, tensors, bytes(), dropped, tied);
    }
}
