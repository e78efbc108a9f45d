package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.MemoryNeed;
import io.github.sgpt4j.ModelInfo;
import io.github.sgpt4j.ScoringMethod;
import io.github.sgpt4j.TensorInfo;
import io.github.sgpt4j.TensorStatistics;
import io.github.sgpt4j.cli.console.TextTable;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// The findings of `sgpt inspect` as text.
public final class InspectText {
    private static final double MEGABYTE = 1e6;

    private InspectText() {}

    public static String render(InspectCommand.Findings findings) {
        TextTable facts = new TextTable("ll");
        facts(findings.info(), facts);
        memory(findings.memory(), facts);
        StringBuilder text = new StringBuilder(facts.toString());
        findings.tensors().ifPresent(all -> text.append('\n').append(tensors(all)));
        findings.statistics().ifPresent(all -> text.append('\n').append(statistics(all)));
        return text.toString();
    }

    private static void facts(ModelInfo info, TextTable facts) {
        facts.row("directory", info.directory().toString());
        facts.row("family", info.modelType());
        facts.row("layers", "%d".formatted(info.layers()));
        facts.row("hidden size", "%,d".formatted(info.hidden()));
        facts.row("heads", "%d of %d, %d for keys and values".formatted(info.heads(), info.headDim(), info.kvHeads()));
        facts.row(
                "positions",
                "%s, %s %,d tokens"
                        .formatted(
                                info.positions(),
                                info.positions().equals("learned") ? "at most" : "made for",
                                info.maxPositions()));
        facts.row(
                "attention",
                "%s (%s)".formatted(info.attention(), info.sources().attention()));
        facts.row("vocabulary", "%,d".formatted(info.vocabulary()));
        facts.row("parameters", "%,d".formatted(info.parameters()));
        facts.row(
                "stored as",
                info.elementsByDtype().entrySet().stream()
                        .map(entry -> "%s (%,d elements)".formatted(entry.getKey(), entry.getValue()))
                        .collect(Collectors.joining(", ")));
        facts.row(
                "files", info.files().stream().map(file -> relative(info, file)).collect(Collectors.joining(", ")));
        facts.row("tensor bytes", "%,d".formatted(info.bytes()));
        facts.row("tokenizer", info.tokenizer());
        facts.row(
                "pooling",
                info.pooling().isEmpty()
                        ? info.sources().pooling()
                        : "%s (%s)"
                                .formatted(join(info.pooling()), info.sources().pooling()));
        facts.row("modules", modules(info));
        facts.row(
                "text length",
                "cut to %,d tokens (%s)"
                        .formatted(info.maxLength(), info.sources().maxLength()));
        facts.row("specb", specb(info));
        facts.row("prompts", prompts(info));
        facts.row(
                "embeddings",
                "compared by %s%s"
                        .formatted(
                                info.similarity(),
                                info.dimension() == 0
                                        ? ""
                                        : "; of at most %,d components, truncate_dim of config_sentence_transformers.json"
                                                .formatted(info.dimension())));
        facts.row("pairs", scoring(info));
    }

    private static String scoring(ModelInfo info) {
        return info.scoring()
                .map(scoring -> "%s with the template %s, cut to %,d tokens%s (%s)"
                        .formatted(
                                scoring.method(),
                                scoring.template(),
                                scoring.maxLength(),
                                scoring.method() == ScoringMethod.LIKELIHOOD
                                        ? ", softmax over all %,d rows of the output head".formatted(info.vocabulary())
                                        : "",
                                info.sources().scoring()))
                .orElse("none: " + info.sources().scoring());
    }

    private static String modules(ModelInfo info) {
        if (info.pooling().isEmpty()) {
            return "none for embeddings";
        }
        String after = info.modules().isEmpty() ? "none after pooling" : join(info.modules());
        return info.tokenModules().isEmpty() ? after : join(info.tokenModules()) + " before pooling, then " + after;
    }

    private static String relative(ModelInfo info, Path file) {
        return file.startsWith(info.directory())
                ? info.directory().relativize(file).toString()
                : file.toString();
    }

    private static String join(List<?> values) {
        return values.stream().map(String::valueOf).collect(Collectors.joining(", "));
    }

    private static String specb(ModelInfo info) {
        return info.specb()
                ? "yes: %s; so queries get [ ] and documents { } (--no-specb for none)"
                        .formatted(info.sources().specb())
                : "no: %s (--specb if it is such a model)"
                        .formatted(info.sources().specb());
    }

    private static String prompts(ModelInfo info) {
        if (info.prompts().isEmpty()) {
            return "none";
        }
        String all = info.prompts().entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(entry -> "%s \"%s\"".formatted(entry.getKey(), entry.getValue()))
                .collect(Collectors.joining(", "));
        return "%s (%s%s)".formatted(all, info.sources().prompts(), info.specb() ? "; not used: brackets instead" : "");
    }

    private static void memory(List<MemoryNeed> needs, TextTable facts) {
        for (MemoryNeed need : needs) {
            facts.row(
                    "memory %s %s".formatted(need.device(), need.dtype()),
                    "%s: weights %s, activations %s%s"
                            .formatted(
                                    megabytes(need.total()),
                                    megabytes(need.weights()),
                                    megabytes(need.activations()),
                                    need.head() == 0 ? "" : "; scoring " + megabytes(need.head()) + " more"));
        }
        facts.row(
                "memory covers",
                "weights and %,d tokens at once (--batch-tokens); not the JVM, the tokenizer, a device's libraries"
                                .formatted(needs.getFirst().tokens())
                        + " and cached pages of files");
    }

    private static String megabytes(long bytes) {
        return "%,.1f MB".formatted(bytes / MEGABYTE);
    }

    private static String tensors(List<TensorInfo> all) {
        TextTable table = new TextTable("lllrl").row("tensor", "type", "shape", "bytes", "file");
        for (TensorInfo tensor : all) {
            table.row(
                    tensor.name(),
                    tensor.dtype(),
                    tensor.shape().toString(),
                    "%,d".formatted(tensor.bytes()),
                    String.valueOf(tensor.file().getFileName()));
        }
        return table.toString();
    }

    private static String statistics(List<TensorStatistics> all) {
        TextTable table = new TextTable("lrrrrr").row("tensor", "NaN", "infinite", "least", "greatest", "magnitude");
        for (TensorStatistics s : all) {
            table.row(
                    s.tensor().name(),
                    "%,d".formatted(s.nan()),
                    "%,d".formatted(s.infinite()),
                    "%.6g".formatted(s.min()),
                    "%.6g".formatted(s.max()),
                    "%.6g".formatted(s.absMax()));
        }
        long broken = all.stream().filter(s -> !s.isFinite()).count();
        return "%s%n%,d tensors scanned, %s%n"
                .formatted(table, all.size(), broken == 0 ? "all finite" : "%,d not finite".formatted(broken));
    }
}
