package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.checkpoint.MergedCheckpoint;
import io.github.sgpt4j.weights.MappedFiles;
import io.github.sgpt4j.weightstools.hub.AdapterFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// An adapter and its base model as one checkpoint: merged weights, the base model's configuration, the
/// tokenizer that the engine uses, and the adapter checkpoint's other files, in its own layout. Of the
/// sentence-transformers files only the adapter's count, as when it is opened.
final class MergePlan implements ConversionPlan {
    private static final String GENERATION_FILE = "generation_config.json";

    private final MergedCheckpoint merged;
    private final ConvertOptions options;
    private final boolean together;
    private final List<Part> parts = new ArrayList<>();

    private MergePlan(MergedCheckpoint merged, ConvertOptions options) throws IOException {
        this.merged = merged;
        this.options = options;
        this.together = Files.isSameFile(merged.adapter(), merged.base());
    }

    /// @param source the adapter's checkpoint, in safetensors
    /// @param base folder of the base model, in safetensors; empty if it is the adapter's own
    /// @throws io.github.sgpt4j.error.SgptException if something is missing, wrong or unsupported
    static MergePlan of(Path source, Optional<Path> base, ConvertOptions options) throws IOException {
        MergedCheckpoint merged = MergedCheckpoint.open(source, base);
        try {
            MergePlan plan = new MergePlan(merged, options);
            return plan.mapped().opening(() -> {
                plan.make(source);
                return plan;
            });
        } catch (IOException | RuntimeException | Error e) {
            merged.close();
            throw e;
        }
    }

    private void make(Path source) throws IOException {
        for (Path folder : SourceFolder.folders(source)) {
            Path from = source.resolve(folder);
            parts.add(
                    Files.isSameFile(from, merged.adapter())
                            ? transformer(folder)
                            : new Part(
                                    folder,
                                    WeightPlan.none(),
                                    Map.of(),
                                    SourceFolder.copied(from, true),
                                    ConfigChange.NONE));
        }
    }

    private Part transformer(Path folder) throws IOException {
        WeightPlan plan = WeightPlan.ofMerged(merged, options.dtype());
        return new Part(
                folder,
                plan,
                plan.shards(options.maxShardBytes()),
                copied(),
                new ConfigChange(options.dtype(), merged.isUntied(), !together, false));
    }

    private Map<String, Path> copied() throws IOException {
        Map<String, Path> files = new TreeMap<>();
        if (!together) {
            SourceFolder.copied(merged.base(), false).forEach((name, file) -> {
                if (isOfBase(name)) {
                    files.put(name, file);
                }
            });
        }
        SourceFolder.copied(merged.adapter(), false).forEach((name, file) -> {
            if (isOfAdapter(name)) {
                files.put(name, file);
            }
        });
        return files;
    }

    private boolean isOfBase(String name) {
        return name.equals(SourceFolder.CONFIG_FILE)
                || name.equals(GENERATION_FILE)
                || SourceFolder.isTerms(name)
                || SourceFolder.isTokenizer(name) && merged.tokenizer().equals(merged.base());
    }

    private boolean isOfAdapter(String name) {
        if (name.equals(AdapterFiles.CONFIG) || name.equals(SourceFolder.ADAPTER)) {
            return false;
        }
        return together
                || !name.equals(SourceFolder.CONFIG_FILE)
                        && (!SourceFolder.isTokenizer(name)
                                || merged.tokenizer().equals(merged.adapter()));
    }

    @Override
    public MappedFiles mapped() {
        return merged.weights().mapped();
    }

    @Override
    public List<Part> parts() {
        return parts;
    }

    @Override
    public void close() {
        merged.close();
    }
}
