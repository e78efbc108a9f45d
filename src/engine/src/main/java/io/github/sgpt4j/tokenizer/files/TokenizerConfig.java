package io.github.sgpt4j.tokenizer.files;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.json.Unreadable;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.tokenizer.step.PostProcessor;
import io.github.sgpt4j.tokenizer.vocabulary.AddedToken;
import io.github.sgpt4j.tokenizer.vocabulary.AddedVocabulary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The tokenizer's settings: `tokenizer_config.json`, and from older versions `added_tokens.json` and
/// `special_tokens_map.json`, as transformers 5 reads them for fast tokenizers. Flags are null if not
/// stated.
///
/// `padding_side` changes nothing, since packed batches have no padding. `unk_token` is an ordinary
/// special token here: `tokenizer.json` defines the handling of unknown symbols.
///
/// @param fields `tokenizer_config.json`
/// @param addedTokens tokens in the order of their ids
/// @param specialTokens named special tokens (`bos_token`, …) by name, in the order in which they are added
/// @param extraTokens further special tokens
public record TokenizerConfig(
        JsonFields fields,
        List<AddedToken> addedTokens,
        Map<String, AddedToken> specialTokens,
        List<AddedToken> extraTokens) {
    private static final List<String> NAMES =
            List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");
    private static final String EXTRA = "extra_special_tokens";
    private static final String ADDITIONAL = "additional_special_tokens";

    /// Reads `tokenizer_config.json`; if it is missing, an empty object.
    public static JsonFields open(Path directory, JsonFiles json) {
        Path path = directory.resolve("tokenizer_config.json");
        JsonFields fields = ModelReader.tree(path, json);
        return fields == null ? ModelReader.emptyTree(path) : fields;
    }

    /// @param json reads the other files
    /// @param fields `tokenizer_config.json`
    /// @param defaults named special tokens, used if no file states them
    public static TokenizerConfig read(
            Path directory, JsonFiles json, JsonFields fields, Map<String, String> defaults) {
        boolean decoderStated = fields.has("added_tokens_decoder");
        JsonFields map = decoderStated ? null : ModelReader.tree(directory.resolve("special_tokens_map.json"), json);
        Map<String, AddedToken> named = new HashMap<>();
        defaults.forEach((name, token) -> named.put(name, AddedToken.special(token)));
        Map<String, AddedToken> specific = new LinkedHashMap<>();
        List<JsonFields> sources = map == null ? List.of(fields) : List.of(fields, map);
        for (JsonFields source : sources) {
            addNamed(source, named, specific);
        }
        Map<String, AddedToken> special = new LinkedHashMap<>();
        for (String name : NAMES) {
            AddedToken token = named.get(name);
            if (token != null) {
                special.put(name, token);
            }
        }
        special.putAll(specific);
        List<AddedToken> extra = extra(fields, map);
        List<AddedToken> added = decoderStated ? decoder(fields) : legacyAdded(directory, json, special, extra);
        return new TokenizerConfig(fields, added, special, extra);
    }

    /// @param specific tokens that only some models have: other keys that end in `_token`, and those of a dictionary
    ///     `extra_special_tokens`
    private static void addNamed(JsonFields source, Map<String, AddedToken> named, Map<String, AddedToken> specific) {
        source.node().properties().forEach(member -> {
            String name = member.getKey();
            JsonNode value = member.getValue();
            if (NAMES.contains(name)) {
                if (value.isNull()) {
                    named.remove(name);
                } else {
                    named.put(name, token(value, source.where(name), true));
                }
            } else if (name.endsWith("_token") && (value.isTextual() || value.isObject())) {
                specific.put(name, token(value, source.where(name), true));
            }
        });
        if (source.node().path(EXTRA).isObject()) {
            JsonFields extra = source.object(EXTRA);
            extra.node()
                    .properties()
                    .forEach(member -> specific.put(
                            member.getKey(), token(member.getValue(), extra.where(member.getKey()), true)));
        }
    }

    /// The list `extra_special_tokens`, or if it is missing the older `additional_special_tokens`.
    private static List<AddedToken> extra(JsonFields config, @Nullable JsonFields map) {
        List<AddedToken> extra = new ArrayList<>(list(config, EXTRA));
        if (extra.isEmpty() && !config.node().path(EXTRA).isObject()) {
            extra.addAll(list(config, ADDITIONAL));
        }
        if (map != null) {
            List<AddedToken> others = list(map, EXTRA);
            extra.addAll(extra.isEmpty() && others.isEmpty() ? list(map, ADDITIONAL) : others);
        }
        return extra;
    }

    private static List<AddedToken> list(JsonFields source, String name) {
        List<AddedToken> tokens = new ArrayList<>();
        JsonNode list = source.node().path(name);
        if (list.isArray()) {
            for (JsonNode element : list) {
                tokens.add(token(element, source.where(name), true));
            }
        } else if (!list.isMissingNode() && !list.isNull() && !(name.equals(EXTRA) && list.isObject())) {
            throw new FormatException(
                    "%s: expected a list of tokens, got %s".formatted(source.where(name), Unreadable.kind(list)));
        }
        return tokens;
    }

    /// File and key.
    public String where(String key) {
        return fields.where(key);
    }

    private @Nullable Boolean flag(String key) {
        return fields.has(key) ? (Boolean) fields.flag(key) : null;
    }

    /// Whether to put a space before texts.
    @Nullable
    public Boolean addPrefixSpace() {
        return flag("add_prefix_space");
    }

    /// Whether `bos_token` goes before texts.
    @Nullable
    Boolean addBos() {
        return flag("add_bos_token");
    }

    /// Whether `eos_token` goes after texts.
    @Nullable
    Boolean addEos() {
        return flag("add_eos_token");
    }

    /// Whether special tokens that are written out in a text are plain text.
    public boolean splitSpecialTokens() {
        return fields.flag("split_special_tokens", false);
    }

    /// Whether a [CodedClass#LLAMA] behaves like its first version.
    public boolean legacy() {
        return fields.flag("legacy", false);
    }

    /// Maximum tokens per text, if stated and not the sentinel for "none".
    public OptionalInt modelMaxLength() {
        String key = fields.has("model_max_length") ? "model_max_length" : "max_len";
        if (!fields.has(key)) {
            return OptionalInt.empty();
        }
        JsonNode value = fields.node().get(key);
        double length = value.doubleValue();
        if (!value.isNumber() || length < 1) {
            throw new FormatException("%s: expected a number of tokens of at least 1, got %s"
                    .formatted(where(key), value.isNumber() ? length : Unreadable.kind(value)));
        }
        return length <= Integer.MAX_VALUE ? OptionalInt.of((int) length) : OptionalInt.empty();
    }

    /// Whether texts are cut on the left.
    @Nullable
    public Boolean truncateLeft() {
        if (!fields.has("truncation_side")) {
            return null;
        }
        String side = fields.string("truncation_side");
        if (!side.equals("left") && !side.equals("right")) {
            throw new FormatException(
                    "%s: expected left or right, got %s".formatted(where("truncation_side"), Quoted.of(side)));
        }
        return side.equals("left");
    }

    private static List<AddedToken> decoder(JsonFields config) {
        JsonFields decoder = config.object("added_tokens_decoder");
        Map<Integer, AddedToken> byId = new TreeMap<>();
        decoder.node().properties().forEach(member -> {
            String key = member.getKey();
            if (!key.matches("[0-9]{1,9}")) {
                throw new FormatException(
                        "%s: expected an id, got %s".formatted(config.where("added_tokens_decoder"), Quoted.of(key)));
            }
            AddedToken before = byId.put(Integer.parseInt(key), token(member.getValue(), decoder.where(key), false));
            if (before != null) {
                throw new FormatException("%s occurs twice".formatted(decoder.where(key)));
            }
        });
        return List.copyOf(byId.values());
    }

    private static List<AddedToken> legacyAdded(
            Path directory, JsonFiles json, Map<String, AddedToken> special, List<AddedToken> extra) {
        JsonFields file = ModelReader.tree(directory.resolve("added_tokens.json"), json);
        if (file == null) {
            return List.of();
        }
        Map<Integer, AddedToken> byId = new TreeMap<>();
        file.node().properties().forEach(member -> {
            String content = member.getKey();
            boolean isSpecial =
                    special.values().stream().anyMatch(t -> t.content().equals(content))
                            || extra.stream().anyMatch(t -> t.content().equals(content));
            if (content.isEmpty()) {
                throw new FormatException("%s: expected a token, got an empty string".formatted(file.file()));
            }
            int id = JsonFields.integer(member.getValue(), file.where(content), 0);
            if (byId.put(id, new AddedToken(content, false, false, false, !isSpecial, isSpecial)) != null) {
                throw new FormatException("%s: two tokens have the id %d".formatted(file.file(), id));
            }
        });
        return List.copyOf(byId.values());
    }

    /// A token as a string or as an object with flags.
    public static AddedToken token(JsonNode node, String where, boolean special) {
        if (node.isObject()) {
            JsonFields fields = new JsonFields(where, "", node);
            boolean isSpecial = special || fields.flag("special", false);
            return new AddedToken(
                    content(fields.string("content"), where),
                    fields.flag("single_word", false),
                    fields.flag("lstrip", false),
                    fields.flag("rstrip", false),
                    fields.flag("normalized", !isSpecial),
                    isSpecial);
        }
        return AddedToken.special(content(JsonFields.string(node, where), where));
    }

    private static String content(String content, String where) {
        if (content.isEmpty()) {
            throw new FormatException("%s: expected a token, got an empty string".formatted(where));
        }
        return content;
    }

    /// Adds the tokens to those of the model's files. Named tokens become special.
    public void addTo(AddedVocabulary.Builder builder) {
        addedTokens.forEach(builder::add);
        specialTokens.values().forEach(token -> addSpecial(builder, token));
        extraTokens.forEach(token -> addSpecial(builder, token));
    }

    private static void addSpecial(AddedVocabulary.Builder builder, AddedToken token) {
        AddedToken known = builder.token(token.content());
        AddedToken flags = known == null ? token : known;
        builder.add(new AddedToken(
                flags.content(), flags.singleWord(), flags.leftStrip(), flags.rightStrip(), flags.normalized(), true));
    }

    /// The post-processor if there is no `tokenizer.json`.
    public PostProcessor postProcessor(AddedVocabulary.Builder builder) {
        return PostProcessorReader.around(ids("bos_token", addBos(), builder), ids("eos_token", addEos(), builder));
    }

    private List<Integer> ids(String name, @Nullable Boolean wanted, AddedVocabulary.Builder builder) {
        AddedToken token = specialTokens.get(name);
        Integer id = wanted != null && wanted && token != null ? builder.id(token.content()) : null;
        return id == null ? List.of() : List.of(id);
    }
}
