package io.github.sgpt4j.jmh;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.cpu.CpuOptions;
import io.github.sgpt4j.jmh.Rounds.Contender;
import io.github.sgpt4j.jmh.Rounds.Times;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.tensor.ElementType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// Speed, memory and accuracy of 16-bit weights, each format compared with 32 bits.
final class WeightsReport {
    private static final List<Dtype> FORMATS = List.of(Dtype.FP32, Dtype.BF16, Dtype.FP16);

    private final Rounds rounds;
    private final ReportTable table;
    private final ModelShape shape;
    private final Path checkpoint;
    private final List<String> documents;
    private final String query;

    WeightsReport(Rounds rounds, ReportTable table, ModelShape shape, List<String> documents, String query) {
        this.rounds = rounds;
        this.table = table;
        this.shape = shape;
        this.checkpoint = RandomCheckpoint.directory(shape);
        this.documents = documents;
        this.query = query;
    }

    /// A model with its weights in one format.
    ///
    /// @param vectors embeddings of the documents
    private record Format(Dtype dtype, BiEncoder encoder, float[][] vectors) {}

    void print() {
        List<Format> formats = new ArrayList<>();
        for (Dtype dtype : FORMATS) {
            BiEncoder encoder = Ours.open(checkpoint, Settings.threads(), Settings.DOCUMENT_TOKENS, dtype);
            float[][] vectors = encoder.embed(documents);
            formats.add(new Format(dtype, encoder, vectors));
        }
        speed(formats);
        memory(formats);
        deviation(formats);
        formats.forEach(format -> format.encoder().close());
    }

    private void speed(List<Format> formats) {
        table.heading("Weights in 16 bits: speed", "Question", "Unit", "fp32", "bf16", "÷ fp32", "fp16", "÷ fp32");
        row(
                "Embed documents",
                "texts/s",
                documents.size(),
                measure(formats, f -> f.encoder().embed(documents)));
        row("Embed one query", "ms", 0, measure(formats, f -> f.encoder().embed(query)));
        row("Open and embed one query", "ms", 0, measure(formats, f -> {
            try (BiEncoder encoder = Ours.open(checkpoint, Settings.threads(), Settings.DOCUMENT_TOKENS, f.dtype())) {
                encoder.embed(query);
            }
        }));
    }

    private List<Times> measure(List<Format> formats, Consumer<Format> body) {
        return rounds.measure(formats.stream()
                .map(format -> new Contender(format.dtype().name(), () -> body.accept(format)))
                .toList());
    }

    private void row(String question, String name, double amount, List<Times> times) {
        ReportTable.Unit unit = new ReportTable.Unit(name, amount);
        List<String> cells = new ArrayList<>(List.of(question, name));
        Times base = times.getFirst();
        cells.add(ReportTable.number(unit.value(base.median())));
        for (Times own : times.subList(1, times.size())) {
            cells.add(ReportTable.number(unit.value(own.median())));
            cells.add(ReportTable.spread(
                    Rounds.ratios(own, base, (seconds, first) -> unit.value(seconds) / unit.value(first))));
        }
        table.row(cells.toArray(String[]::new));
    }

    /// The size of packed weights follows from the shape. The file is mapped for every format, but only the
    /// pages with embeddings stay in use.
    private void memory(List<Format> formats) {
        String mapped = ReportTable.number(fileBytes() / 1e6);
        table.heading("Weights in 16 bits: memory", "Weights", "Packed, MB", "Mapped file, MB");
        for (Format format : formats) {
            table.row(name(format.dtype()), ReportTable.number(packedBytes(format.dtype()) / 1e6), mapped);
        }
    }

    private double packedBytes(Dtype dtype) {
        Precision format = switch (dtype) {
            case AUTO -> Precision.AUTO;
            case FP32, TF32 -> Precision.FP32;
            case BF16, FP8 -> Precision.BF16;
            case FP16 -> Precision.FP16;
        };
        int hidden = shape.hidden();
        long square = CpuOptions.of(format).matrixBytes(ElementType.F32, hidden, hidden);
        return (double) shape.matrixWeights() / ((long) hidden * hidden) * square;
    }

    private void deviation(List<Format> formats) {
        table.heading(
                "Weights in 16 bits: embeddings against those of fp32",
                "Model",
                "Weights",
                "Smallest cosine",
                "Relative distance: median (max)");
        for (Format format : formats.subList(1, formats.size())) {
            deviation("random", format.dtype(), formats.getFirst().vectors(), format.vectors());
        }
        // A trained model stored in fp16, so results in that format are exact.
        Path trained = NanoModel.directory();
        float[][] exact = trained(trained, Dtype.FP32);
        for (Dtype dtype : FORMATS.subList(1, FORMATS.size())) {
            deviation("built-in (trained, stored in fp16)", dtype, exact, trained(trained, dtype));
        }
    }

    private float[][] trained(Path directory, Dtype dtype) {
        try (BiEncoder encoder = Ours.open(directory, Settings.threads(), Settings.DOCUMENT_TOKENS, dtype)) {
            return encoder.embed(documents);
        }
    }

    private void deviation(String model, Dtype dtype, float[][] expected, float[][] got) {
        double[] distances = new double[got.length];
        double cosine = 1;
        for (int i = 0; i < got.length; i++) {
            distances[i] = Agreement.distance(expected[i], got[i]);
            cosine = Math.min(cosine, Agreement.cosine(expected[i], got[i]));
        }
        table.row(
                model,
                name(dtype),
                String.format(Locale.ROOT, "%.7f", cosine),
                String.format(
                        Locale.ROOT,
                        "%.1e (%.1e)",
                        Rounds.median(distances),
                        Arrays.stream(distances).max().orElse(Double.NaN)));
    }

    private static String name(Dtype dtype) {
        return dtype.name().toLowerCase(Locale.ROOT);
    }

    private long fileBytes() {
        try (Stream<Path> files = Files.list(checkpoint)) {
            long bytes = 0;
            for (Path file :
                    files.filter(f -> f.toString().endsWith(".safetensors")).toList()) {
                bytes += Files.size(file);
            }
            return bytes;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
