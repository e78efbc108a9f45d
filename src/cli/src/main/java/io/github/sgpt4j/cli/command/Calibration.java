package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.VectorQuantizer;
import io.github.sgpt4j.VectorRanges;
import io.github.sgpt4j.cli.console.CliException;
import io.github.sgpt4j.cli.input.TextInput;
import io.github.sgpt4j.cli.option.PrecisionOptions;
import io.github.sgpt4j.cli.output.Output;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import io.github.sgpt4j.retrieval.matrix.NpyMatrix;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Finds the ranges that `--precision int8` and `uint8` need, and tells what is doubtful about them.
///
/// @param command whose notices and progress are used
/// @param options as given, without a complaint
record Calibration(ModelCommand command, PrecisionOptions options) {
    /// Whether the ranges are those of the embeddings that are to be written.
    boolean isOfTheEmbeddingsThemselves() {
        return options.precision().needsRanges()
                && options.ranges().isEmpty()
                && options.calibration().isEmpty();
    }

    /// The quantizer, as far as it is known before the first embedding; empty for floats too.
    ///
    /// @param kind of the texts to calibrate with
    Optional<VectorQuantizer> known(BiEncoder encoder, TextKind kind) throws IOException {
        if (options.precision().isBinary()) {
            return Optional.of(VectorQuantizer.of(options.precision()));
        }
        if (!options.precision().needsRanges() || isOfTheEmbeddingsThemselves()) {
            return Optional.empty();
        }
        if (options.ranges().isPresent()) {
            return Optional.of(VectorQuantizer.of(
                    options.precision(), read(options.ranges().get(), encoder)));
        }
        return Optional.of(of(calibrated(options.calibration().orElseThrow(), encoder, kind), encoder));
    }

    private VectorRanges read(Path file, BiEncoder encoder) {
        VectorRanges ranges = VectorRanges.read(file);
        requireDimension(file.toString(), ranges.dimension(), encoder);
        if (ranges.fingerprint()
                .filter(made -> !made.equals(encoder.fingerprint()))
                .isPresent()) {
            command.checkpointNotice(
                    "%s: these ranges are of embeddings of another model, or of other options;".formatted(file)
                            + " numbers outside of them are cut");
        }
        return ranges;
    }

    private static void requireDimension(String file, int dimension, BiEncoder encoder) {
        if (dimension != encoder.dimension()) {
            throw new CliException("%s: expected %d components, as the embeddings have, got %d"
                    .formatted(file, encoder.dimension(), dimension));
        }
    }

    private VectorRanges calibrated(String file, BiEncoder encoder, TextKind kind) throws IOException {
        if (NpyMatrix.isNamed(file)) {
            float[][] vectors = NpyMatrix.read(TextInput.path(file)).vectors();
            requireDimension(file, vectors[0].length, encoder);
            return VectorRanges.of(vectors);
        }
        if (!TextInput.isSupported(file)) {
            throw command.usage(
                    "%s: expected - or a name ending in .npy, .txt, .jsonl, .txt.gz or .jsonl.gz, got \"%s\""
                            .formatted(PrecisionOptions.CALIBRATION, file));
        }
        VectorRanges.Builder ranges = new VectorRanges.Builder();
        try (TextInput in = TextInput.open(file, command.console());
                Chunks chunks = Chunks.of(in, command, "calibrate")) {
            for (List<TextRecord> chunk = chunks.next(); !chunk.isEmpty(); chunk = chunks.next()) {
                List<String> texts = chunk.stream().map(TextRecord::joined).toList();
                for (float[] vector : encoder.embed(texts, kind, chunks.listener())) {
                    ranges.add(vector);
                }
            }
        }
        if (ranges.count() == 0) {
            throw new CliException(file + ": expected texts to calibrate with, found none");
        }
        return ranges.build();
    }

    /// A quantizer with ranges that were just found.
    VectorQuantizer of(VectorRanges found, BiEncoder encoder) {
        if (found.embeddings() < VectorRanges.FEW_EMBEDDINGS) {
            command.notice("the ranges of %s come from %d embeddings only: expect better ones from at least %d (%s)"
                    .formatted(
                            options.precision(),
                            found.embeddings(),
                            VectorRanges.FEW_EMBEDDINGS,
                            PrecisionOptions.CALIBRATION));
        }
        if (found.constantComponents() > 0) {
            command.notice("%d of %d components were the same in all embeddings that give the ranges"
                    .formatted(found.constantComponents(), found.dimension()));
        }
        return VectorQuantizer.of(options.precision(), found.withFingerprint(encoder.fingerprint()));
    }

    /// Writes the ranges where the options say.
    void save(VectorQuantizer quantizer) throws IOException {
        if (options.saved().isPresent() && quantizer.ranges().isPresent()) {
            try (Output out = Output.open(command.console(), options.saved())) {
                quantizer.ranges().get().write(out.stream());
                out.finish();
            }
        }
    }
}
