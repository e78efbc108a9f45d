package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.checkpoint.CheckpointLayout;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.weights.ExpectedTensor;
import io.github.sgpt4j.weights.MappedFile;
import io.github.sgpt4j.weightstools.StoredTensors.Stored;
import io.github.sgpt4j.weightstools.VerifyReport.HashedFile;
import io.github.sgpt4j.weightstools.VerifyReport.WeightFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Checks a checkpoint from end to end without computing with it:
///
/// - files against their known hashes: from a Hugging Face cache, from `hf download`, or from a list;
/// - each weight file by itself, and shards against their index;
/// - tensors against the configuration: names, shapes, types; missing tensors, and unused ones;
/// - configuration, tokenizer and modules: whether the engine can read them, which of their keys it
///   does not know, and whether the vocabulary fits the embedding table.
///
/// All problems are reported, not only the first. Pickled weights are checked as well; their code is
/// not run.
public final class Verifier {
    /// Most problems of one kind listed per folder; further ones are only counted.
    private static final int MAX_LISTED = 10;

    private final Path directory;
    private final Findings findings = new Findings();

    private Verifier(Path directory) {
        this.directory = directory;
    }

    /// Checks a checkpoint.
    ///
    /// @param directory the checkpoint
    /// @param sums a list of hashes in the format of `sha256sum`, with names relative to the
    ///     checkpoint, to use instead of the checkpoint's own `SHA256SUMS`
    /// @throws io.github.sgpt4j.error.FormatException if there is no such directory, or the list cannot
    ///     be read
    /// @throws IOException if a directory cannot be listed
    public static VerifyReport verify(Path directory, Optional<Path> sums, VerifyListener listener) throws IOException {
        MappedFile.requireDirectory(directory, "a checkpoint directory");
        return new Verifier(directory).run(new ExpectedHashes(directory, sums), listener);
    }

    private VerifyReport run(ExpectedHashes expected, VerifyListener listener) throws IOException {
        Optional<CheckpointLayout> layout = layout();
        layout.ifPresent(this::keys);
        List<WeightFolder> folders = new ArrayList<>();
        if (layout.isPresent()) {
            for (Path folder : layout.get().weightFolders()) {
                folders.add(folder(layout.get(), folder));
            }
        } else {
            StoredTensors.read(directory, findings);
        }
        Optional<String> tokenizer = layout.flatMap(this::tokenizer);
        List<HashedFile> files = new HashCheck(directory, expected, findings, listener).run();
        return new VerifyReport(
                directory, layout.map(CheckpointLayout::describe), tokenizer, files, folders, findings.sorted());
    }

    private Optional<CheckpointLayout> layout() {
        try {
            return Optional.of(CheckpointLayout.read(directory));
        } catch (SgptException e) {
            findings.error(e);
            return Optional.empty();
        }
    }

    /// Reports settings in files that the engine does not know, or does not follow.
    private void keys(CheckpointLayout layout) {
        try {
            layout.notices().forEach(findings::warn);
        } catch (SgptException e) {
            findings.error(e);
        }
    }

    private Optional<String> tokenizer(CheckpointLayout layout) {
        try {
            CheckpointLayout.TokenizerFit fit = layout.tokenizer();
            if (fit.vocabulary() > fit.rows()) {
                findings.error("%s: tokenizer: expected ids below %d, the rows of the embedding table, got ids up to %d"
                        .formatted(directory, fit.rows(), fit.vocabulary() - 1));
            } else if (fit.limit() > fit.rows()) {
                findings.warn(
                        "%s: tokenizer: expected ids below %d, the rows of the embedding table, got added tokens up to %d: texts with these cannot be computed"
                                .formatted(directory, fit.rows(), fit.limit() - 1));
            }
            return Optional.of(fit.description());
        } catch (SgptException e) {
            findings.error(e);
            return Optional.empty();
        }
    }

    private WeightFolder folder(CheckpointLayout layout, Path folder) throws IOException {
        Map<String, Stored> stored = StoredTensors.read(folder, findings);
        CheckpointLayout.Tensors expected = layout.tensors(folder, stored.keySet());
        int found = 0;
        List<String> wrong = new ArrayList<>();
        for (ExpectedTensor tensor : expected.always()) {
            Optional<String> problem = problem(folder, tensor, stored.get(tensor.name()));
            problem.ifPresent(wrong::add);
            found += problem.isEmpty() ? 1 : 0;
        }
        List<String> limited = new ArrayList<>();
        for (ExpectedTensor tensor : expected.forScoring()) {
            problem(folder, tensor, stored.get(tensor.name())).ifPresent(limited::add);
        }
        if (!stored.isEmpty()) {
            report(wrong, "", findings::error);
            boolean missing = expected.forScoring().stream().noneMatch(t -> stored.containsKey(t.name()));
            report(
                    limited,
                    missing ? "; embedding needs no output head, scoring does" : "",
                    missing ? findings::warn : findings::error);
        }
        return unused(folder, stored, expected, found);
    }

    @FunctionalInterface
    private interface Reporter {
        void report(String message);
    }

    private static void report(List<String> messages, String note, Reporter reporter) {
        messages.stream().limit(MAX_LISTED).forEach(message -> reporter.report(message + note));
        if (messages.size() > MAX_LISTED) {
            reporter.report("%d more tensors with the same problem".formatted(messages.size() - MAX_LISTED));
        }
    }

    private static Optional<String> problem(Path folder, ExpectedTensor tensor, @Nullable Stored stored) {
        String name = Quoted.of(tensor.name());
        if (stored == null) {
            return Optional.of(
                    "%s: expected a tensor %s of shape %s, found none".formatted(folder, name, tensor.shape()));
        }
        if (!stored.shape().equals(tensor.shape())) {
            return Optional.of("%s: tensor %s: expected shape %s, which config.json asks for, got %s"
                    .formatted(stored.file(), name, tensor.shape(), stored.shape()));
        }
        if (!stored.type().isWeight()) {
            return Optional.of(
                    "%s: tensor %s: expected F32, F16 or BF16, got %s".formatted(stored.file(), name, stored.type()));
        }
        return Optional.empty();
    }

    /// Reports unused tensors. In a layer that is an error: the configuration describes another model.
    private WeightFolder unused(Path folder, Map<String, Stored> stored, CheckpointLayout.Tensors expected, int found) {
        Map<String, Stored> rest = new TreeMap<>(stored);
        Set<String> used = new HashSet<>();
        expected.always().stream()
                .map(tensor -> stored.get(tensor.name()))
                .filter(Objects::nonNull)
                .forEach(tensor -> used.add(tensor.place()));
        expected.always().forEach(tensor -> rest.remove(tensor.name()));
        expected.forScoring().forEach(tensor -> rest.remove(tensor.name()));
        List<String> buffers = new ArrayList<>();
        List<String> inLayers = new ArrayList<>();
        List<String> elsewhere = new ArrayList<>();
        rest.forEach((name, tensor) -> {
            boolean inLayer = !expected.layerPrefix().isEmpty() && name.startsWith(expected.layerPrefix());
            if (ComputedBuffers.isOne(name, tensor.shape()) || used.contains(tensor.place())) {
                buffers.add(name);
            } else {
                (inLayer ? inLayers : elsewhere)
                        .add("%s: tensor %s of shape %s is not used"
                                .formatted(tensor.file(), Quoted.of(name), tensor.shape()));
            }
        });
        report(inLayers, ": config.json describes layers without it", findings::error);
        report(elsewhere, "", findings::warn);
        rest.keySet().removeAll(buffers);
        return new WeightFolder(
                folder, stored.size(), expected.always().size(), found, buffers, List.copyOf(rest.keySet()));
    }
}
