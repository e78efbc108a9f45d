package io.github.sgpt4j.cli.command;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.sgpt4j.cli.console.TextTable;
import io.github.sgpt4j.retrieval.IndexReport;
import io.github.sgpt4j.retrieval.IndexReport.Check;
import io.github.sgpt4j.retrieval.IndexReport.Outcome;
import java.io.IOException;
import java.util.Locale;

/// Writes the findings of `sgpt verify --index`.
public final class IndexReportRenderer {
    private IndexReportRenderer() {}

    /// For people.
    public static String text(IndexReport report) {
        StringBuilder text = new StringBuilder();
        TextTable facts = new TextTable("ll");
        facts.row("directory", report.path().toString());
        facts.row("model", report.model().map(Object::toString).orElse("unknown"));
        report.similarity().ifPresent(similarity -> facts.row("similarity", similarity.toString()));
        report.options()
                .ifPresent(options -> facts.row(
                        "graph",
                        "%s, %,d connections, beam width %,d"
                                .formatted(word(options.storage()), options.connections(), options.beamWidth())));
        text.append(facts).append('\n');
        TextTable checks = new TextTable("lll");
        for (Check check : report.checks()) {
            checks.row(
                    check.outcome() == Outcome.WRONG ? "WRONG" : word(check.outcome()),
                    word(check.kind()),
                    check.message());
        }
        return text.append(checks)
                .append(report.isSound() ? "sound" : "not sound")
                .append('\n')
                .toString();
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    /// The fields of one JSON object.
    public static void json(IndexReport report, JsonGenerator json) throws IOException {
        json.writeStringField("directory", report.path().toString());
        json.writeBooleanField("sound", report.isSound());
        if (report.model().isPresent()) {
            json.writeObjectFieldStart("model");
            json.writeStringField("name", report.model().get().name());
            json.writeStringField("fingerprint", report.model().get().fingerprint());
            json.writeNumberField("dimension", report.model().get().dimension());
            json.writeStringField("pooling", report.model().get().pooling());
            json.writeEndObject();
        }
        if (report.similarity().isPresent()) {
            json.writeStringField("similarity", report.similarity().get().toString());
        }
        if (report.options().isPresent()) {
            json.writeStringField("vectors", word(report.options().get().storage()));
            json.writeNumberField("connections", report.options().get().connections());
            json.writeNumberField("beam_width", report.options().get().beamWidth());
        }
        json.writeArrayFieldStart("checks");
        for (Check check : report.checks()) {
            json.writeStartObject();
            json.writeStringField("check", word(check.kind()));
            json.writeStringField("outcome", word(check.outcome()));
            json.writeStringField("message", check.message());
            json.writeEndObject();
        }
        json.writeEndArray();
    }
}
