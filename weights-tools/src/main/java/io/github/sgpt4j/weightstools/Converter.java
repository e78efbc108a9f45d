package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.checkpoint.MergedCheckpoint;
import io.github.sgpt4j.checkpoint.ModelName;
import io.github.sgpt4j.checkpoint.TrainedCheckpoint;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.files.FileEntries;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.weights.MappedFile;
import io.github.sgpt4j.weights.Weights;
import io.github.sgpt4j.weightstools.hub.AdapterFiles;
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

/// Converts checkpoints with pickled weights (`pytorch_model.bin`, or
/// `pytorch_model-00001-of-00002.bin` … with `pytorch_model.bin.index.json`) to safetensors, as
/// transformers' `save_pretrained` would write them: same names, same bytes, same shards.
///
/// No code of a checkpoint is run. Weights are streamed: memory does not grow with their size. The
/// result is made in a hidden folder beside the target and moved there at the end, so a failure leaves
/// nothing half-written. Adapters are merged into their base models the same way.
public final class Converter {
    private static final Pattern SHARD = Pattern.compile("model-\\d{5}-of-\\d{5}\\.safetensors");

    private final Path target;
    private final ConvertOptions options;
    private final boolean inPlace;
    private final List<Part> parts;

    private Converter(Path target, ConvertOptions options, boolean inPlace, List<Part> parts) {
        this.target = target;
        this.options = options;
        this.inPlace = inPlace;
        this.parts = parts;
    }

    /// Converts a checkpoint.
    ///
    /// If the target is the checkpoint's own directory, safetensors appear beside the pickled files, in
    /// module folders too. If it is another directory, which must be new or empty unless forced, then
    /// configuration, tokenizer, module folders, texts and licence are copied as well. An adapter stays
    /// an adapter; [#merge] merges it.
    ///
    /// @param source checkpoint directory
    /// @param target where to write the result; may be `source`
    /// @throws FormatException if something in the checkpoint is missing, wrong, or not allowed
    /// @throws IOException if writing fails, existing files may not be replaced, or another conversion
    ///     to the same place is running
    public static ConvertReport convert(Path source, Path target, ConvertOptions options, ConvertListener listener)
            throws IOException {
        MappedFile.requireDirectory(source, "a checkpoint directory");
        if (FileEntries.exists(target)) {
            MappedFile.requireDirectory(target, "a directory");
        }
        boolean inPlace = Files.exists(target) && Files.isSameFile(source, target);
        return run(
                target,
                options,
                inPlace,
                List.of(),
                listener,
                scratch -> PicklePlan.of(source, options, inPlace, scratch));
    }

    /// Merges an adapter into its base model: the result is an ordinary checkpoint in another
    /// directory.
    ///
    /// The configuration comes from the base model, the tokenizer from the adapter if it has one, the
    /// module folders of sentence-transformers from the adapter. Merged tensors are computed in memory
    /// as when the adapter is opened, and rounded once; `KEEP` stores them in the type of the base
    /// model's tensor. Pickled weights are converted first.
    ///
    /// @param source checkpoint whose transformer is an adapter
    /// @param base folder of the base model; empty if it is in the adapter's own folder
    /// @param target where to write the result; neither `source` nor `base`
    /// @throws io.github.sgpt4j.error.SgptException if something is missing, wrong, or unsupported
    /// @throws IOException as [#convert]
    public static ConvertReport merge(
            Path source, Optional<Path> base, Path target, ConvertOptions options, ConvertListener listener)
            throws IOException {
        MappedFile.requireDirectory(source, "an adapter's directory");
        if (base.isPresent()) {
            MappedFile.requireDirectory(base.get(), "a base model's directory");
        }
        if (FileEntries.exists(target)) {
            MappedFile.requireDirectory(target, "a directory");
            if (Files.isSameFile(source, target) || base.isPresent() && Files.isSameFile(base.get(), target)) {
                throw new FileAlreadyExistsException(
                        target.toString(), null, "expected another directory than those of adapter and base model");
            }
        }
        List<String> notices = MergedCheckpoint.notices(source, base);
        return run(target, options, false, notices, listener, scratch -> {
            Path adapter = readable(source, scratch.resolve("adapter"));
            Optional<Path> under = Optional.empty();
            if (base.isPresent()) {
                under = Optional.of(readable(base.get(), scratch.resolve("base")));
            }
            return MergePlan.of(adapter, under, options);
        });
    }

    /// Makes a complete checkpoint of a base model and the tensors that training changed
    /// (`biases.safetensors`), in a new directory. It computes the same as the two opened together
    /// ([io.github.sgpt4j.ModelOptions#withBiases]).
    ///
    /// Tensors keep their names, and those that were not trained their types and bytes; trained ones are
    /// 32-bit floats. The output head, which embeddings do not need, is left out, as is the base model's
    /// name. `config.json`, tokenizer and licence come from the base model; the files of
    /// sentence-transformers say what the tensors were trained with, and so does `sgpt4j.json`. A tokenizer
    /// without a padding token, which other software needs, gets its end token as one. Pickled weights are
    /// converted first.
    ///
    /// @param source checkpoint of the base model, which may be an adapter
    /// @param base folder of the model that `source` adapts; empty if it is in the adapter's own folder, or
    ///     there is no adapter
    /// @param biases the trained tensors
    /// @param target where to write the result; nothing may be there
    /// @param card text of `README.md`, if there is one
    /// @throws io.github.sgpt4j.error.SgptException if something is missing, wrong, or unsupported, or the tensors
    ///     belong to another model
    /// @throws IOException if something is at `target`, or as [#convert]
    public static ConvertReport mergeBiases(
            Path source, Optional<Path> base, Path biases, Path target, Optional<String> card, ConvertListener listener)
            throws IOException {
        return mergeBiases(source, base, biases, target, card, ConvertOptions.DEFAULT, listener);
    }

    /// @param options most bytes of a file
    static ConvertReport mergeBiases(
            Path source,
            Optional<Path> base,
            Path biases,
            Path target,
            Optional<String> card,
            ConvertOptions options,
            ConvertListener listener)
            throws IOException {
        MappedFile.requireDirectory(source, "a base model's directory");
        requireNew(target);
        List<String> notices = new ArrayList<>(TrainedCheckpoint.notices(source, base, biases));
        return run(target, options, false, notices, listener, scratch -> {
            // Nobody may have made it in the meantime.
            requireNew(target);
            Path from = readable(source, scratch.resolve("base"));
            Optional<Path> under = Optional.empty();
            if (base.isPresent()) {
                under = Optional.of(readable(base.get(), scratch.resolve("adapted")));
            }
            TrainedCheckpoint trained = TrainedCheckpoint.open(from, under, biases);
            notices.addAll(trained.weights().notices());
            nameNotice(target, trained.settings().metadata()).ifPresent(notices::add);
            if (!trained.headTensors().isEmpty()) {
                notices.add("%s: left out the output head, which embeddings do not need: %s"
                        .formatted(source, String.join(", ", trained.headTensors())));
            }
            return TrainedPlan.of(trained, card, options.maxShardBytes(), scratch);
        });
    }

    /// What is odd about the name of a new checkpoint, a sentence: "specb" is missing if queries and documents are put
    /// in brackets.
    ///
    /// @param target where nothing is yet
    /// @param settings as of [io.github.sgpt4j.TrainableModel#settings]
    public static Optional<String> nameNotice(Path target, Map<String, String> settings) {
        boolean brackets = Boolean.parseBoolean(settings.get("specb"));
        return brackets && !ModelName.specb(target, new JsonFiles()).used()
                ? Optional.of(
                        "%s: expected \"specb\" in the name, by which other software knows that queries and documents get brackets, found none"
                                .formatted(target))
                : Optional.empty();
    }

    private static void requireNew(Path target) throws FileAlreadyExistsException {
        if (FileEntries.exists(target)) {
            throw new FileAlreadyExistsException(target.toString(), null, "already exists: expected a new directory");
        }
    }

    /// The checkpoint itself, or a new folder with its weights converted to safetensors.
    private static Path readable(Path source, Path folder) throws IOException {
        if (isNeeded(source)) {
            convert(source, folder, ConvertOptions.DEFAULT, ConvertListener.NONE);
            return folder;
        }
        return source;
    }

    /// Whether a checkpoint's transformer is an adapter for another model, which [#merge] merges.
    ///
    /// @throws FormatException if `modules.json` is broken
    public static boolean isAdapter(Path directory) {
        return Files.isDirectory(directory) && SourceFolder.isAdapter(directory);
    }

    /// Makes a plan.
    private interface Planner {
        /// @param scratch folder for temporary files
        ConversionPlan plan(Path scratch) throws IOException;
    }

    private static ConvertReport run(
            Path target,
            ConvertOptions options,
            boolean inPlace,
            List<String> notices,
            ConvertListener listener,
            Planner planner)
            throws IOException {
        try (WorkFolder work = WorkFolder.open(target)) {
            Converter converter;
            try (ConversionPlan plan = planner.plan(work.scratch())) {
                converter = new Converter(target, options, inPlace, plan.parts());
                converter.requireNoAdapter();
                converter.requireFree(work);
                converter.requireRoom(work.content());
                plan.mapped().reading(() -> {
                    converter.write(work.content(), listener);
                    return converter;
                });
            }
            converter.publish(work);
            return converter.report(notices);
        }
    }

    /// Whether a checkpoint, or the folder of one of its modules, has pickled weights that can be
    /// converted, and no weights that the engine reads. A broken `modules.json` is left for the engine
    /// to report.
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
        boolean readable = FileEntries.exists(folder.resolve(Weights.SINGLE_FILE))
                || FileEntries.exists(folder.resolve(Weights.INDEX_FILE));
        return !readable
                && (FileEntries.exists(folder.resolve(SourceFolder.SINGLE_FILE))
                        || FileEntries.exists(folder.resolve(SourceFolder.INDEX_FILE)));
    }

    /// An adapter already in the target would be merged into the result when that is opened.
    private void requireNoAdapter() throws IOException {
        for (Part part : parts) {
            Path adapter = target.resolve(part.folder()).resolve(AdapterFiles.CONFIG);
            boolean replaces = part.hasWeights() && !inPlace && !part.copied().containsKey(AdapterFiles.CONFIG);
            if (replaces && FileEntries.exists(adapter)) {
                throw new FileAlreadyExistsException(
                        adapter.toString(), null, "already exists, and would be merged into the converted model");
            }
        }
    }

    /// Checks files that may be in the way: those to be written, and weights that the engine would read
    /// instead.
    private void requireFree(WorkFolder work) throws IOException {
        if (options.force() || !Files.isDirectory(target)) {
            return;
        }
        requireNotReplaced(work);
        if (!inPlace) {
            requireEmpty(work);
        }
    }

    /// Refuses to write a checkpoint among other files.
    private void requireEmpty(WorkFolder work) throws IOException {
        try (Stream<Path> files = Files.list(target)) {
            Optional<Path> other = files.filter(file -> !work.isOwn(target.relativize(file)))
                    .sorted()
                    .findFirst();
            if (other.isPresent()) {
                throw new FileAlreadyExistsException(
                        target.toString(),
                        null,
                        "expected a new or empty directory unless forced, found %s in it"
                                .formatted(other.get().getFileName()));
            }
        }
    }

    private void requireNotReplaced(WorkFolder work) throws IOException {
        for (Part part : parts) {
            List<Path> files = new ArrayList<>(part.weightFiles());
            part.copied().keySet().forEach(name -> files.add(part.folder().resolve(name)));
            if (part.hasWeights()) {
                files.add(part.folder().resolve(Weights.SINGLE_FILE));
                files.add(part.folder().resolve(Weights.INDEX_FILE));
            }
            for (Path file : files) {
                Path there = target.resolve(file);
                if (FileEntries.exists(there) && !work.isOwn(file)) {
                    throw new FileAlreadyExistsException(
                            there.toString(), null, "already exists, and is replaced only if forced");
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
            part.write(content, written);
        }
    }

    /// Publishes the result; indexes come last, since they make shards count.
    private void publish(WorkFolder work) throws IOException {
        List<Path> last = new ArrayList<>();
        for (Part part : parts) {
            if (part.sharded()) {
                last.add(part.folder().resolve(Weights.INDEX_FILE));
            }
        }
        work.publish(last);
        for (Part part : parts) {
            if (work.merges() && part.hasWeights()) {
                removeOld(part);
            }
        }
    }

    /// Removes weights of an earlier conversion that the new files do not replace. There are none
    /// unless forced.
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

    private ConvertReport report(List<String> notices) {
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
        return new ConvertReport(files, tensors, bytes(), dropped, tied, notices);
    }
}
