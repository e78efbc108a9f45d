package io.github.sgpt4j.cli.command;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.sgpt4j.cli.console.TextTable;
import io.github.sgpt4j.weightstools.VerifyReport;
import io.github.sgpt4j.weightstools.VerifyReport.Finding;
import io.github.sgpt4j.weightstools.VerifyReport.HashedFile;
import io.github.sgpt4j.weightstools.VerifyReport.Severity;
import io.github.sgpt4j.weightstools.VerifyReport.WeightFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/// Writes the findings of `sgpt verify`.
public final class VerifyRenderer {
    private VerifyRenderer() {}

    /// For people.
    public static String text(VerifyReport report) {
        StringBuilder text = new StringBuilder();
        TextTable facts = new TextTable("ll");
        facts.row("directory", report.directory().toString());
        facts.row("model", report.model().orElse("unknown"));
        for (WeightFolder folder : report.folders()) {
            facts.row("tensors", tensors(report, folder));
        }
        facts.row("tokenizer", report.tokenizer().orElse("unreadable"));
        text.append(facts).append('\n');
        TextTable files = new TextTable("llrll").row("hash", "file", "bytes", "SHA-256", "compared with");
        for (HashedFile file : report.files()) {
            files.row(
                    file.expectedFrom().isEmpty() ? "unknown" : file.matches() ? "ok" : "WRONG",
                    name(report, file.file()),
                    "%,d".formatted(file.bytes()),
                    file.sha256(),
                    file.expectedFrom().orElse("nothing"));
        }
        text.append(files).append('\n');
        TextTable findings = new TextTable("ll");
        report.findings().forEach(finding -> findings.row(severity(finding), finding.message()));
        return text.append(findings).append(verdict(report)).append('\n').toString();
    }

    private static String tensors(VerifyReport report, WeightFolder folder) {
        String where = name(report, folder.folder());
        return "%s%,d of %,d expected are correct, %,d stored%s%s"
                .formatted(
                        where.isEmpty() ? "" : where + ": ",
                        folder.found(),
                        folder.expected(),
                        folder.stored(),
                        folder.buffers().isEmpty()
                                ? ""
                                : "; %,d are buffers that models recompute, or aliases"
                                        .formatted(folder.buffers().size()),
                        folder.unused().isEmpty()
                                ? ""
                                : "; %,d are unused".formatted(folder.unused().size()));
    }

    private static String verdict(VerifyReport report) {
        long errors = count(report, Severity.ERROR);
        long warnings = count(report, Severity.WARNING);
        if (errors + warnings == 0) {
            return "sound";
        }
        return "%s: %,d errors, %,d warnings".formatted(report.isSound() ? "sound" : "not sound", errors, warnings);
    }

    private static long count(VerifyReport report, Severity severity) {
        return report.findings().stream()
                .filter(finding -> finding.severity() == severity)
                .count();
    }

    private static String severity(Finding finding) {
        return finding.severity().name().toLowerCase(Locale.ROOT);
    }

    private static String name(VerifyReport report, Path file) {
        return file.startsWith(report.directory())
                ? report.directory().relativize(file).toString()
                : file.toString();
    }

    /// The fields of one JSON object.
    public static void json(VerifyReport report, JsonGenerator json) throws IOException {
        json.writeStringField("directory", report.directory().toString());
        json.writeBooleanField("sound", report.isSound());
        if (report.model().isPresent()) {
            json.writeStringField("model", report.model().get());
        }
        if (report.tokenizer().isPresent()) {
            json.writeStringField("tokenizer", report.tokenizer().get());
        }
        json.writeArrayFieldStart("files");
        for (HashedFile file : report.files()) {
            json.writeStartObject();
            json.writeStringField("file", name(report, file.file()));
            json.writeNumberField("bytes", file.bytes());
            json.writeStringField("sha256", file.sha256());
            if (file.expectedFrom().isPresent()) {
                json.writeBooleanField("matches", file.matches());
                json.writeStringField("compared_with", file.expectedFrom().get());
            }
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeArrayFieldStart("folders");
        for (WeightFolder folder : report.folders()) {
            folder(report, folder, json);
        }
        json.writeEndArray();
        json.writeArrayFieldStart("findings");
        for (Finding finding : report.findings()) {
            json.writeStartObject();
            json.writeStringField("severity", severity(finding));
            json.writeStringField("message", finding.message());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void folder(VerifyReport report, WeightFolder folder, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("folder", name(report, folder.folder()));
        json.writeNumberField("stored", folder.stored());
        json.writeNumberField("expected", folder.expected());
        json.writeNumberField("right", folder.found());
        names(json, "buffers", folder.buffers());
        names(json, "unused", folder.unused());
        json.writeEndObject();
    }

    private static void names(JsonGenerator json, String field, List<String> names) throws IOException {
        json.writeArrayFieldStart(field);
        for (String name : names) {
            json.writeString(name);
        }
        json.writeEndArray();
    }
}
