package io.github.sgpt4j.cli.command;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.sgpt4j.SpeedPlan;
import io.github.sgpt4j.SpeedReport;
import io.github.sgpt4j.SpeedTest;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.console.TextTable;
import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.cli.option.VersionProvider;
import io.github.sgpt4j.cli.output.JsonLines;
import io.github.sgpt4j.cli.output.Output;
import io.github.sgpt4j.cli.output.ReportFormat;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `sgpt bench`: measures how fast a device runs a model.
@Command(
        name = "bench",
        versionProvider = VersionProvider.class,
        description = {
            "Measure how fast a device runs a model, or a shape with random weights: embedding and scoring texts of"
                    + " random tokens, the breakdown of the time, and the peak rates of the device in the same run."
        },
        footer = {
            "",
            "Examples:",
            "  sgpt bench --shape 125M --seconds 30",
            "  sgpt bench -m OWNER/NAME --device cuda --dtype bf16"
        })
public final class BenchCommand extends ModelCommand {
    private static final double TERA = 1e12;
    private static final double GIGA = 1e9;
    /// An estimate that is not this much longer than asked for is not worth a line.
    private static final double TOLERANCE = 1.2;

    @Option(
            names = "--shape",
            paramLabel = "NAME",
            description = "Random weights instead of a model: 125M, 1.3B, 2.7B, 5.8B or BLOOM-7B1.")
    private @Nullable String shape;

    @Option(
            names = "--texts",
            paramLabel = "N",
            converter = Converters.Count.class,
            description =
                    "Texts per pass (default: as many as fill two batches, four on a GPU, or fewer if --seconds does not"
                            + " suffice for them).")
    private int texts;

    @Option(
            names = "--tokens",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Tokens per text (default: 300, or the model's limit if that is lower).")
    private int tokens;

    @Option(
            names = "--query-tokens",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Tokens of the query scored against each text (default: ${DEFAULT-VALUE}).")
    private int queryTokens = 16;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Seconds for everything but opening the model; longer only if three passes take longer"
                    + " (default: ${DEFAULT-VALUE}).")
    private int seconds = 10;

    @Option(names = "--format", paramLabel = "FORMAT", description = "text, or json for one object (default: text).")
    private ReportFormat format = ReportFormat.TEXT;

    public BenchCommand(Console console) {
        super(console);
    }

    @Override
    public void run() throws IOException {
        Optional<String> named = Optional.ofNullable(shape);
        if (named.isPresent() && modelName().isPresent()) {
            throw usage("expected either --shape or --model, got both");
        }
        if (named.isPresent()) {
            refuse("with --shape, whose weights are random", BIASES);
        }
        String subject =
                named.map(s -> s + ", random weights").or(this::modelName).orElse("built-in model");
        SpeedReport report;
        SpeedPlan work;
        try (SpeedTest test = open(named)) {
            test.deviceNotice().ifPresent(this::notice);
            notice("measuring for about %d s".formatted(seconds));
            work = plan(test);
            tell(work);
            report = test.run(work);
            test.noticesInUse().forEach(this::notice);
        }
        try (Output out = Output.open(console(), Optional.empty())) {
            write(subject, work, report, out.stream());
            out.finish();
        }
    }

    private SpeedTest open(Optional<String> named) throws IOException {
        if (named.isEmpty()) {
            return open(SpeedTest::of);
        }
        if (SpeedTest.shapes().stream().noneMatch(named.get()::equalsIgnoreCase)) {
            throw usage("--shape: expected one of %s, got \"%s\""
                    .formatted(String.join(", ", SpeedTest.shapes()), named.get()));
        }
        return SpeedTest.ofShape(named.get(), common().modelOptions());
    }

    private SpeedPlan plan(SpeedTest test) {
        int length = tokens > 0 ? tokens : test.usualTokens(queryTokens);
        int batchTokens = common().batchTokens().orElseGet(test::batchTokens);
        try {
            return test.plan(texts, length, queryTokens, batchTokens, seconds);
        } catch (IllegalArgumentException e) {
            throw usage(String.valueOf(e.getMessage()));
        }
    }

    /// Says what differs from what was asked for.
    private void tell(SpeedPlan plan) {
        if (texts == 0 && plan.texts() < plan.usualTexts()) {
            notice(("passes of %,d texts instead of %,d, which fill the batches, so that three passes fit; a longer"
                            + " --seconds may show higher rates")
                    .formatted(plan.texts(), plan.usualTexts()));
        }
        if (plan.expectedSeconds() > TOLERANCE * seconds) {
            notice("%d passes of %,d texts take longer: about %.0f s in all"
                    .formatted(SpeedPlan.MIN_PASSES, plan.texts(), plan.expectedSeconds()));
        }
    }

    private void write(String subject, SpeedPlan work, SpeedReport report, OutputStream out) throws IOException {
        switch (format) {
            case TEXT -> out.write(text(subject, work, report).getBytes(StandardCharsets.UTF_8));
            case JSON -> {
                JsonLines json = new JsonLines(out);
                json.line(line -> json(subject, work, report, line));
                json.flush();
            }
        }
    }

    private String text(String subject, SpeedPlan work, SpeedReport report) {
        SpeedReport.Parts parts = report.parts();
        SpeedReport.Ceiling ceiling = report.ceiling();
        return new TextTable("lrl")
                .row("model", "", subject)
                .row(
                        "device",
                        "",
                        report.device() + ", " + common().modelOptions().dtype())
                .row(
                        "work",
                        "",
                        "%,d texts of %,d tokens, queries of %,d, %,d tokens at a time"
                                .formatted(work.texts(), work.tokens(), queryTokens, work.batchTokens()))
                .row("embedding", number(report.texts().median()), "texts/s" + spread(report.texts()))
                .row("", number(report.tokens().median()), "tokens/s" + spread(report.tokens()))
                .row("scoring", number(report.pairs().median()), "pairs/s" + spread(report.pairs()))
                .row(
                        "matrix products",
                        percent(parts.products()),
                        "of the time, %s TFLOP/s, %s of a large product's %s"
                                .formatted(
                                        number(parts.productFlops() / TERA),
                                        percent(parts.productFlops() / ceiling.productFlops()),
                                        number(ceiling.productFlops() / TERA)))
                .row(
                        "attention",
                        percent(parts.attention()),
                        "of the time, %s TFLOP/s".formatted(number(parts.attentionFlops() / TERA)))
                .row(
                        "the rest",
                        percent(parts.rest()),
                        "of the time, %s GB/s, %s of a copy's %s"
                                .formatted(
                                        number(parts.restBytes() / GIGA),
                                        percent(parts.restBytes() / ceiling.copyBytes()),
                                        number(ceiling.copyBytes() / GIGA)))
                .toString();
    }

    private static String spread(SpeedReport.Rate rate) {
        return " (%s to %s in %d passes)".formatted(number(rate.least()), number(rate.most()), rate.passes());
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.0f %%", 100 * share);
    }

    /// At least three significant digits.
    private static String number(double value) {
        int decimals = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
        return String.format(Locale.ROOT, "%,." + decimals + "f", value);
    }

    private void json(String subject, SpeedPlan work, SpeedReport report, JsonGenerator json) throws IOException {
        json.writeStringField("model", subject);
        json.writeStringField("device", report.device());
        json.writeStringField("dtype", common().modelOptions().dtype().toString());
        json.writeNumberField("texts", work.texts());
        json.writeNumberField("tokens", work.tokens());
        json.writeNumberField("query_tokens", queryTokens);
        json.writeNumberField("batch_tokens", work.batchTokens());
        rate(json, "texts_per_second", report.texts());
        rate(json, "tokens_per_second", report.tokens());
        rate(json, "pairs_per_second", report.pairs());
        SpeedReport.Parts parts = report.parts();
        json.writeObjectFieldStart("time");
        json.writeNumberField("products", parts.products());
        json.writeNumberField("attention", parts.attention());
        json.writeNumberField("rest", parts.rest());
        json.writeEndObject();
        json.writeNumberField("product_flops", parts.productFlops());
        json.writeNumberField("attention_flops", parts.attentionFlops());
        json.writeNumberField("rest_bytes_per_second", parts.restBytes());
        json.writeNumberField("ceiling_product_flops", report.ceiling().productFlops());
        json.writeNumberField("ceiling_copy_bytes_per_second", report.ceiling().copyBytes());
    }

    private static void rate(JsonGenerator json, String name, SpeedReport.Rate rate) throws IOException {
        json.writeObjectFieldStart(name);
        json.writeNumberField("median", rate.median());
        json.writeNumberField("least", rate.least());
        json.writeNumberField("most", rate.most());
        json.writeNumberField("passes", rate.passes());
        json.writeEndObject();
    }
}
