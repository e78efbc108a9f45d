package io.github.sgpt4j.cli;

import io.github.sgpt4j.Model;
import io.github.sgpt4j.ModelInfo;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;

/// `sgpt inspect`: what a checkpoint is.
@Command(
        name = "inspect",
        versionProvider = VersionProvider.class,
        description = "Show what a checkpoint is, and check its weights for NaN and infinity.")
final class InspectCommand extends ModelCommand {
    InspectCommand(Console console) {
        super(console);
    }

    @Override
    void run() throws IOException {
        try (Model model = openModel();
                Output out = Output.open(console(), Optional.empty())) {
            out.stream().write(render(facts(model.info())).getBytes(StandardCharsets.UTF_8));
            for (String line : model.findNonFinite()) {
                // A warning, told even when quiet: it is what one inspects for.
                console().say("warning: " + line);
            }
            out.finish();
        }
    }

    private static String render(Map<String, String> facts) {
        int width = facts.keySet().stream().mapToInt(String::length).max().orElse(0) + 2;
        StringBuilder text = new StringBuilder();
        facts.forEach((name, value) -> text.append(name)
                .repeat(' ', width - name.length())
                .append(Console.oneLine(value))
                .append('\n'));
        return text.toString();
    }

    private static Map<String, String> facts(ModelInfo info) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("directory", info.directory().toString());
        facts.put("family", info.modelType());
        facts.put("layers", "%d".formatted(info.layers()));
        facts.put("hidden size", "%,d".formatted(info.hidden()));
        facts.put("heads", "%d of %d, %d for keys and values".formatted(info.heads(), info.headDim(), info.kvHeads()));
        facts.put("positions", "%s, at most %,d tokens".formatted(info.positions(), info.maxPositions()));
        facts.put("vocabulary", "%,d".formatted(info.vocabulary()));
        facts.put("parameters", "%,d".formatted(info.parameters()));
        facts.put(
                "stored as",
                info.elementsByDtype().entrySet().stream()
                        .map(entry -> "%s (%,d elements)".formatted(entry.getKey(), entry.getValue()))
                        .collect(Collectors.joining(", ")));
        facts.put(
                "files",
                info.files().stream()
                        .map(Path::getFileName)
                        .map(String::valueOf)
                        .collect(Collectors.joining(", ")));
        facts.put("tensor bytes", "%,d".formatted(info.bytes()));
        facts.put("tokenizer", info.tokenizer());
        facts.put("pooling", join(info.pooling()));
        facts.put("modules", info.modules().isEmpty() ? "none after pooling" : join(info.modules()));
        facts.put("text length", "cut to %,d tokens".formatted(info.maxLength()));
        facts.put("specb", specb(info));
        facts.put("prompts", prompts(info));
        return facts;
    }

    private static String join(Iterable<?> values) {
        StringBuilder text = new StringBuilder();
        for (Object value : values) {
            text.append(text.isEmpty() ? "" : ", ").append(value);
        }
        return text.toString();
    }

    private static String specb(ModelInfo info) {
        return info.specb()
                ? "yes: \"specb\" is in the model's name, so queries get [ ] and documents { } (--no-specb for none)"
                : "no: \"specb\" is not in the model's name (--specb if it is such a model)";
    }

    private static String prompts(ModelInfo info) {
        if (info.prompts().isEmpty()) {
            return "none";
        }
        String all = info.prompts().entrySet().stream()
                .map(entry -> "%s \"%s\"".formatted(entry.getKey(), entry.getValue()))
                .collect(Collectors.joining(", "));
        return info.specb() ? all + " (not used: brackets instead)" : all;
    }
}
