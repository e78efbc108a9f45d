package io.github.sgpt4j.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.files.FileEntries;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.json.Unreadable;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// The chat template of a re-ranker in the layout of sentence-transformers, and how it is applied.
///
/// @param template its text
/// @param source the file that holds it
/// @param variables names and values for the template: text, numbers, true and false
/// @param structured whether a message's content is a list of parts instead of text
/// @param keepsEnd whether the template's end is put back when a prompt is cut
public record ChatSettings(
        String template, Path source, Map<String, Object> variables, boolean structured, boolean keepsEnd) {
    private static final String FILE = "chat_template.jinja";
    private static final String KEY = "chat_template";
    private static final String KEEPS_END = "restore_suffix";

    /// A longer template is considered broken.
    private static final int MAX_BYTES = 1 << 20;

    /// Arguments of calls that change nothing here: prompts are not padded.
    private static final Set<String> HARMLESS =
            Set.of("padding", "return_tensors", "return_dict", "tokenize", "return_attention_mask");

    public ChatSettings {
        variables = Map.copyOf(variables);
    }

    /// What prompts depend on, as text: independent of where the files are, the same in every virtual machine.
    String identity() {
        return "%s %s %s %s".formatted(template, new TreeMap<>(variables), structured, keepsEnd);
    }

    /// Reads the files in the transformer's folder.
    ///
    /// @return empty if there is no template, or the model takes plain texts only
    static Optional<ChatSettings> read(Path transformer, JsonFiles json) {
        Optional<JsonFile> settings = json.objectIfPresent(transformer.resolve(TransformerSettings.FILE));
        Optional<JsonFile> modalities = settings.flatMap(file -> file.object("modality_config"));
        Optional<JsonFile> message = modalities.flatMap(file -> file.object("message"));
        if (modalities.isPresent() && message.isEmpty()) {
            return Optional.empty();
        }
        Optional<JsonFile> config = json.objectIfPresent(transformer.resolve("tokenizer_config.json"));
        Path file = transformer.resolve(FILE);
        Optional<String> own = FileEntries.exists(file) ? Optional.of(text(file)) : Optional.empty();
        Optional<String> text = own.or(() -> config.flatMap(ChatSettings::stated));
        if (text.isEmpty()) {
            return Optional.empty();
        }
        Map<String, Object> variables = new LinkedHashMap<>();
        config.ifPresent(each -> addSpecialTokens(each, variables));
        boolean keepsEnd = settings.flatMap(each -> each.object("processing_kwargs"))
                .flatMap(each -> each.object(KEY))
                .map(each -> addArguments(each, variables))
                .orElse(true);
        return Optional.of(new ChatSettings(
                text.get(),
                own.isPresent() ? file : transformer.resolve("tokenizer_config.json"),
                variables,
                message.map(ChatSettings::isStructured).orElse(false),
                keepsEnd));
    }

    private static String text(Path file) {
        try {
            long bytes = Files.size(file);
            if (bytes > MAX_BYTES) {
                throw new FormatException(
                        "%s: expected a template of at most %,d bytes, got %,d".formatted(file, MAX_BYTES, bytes));
            }
            return Files.readString(file);
        } catch (CharacterCodingException e) {
            throw new FormatException("%s: expected text in UTF-8".formatted(file), e);
        } catch (IOException e) {
            throw Unreadable.of(file, e);
        }
    }

    private static boolean isStructured(JsonFile message) {
        String format = message.text("format", "flat");
        if (!format.equals("flat") && !format.equals("structured")) {
            throw message.unsupported("format", "flat and structured are");
        }
        return format.equals("structured");
    }

    /// The template in `tokenizer_config.json`: a text, or the one named `default` of a list.
    private static Optional<String> stated(JsonFile config) {
        Optional<JsonNode> value = config.node(KEY);
        if (value.isEmpty() || value.get().isTextual()) {
            return value.map(JsonNode::textValue);
        }
        for (JsonNode each : value.get()) {
            if (each.path("name").asText().equals("default")
                    && each.path("template").isTextual()) {
                return Optional.of(each.path("template").textValue());
            }
        }
        throw config.wrong(KEY, "a string, or a list of objects, one with the name \"default\"", value.get());
    }

    private static void addSpecialTokens(JsonFile config, Map<String, Object> variables) {
        for (String name :
                List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")) {
            config.node(name).ifPresent(value -> {
                JsonNode content = value.isObject() ? value.path("content") : value;
                if (!content.isTextual()) {
                    throw config.wrong(name, "a token", value);
                }
                variables.put(name, content.textValue());
            });
        }
    }

    /// @return whether the template's end is put back
    private static boolean addArguments(JsonFile arguments, Map<String, Object> variables) {
        boolean keepsEnd = arguments.bool(KEEPS_END, true);
        for (String name : arguments.keys()) {
            JsonNode value = arguments.node(name).orElse(null);
            if (value == null || name.equals(KEEPS_END) || HARMLESS.contains(name)) {
                continue;
            }
            if (name.equals("truncation") && value.isBoolean() && value.booleanValue()) {
                continue;
            }
            if (name.equals("truncation") || name.equals("max_length") || value.isContainerNode()) {
                throw arguments.unsupported(name, "values for the template are text, numbers, true and false");
            }
            variables.put(
                    name,
                    value.isTextual()
                            ? value.textValue()
                            : value.isBoolean()
                                    ? (Object) value.booleanValue()
                                    : value.isIntegralNumber() ? (Object) value.longValue() : value.doubleValue());
        }
        return keepsEnd;
    }
}
