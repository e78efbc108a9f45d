package io.github.sgpt4j.inference;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.text.WellFormed;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Reads a [PairPrompt] from a JSON file; src/docs/rerankers.md describes its keys.
public final class PromptFile {
    private static final String PROMPT = "prompt";
    private static final String START = "start";
    private static final String EXAMPLE = "example";
    private static final String CHOICES = "choices";
    private static final String VOCABULARY = "vocabulary";
    private static final Set<String> KEYS = Set.of(PROMPT, START, EXAMPLE, CHOICES, VOCABULARY);
    private static final Set<String> EXAMPLE_KEYS = Set.of("document", "query");

    private static final int MAX_CHOICES = 64;

    private PromptFile() {}

    /// @throws FormatException if the file is missing or broken, or has other keys
    public static PairPrompt read(Path path) {
        JsonFile file = JsonFile.readObject(path);
        onlyKeys(file, KEYS);
        String stated = required(file, PROMPT);
        Optional<PaperPrompt> ofPaper = PaperPrompt.find(stated);
        if (ofPaper.isPresent()) {
            refuse(file, START, "beside a prompt of the paper");
            refuse(file, CHOICES, "beside a prompt of the paper");
        }
        List<String> choices = ofPaper.map(PaperPrompt::choices).orElseGet(() -> choices(file));
        PromptTemplate template =
                template(path, PROMPT, ofPaper.map(PaperPrompt::template).orElse(stated), !choices.isEmpty());
        Optional<String> start = ofPaper.map(PaperPrompt::start)
                .orElseGet(() -> Optional.of(START).filter(file::has).map(key -> unicode(file, key)));
        Optional<JsonFile> example = file.object(EXAMPLE);
        if (start.isPresent() != example.isPresent()) {
            throw new FormatException(
                    start.isPresent()
                            ? "%s: expected key \"example\", as the prompt starts with one, found none".formatted(path)
                            : "%s: key \"example\": expected \"start\" too, the template with {} for the example's document and query"
                                    .formatted(path));
        }
        if (example.isPresent()) {
            String first = filled(path, start.orElseThrow(), example.get());
            template = template.withExample(choices.isEmpty() ? first : first + choices.getFirst());
        }
        String fileName = String.valueOf(path.getFileName());
        return new PairPrompt(
                ofPaper.map(letter -> "%s (%s)".formatted(letter, fileName)).orElse(fileName),
                template,
                choices,
                baseVocabulary(file, choices));
    }

    private static String filled(Path path, String start, JsonFile example) {
        onlyKeys(example, EXAMPLE_KEYS);
        return template(path, START, start, true).context(required(example, "document"), required(example, "query"));
    }

    private static void onlyKeys(JsonFile file, Set<String> keys) {
        for (String key : file.keys()) {
            if (!keys.contains(key)) {
                throw new FormatException("%s: key %s: expected one of %s"
                        .formatted(
                                file.path(),
                                Quoted.of(key),
                                keys.stream().sorted().toList()));
            }
        }
    }

    private static String required(JsonFile file, String key) {
        if (!file.has(key)) {
            throw new FormatException("%s: expected key \"%s\", found none".formatted(file.path(), key));
        }
        return unicode(file, key);
    }

    /// Half a surrogate pair is no text: tokens would be those of another one.
    private static String unicode(JsonFile file, String key) {
        String text = file.text(key, "");
        if (!WellFormed.is(text)) {
            throw file.wrong(key, "Unicode text", file.node(key).orElseThrow());
        }
        return text;
    }

    private static void refuse(JsonFile file, String key, String where) {
        if (file.has(key)) {
            throw new FormatException("%s: key \"%s\": expected none %s, found one".formatted(file.path(), key, where));
        }
    }

    private static PromptTemplate template(Path path, String key, String text, boolean pair) {
        try {
            return pair ? PromptTemplate.parsePair(text) : PromptTemplate.parse(text);
        } catch (IllegalArgumentException e) {
            throw new FormatException("%s: key \"%s\": %s".formatted(path, key, e.getMessage()), e);
        }
    }

    private static List<String> choices(JsonFile file) {
        Optional<JsonNode> value = file.node(CHOICES);
        if (value.isEmpty()) {
            return List.of();
        }
        List<String> choices = new ArrayList<>();
        for (JsonNode each : value.get()) {
            choices.add(each.isTextual() && WellFormed.is(each.textValue()) ? each.textValue() : "");
        }
        boolean different = new HashSet<>(choices).size() == choices.size();
        if (choices.size() < 2 || choices.size() > MAX_CHOICES || choices.contains("") || !different) {
            throw file.wrong(CHOICES, "a list of 2 to %d different tokens".formatted(MAX_CHOICES), value.get());
        }
        return choices;
    }

    private static boolean baseVocabulary(JsonFile file, List<String> choices) {
        if (!file.has(VOCABULARY)) {
            return false;
        }
        if (!choices.isEmpty()) {
            refuse(file, VOCABULARY, "beside \"choices\", which are all that the softmax runs over");
        }
        return switch (file.text(VOCABULARY, "")) {
            case "model" -> false;
            case "tokenizer" -> true;
            default ->
                throw file.wrong(
                        VOCABULARY,
                        "one of [model, tokenizer]",
                        file.node(VOCABULARY).orElseThrow());
        };
    }
}
