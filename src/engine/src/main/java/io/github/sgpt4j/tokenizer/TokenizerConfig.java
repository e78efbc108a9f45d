package io.github.sgpt4j.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.weights.Quoted;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What stands beside the model's files: `tokenizer_config.json`, and from older versions `added_tokens.json` and
/// `special_tokens_map.json`, as transformers 5 reads them for fast tokenizers.
///
/// @param modelMaxLength tokens per text, where stated and not the sentinel for "none"
/// @param truncateLeft whether texts are cut on the left; null where nothing is said
/// @param addPrefixSpace whether texts get a space in front, where there is no `tokenizer.json`
/// @param addBos whether `bos_token` goes before texts, where there is no `tokenizer.json`
/// @param addEos whether `eos_token` goes after texts, where there is no `tokenizer.json`
/// @param addedTokens tokens in the order of their ids
/// @param specialTokens named special tokens (`bos_token`, …) by name
/// @param extraTokens further special tokens
record TokenizerConfig(
        OptionalInt modelMaxLength,
        @Nullable Boolean truncateLeft,
        boolean addPrefixSpace,
        boolean addBos,
        boolean addEos,
        List<AddedToken> addedTokens,
        Map<String, AddedToken> specialTokens,
        List<AddedToken> extraTokens) {
    private static final List<String> NAMES =
            List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");
    private static final List<String> EXTRA = List.of("additional_special_tokens", "extra_special_tokens");

    /// @param defaultSpecial what `bos_token`, `eos_token` and `unk_token` are where no file names them; null for none
    static TokenizerConfig read(Path directory, @Nullable String defaultSpecial) {
        JsonFields config = ModelReader.tree(directory.resolve("tokenizer_config.json"));
        List<JsonFields> named = new ArrayList<>();
        if (config != null) {
            named.add(config);
        }
        boolean decoderStated = config != null && config.has("added_tokens_decoder");
        JsonFields map = decoderStated ? null : ModelReader.tree(directory.resolve("special_tokens_map.json"));
        if (map != null) {
            named.add(map);
        }
        Map<String, AddedToken> special = new HashMap<>();
        if (defaultSpecial != null) {
            for (String name : List.of("bos_token", "eos_token", "unk_token")) {
                special.put(name, AddedToken.special(defaultSpecial));
            }
        }
        List<AddedToken> extra = new ArrayList<>();
        for (JsonFields source : named) {
            addSpecial(source, special, extra);
        }
        JsonFields flags = config == null ? ModelReader.emptyTree(directory.resolve("tokenizer_config.json")) : config;
        return new TokenizerConfig(
                maxLength(flags),
                truncateLeft(flags),
                flags.flag("add_prefix_space", false),
                flags.flag("add_bos_token", false),
                flags.flag("add_eos_token", false),
                decoderStated ? decoder(flags) : legacyAdded(directory, special, extra),
                special,
                extra);
    }

    private static void addSpecial(JsonFields source, Map<String, AddedToken> special, List<AddedToken> extra) {
        for (String name : NAMES) {
            if (source.has(name)) {
                special.put(name, token(source.node().get(name), source.where(name), true));
            } else if (source.node().has(name)) {
                special.remove(name);
            }
        }
        for (String name : EXTRA) {
            JsonNode list = source.node().path(name);
            if (list.isArray()) {
                for (JsonNode element : list) {
                    extra.add(token(element, source.where(name), true));
                }
            }
        }
    }

    private static OptionalInt maxLength(JsonFields config) {
        JsonNode value = config.node().path("model_max_length");
        if (!value.isNumber()) {
            return OptionalInt.empty();
        }
        double length = value.doubleValue();
        return length >= 1 && length <= Integer.MAX_VALUE ? OptionalInt.of((int) length) : OptionalInt.empty();
    }

    private static @Nullable Boolean truncateLeft(JsonFields config) {
        if (!config.has("truncation_side")) {
            return null;
        }
        String side = config.string("truncation_side");
        if (!side.equals("left") && !side.equals("right")) {
            throw new FormatException(
                    "%s: expected left or right, got %s".formatted(config.where("truncation_side"), Quoted.of(side)));
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
            Path directory, Map<String, AddedToken> special, List<AddedToken> extra) {
        JsonFields file = ModelReader.tree(directory.resolve("added_tokens.json"));
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
                throw new FormatException("%s: a token is empty".formatted(file.file()));
            }
            int id = JsonFields.integer(member.getValue(), file.where(content), 0);
            if (byId.put(id, new AddedToken(content, false, false, false, !isSpecial, isSpecial)) != null) {
                throw new FormatException("%s: two tokens have the id %d".formatted(file.file(), id));
            }
        });
        return List.copyOf(byId.values());
    }

    /// A token as a string or as an object with flags.
    static AddedToken token(JsonNode node, String where, boolean special) {
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
            throw new FormatException("%s: the token is empty".formatted(where));
        }
        return content;
    }

    /// Adds the tokens to those of the model's files. Named tokens become special if they were not.
    void addTo(AddedVocabulary.Builder builder) {
        addedTokens.forEach(builder::add);
        for (String name : NAMES) {
            AddedToken token = specialTokens.get(name);
            if (token != null) {
                addSpecial(builder, token);
            }
        }
        extraTokens.forEach(token -> addSpecial(builder, token));
    }

    private static void addSpecial(AddedVocabulary.Builder builder, AddedToken token) {
        AddedToken known = builder.token(token.content());
        AddedToken flags = known == null ? token : known;
        builder.add(new AddedToken(
                flags.content(), flags.singleWord(), flags.leftStrip(), flags.rightStrip(), flags.normalized(), true));
    }

    /// The post-processor where there is no `tokenizer.json`.
    PostProcessor postProcessor(AddedVocabulary.Builder builder) {
        return PostProcessorReader.around(ids("bos_token", addBos, builder), ids("eos_token", addEos, builder));
    }

    private List<Integer> ids(String name, boolean wanted, AddedVocabulary.Builder builder) {
        AddedToken token = specialTokens.get(name);
        Integer id = wanted && token != null ? builder.id(token.content()) : null;
        return id == null ? List.of() : List.of(id);
    }
}
