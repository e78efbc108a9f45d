package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.checkpoint.CheckpointLayout;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.weights.MappedFiles;
import io.github.sgpt4j.weightstools.torch.TorchFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The pickled weights of a checkpoint as safetensors: those of a model, of dense modules and of
/// adapters, each separately.
final class PicklePlan implements ConversionPlan {
    private final Path source;
    private final ConvertOptions options;
    private final Path scratch;
    private final List<Part> parts = new ArrayList<>();
    private final List<TorchFile> opened = new ArrayList<>();

    private PicklePlan(Path source, ConvertOptions options, Path scratch) {
        this.source = source;
        this.options = options;
        this.scratch = scratch;
    }

    /// @param inPlace whether the target is the source, so that nothing is copied
    /// @param scratch folder for temporary files
    /// @throws FormatException if something is missing, wrong, or not allowed
    static PicklePlan of(Path source, ConvertOptions options, boolean inPlace, Path scratch) throws IOException {
        PicklePlan plan = new PicklePlan(source, options, scratch);
        try {
            plan.make(inPlace);
            return plan;
        } catch (IOException | RuntimeException | Error e) {
            plan.close();
            throw e;
        }
    }

    private void make(boolean inPlace) throws IOException {
        boolean untied = SourceFolder.isUntied(source);
        for (Path folder : SourceFolder.folders(source)) {
            Path from = source.resolve(folder);
            List<TorchFile> files = new ArrayList<>();
            for (Path file : SourceFolder.weights(from)) {
                files.add(open(file));
            }
            requireIndexed(from, files);
            WeightPlan plan = WeightPlan.of(files, options.dtype(), untied);
            if (!files.isEmpty()) {
                Optional<String> table = CheckpointLayout.tiedTable(from, plan.names());
                if (table.isPresent()) {
                    mapped().reading(() -> {
                        plan.tieCopies(table.get());
                        return plan;
                    });
                }
            }
            if (!files.isEmpty() && plan.tensors().isEmpty()) {
                throw new FormatException("%s: expected weights, got only buffers that models compute"
                        .formatted(files.getFirst().path()));
            }
            boolean root = folder.toString().isEmpty();
            parts.add(new Part(
                    folder,
                    plan,
                    files.isEmpty() ? Map.of() : plan.shards(options.maxShardBytes()),
                    inPlace ? Map.of() : SourceFolder.copied(from, files.isEmpty()),
                    root ? new ConfigChange(options.dtype(), false, false, false) : ConfigChange.NONE));
            if (SourceFolder.isPickledAdapter(from)) {
                parts.add(adapter(folder));
            }
        }
        if (parts.stream().allMatch(part -> part.shards().isEmpty())) {
            throw new FormatException("%s: expected pickled weights (%s or %s, or an adapter's), found none%s"
                    .formatted(
                            source,
                            SourceFolder.SINGLE_FILE,
                            SourceFolder.INDEX_FILE,
                            SourceFolder.isAdapter(source)
                                    ? "; an adapter is merged into a directory other than its own"
                                    : ""));
        }
    }

    private TorchFile open(Path file) throws IOException {
        TorchFile torch = TorchFile.open(file, scratch);
        opened.add(torch);
        return torch;
    }

    private Part adapter(Path folder) throws IOException {
        Path file = source.resolve(folder).resolve(SourceFolder.PICKLED_ADAPTER);
        WeightPlan plan = WeightPlan.ofAdapter(open(file), options.dtype());
        if (plan.tensors().isEmpty()) {
            throw new FormatException("%s: expected tensors of an adapter, found none".formatted(file));
        }
        return new Part(folder, plan, Map.of(SourceFolder.ADAPTER, plan.tensors()), Map.of(), ConfigChange.NONE);
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

    @Override
    public MappedFiles mapped() {
        return new MappedFiles(opened.stream().map(TorchFile::mapped).toList());
    }

    @Override
    public List<Part> parts() {
        return parts;
    }

    @Override
    public void close() throws IOException {
        for (TorchFile file : opened) {
            file.close();
        }
    }
}
