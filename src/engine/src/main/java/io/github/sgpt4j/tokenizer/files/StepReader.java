package io.github.sgpt4j.tokenizer.files;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.tokenizer.collection.Growth;
import io.github.sgpt4j.tokenizer.pattern.CharacterClasses;
import io.github.sgpt4j.tokenizer.pattern.KnownSplitters;
import io.github.sgpt4j.tokenizer.pattern.OnigurumaPattern;
import io.github.sgpt4j.tokenizer.pattern.Splitter;
import io.github.sgpt4j.tokenizer.step.Normalizer;
import io.github.sgpt4j.tokenizer.step.PreTokenizer;
import io.github.sgpt4j.tokenizer.step.TokenDecoder;
import java.text.Normalizer.Form;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.IntPredicate;

/// Reads normalizers, pre-tokenizers and decoders of `tokenizer.json`. Unknown types and keys are
/// refused.
public final class StepReader {
    /// Maximum steps of a pre-tokenizer, each of which calls the next.
    private static final int MAX_STEPS = 100;

    private StepReader() {}

    /// The step of a member that may be null or absent.
    public static Normalizer normalizer(JsonFields parent) {
        return parent.has("normalizer") ? normalizerStep(parent.object("normalizer")) : new Normalizer.None();
    }

    private static Normalizer normalizerStep(JsonFields step) {
        String type = step.string("type");
        switch (type) {
            case "Sequence" -> {
                step.allow(Set.of("type", "normalizers"));
                return new Normalizer.Sequence(
                        step.objects("normalizers").stream()
                                .map(StepReader::normalizerStep)
                                .toList(),
                        growth(step));
            }
            case "NFC", "NFD", "NFKC", "NFKD" -> {
                step.allow(Set.of("type"));
                return new Normalizer.Unicode(Form.valueOf(type));
            }
            case "Lowercase" -> {
                step.allow(Set.of("type"));
                return new Normalizer.Lowercase();
            }
            case "Prepend" -> {
                step.allow(Set.of("type", "prepend"));
                return new Normalizer.Prepend(step.string("prepend"));
            }
            case "Replace" -> {
                step.allow(Set.of("type", "pattern", "content"));
                return new Normalizer.Replace(pattern(step), step.string("content"), growth(step));
            }
            case "Strip" -> {
                step.allow(Set.of("type", "strip_left", "strip_right"));
                return new Normalizer.Strip(step.flag("strip_left"), step.flag("strip_right"));
            }
            default -> throw unknown(step, "normalizer", type);
        }
    }

    /// The pre-tokenizer's steps in order, with sequences flattened.
    public static List<PreTokenizer> preTokenizer(JsonFields parent) {
        List<PreTokenizer> steps = new ArrayList<>();
        if (parent.has("pre_tokenizer")) {
            addPreTokenizer(parent.object("pre_tokenizer"), parent.has("normalizer"), steps);
            if (steps.size() > MAX_STEPS) {
                throw new UnsupportedModelException("%s: expected at most %d steps, got %d"
                        .formatted(parent.where("pre_tokenizer"), MAX_STEPS, steps.size()));
            }
        }
        return steps;
    }

    private static void addPreTokenizer(JsonFields step, boolean normalized, List<PreTokenizer> out) {
        String type = step.string("type");
        switch (type) {
            case "Sequence" -> {
                step.allow(Set.of("type", "pretokenizers"));
                step.objects("pretokenizers").forEach(s -> addPreTokenizer(s, normalized, out));
            }
            case "ByteLevel" -> {
                step.allow(Set.of("type", "add_prefix_space", "trim_offsets", "use_regex"));
                addByteLevel(step.flag("add_prefix_space"), step.flag("use_regex", true), out);
            }
            case "Split" -> {
                step.allow(Set.of("type", "pattern", "behavior", "invert"));
                out.add(new PreTokenizer.Split(pattern(step), behavior(step), step.flag("invert", false)));
            }
            case "Digits" -> {
                step.allow(Set.of("type", "individual_digits"));
                boolean single = step.flag("individual_digits", false);
                out.add(split(
                        CharacterClasses::isRustNumeric,
                        single ? PreTokenizer.Behavior.ISOLATED : PreTokenizer.Behavior.CONTIGUOUS));
            }
            case "Punctuation" -> {
                step.allow(Set.of("type", "behavior"));
                out.add(split(
                        CharacterClasses::isPunctuation,
                        step.has("behavior") ? behavior(step) : PreTokenizer.Behavior.ISOLATED));
            }
            case "WhitespaceSplit" -> {
                step.allow(Set.of("type"));
                out.add(split(CharacterClasses::isWhitespace, PreTokenizer.Behavior.REMOVED));
            }
            case "Whitespace" -> {
                step.allow(Set.of("type"));
                out.add(new PreTokenizer.Split(
                        (Splitter.Stepper) StepReader::wordOrOther, PreTokenizer.Behavior.REMOVED, true));
            }
            case "Metaspace" -> out.add(metaspace(step, normalized || !out.isEmpty()));
            default -> throw unknown(step, "pre-tokenizer", type);
        }
    }

    private static PreTokenizer split(IntPredicate predicate, PreTokenizer.Behavior behavior) {
        return new PreTokenizer.Split(Splitter.codePoint(predicate), behavior, false);
    }

    /// The three parts of a byte-level pre-tokenizer.
    static void addByteLevel(boolean prefixSpace, boolean regex, List<PreTokenizer> out) {
        if (prefixSpace) {
            out.add(new PreTokenizer.PrefixSpace());
        }
        if (regex) {
            out.add(new PreTokenizer.Split(KnownSplitters.GPT2, PreTokenizer.Behavior.ISOLATED, false));
        }
        out.add(new PreTokenizer.Bytes());
    }

    /// `\w+|[^\w\s]+`
    private static int wordOrOther(String text, int from, int limit) {
        int first = text.codePointAt(from);
        if (CharacterClasses.isWhitespace(first)) {
            return -1;
        }
        boolean word = CharacterClasses.isWord(first);
        int i = from;
        while (i < limit) {
            int c = text.codePointAt(i);
            if (CharacterClasses.isWhitespace(c) || CharacterClasses.isWord(c) != word) {
                break;
            }
            i += Character.charCount(c);
        }
        return i;
    }

    private static PreTokenizer metaspace(JsonFields step, boolean changedBefore) {
        step.allow(Set.of("type", "replacement", "prepend_scheme", "add_prefix_space", "split", "str_rep"));
        PreTokenizer.Prefix prefix = prefix(step);
        if (prefix == PreTokenizer.Prefix.FIRST && changedBefore) {
            throw new UnsupportedModelException(
                    "%s: \"first\" is not supported after a normalizer or another pre-tokenizer"
                            .formatted(step.where("prepend_scheme")));
        }
        return new PreTokenizer.Metaspace(
                Character.toString(step.codePoint("replacement")), prefix, step.flag("split", true));
    }

    private static PreTokenizer.Prefix prefix(JsonFields step) {
        String scheme = step.string("prepend_scheme", "always");
        PreTokenizer.Prefix prefix = switch (scheme) {
            case "always" -> PreTokenizer.Prefix.ALWAYS;
            case "first" -> PreTokenizer.Prefix.FIRST;
            case "never" -> PreTokenizer.Prefix.NEVER;
            default ->
                throw new FormatException("%s: expected always, first or never, got \"%s\""
                        .formatted(step.where("prepend_scheme"), scheme));
        };
        if (!step.flag("add_prefix_space", true)) {
            if (prefix != PreTokenizer.Prefix.NEVER) {
                throw new FormatException("%s: expected true for prepend_scheme \"%s\", got false"
                        .formatted(step.where("add_prefix_space"), scheme));
            }
        }
        return prefix;
    }

    private static PreTokenizer.Behavior behavior(JsonFields step) {
        String behavior = step.string("behavior");
        return switch (behavior) {
            case "Removed" -> PreTokenizer.Behavior.REMOVED;
            case "Isolated" -> PreTokenizer.Behavior.ISOLATED;
            case "MergedWithPrevious" -> PreTokenizer.Behavior.MERGED_WITH_PREVIOUS;
            case "MergedWithNext" -> PreTokenizer.Behavior.MERGED_WITH_NEXT;
            case "Contiguous" -> PreTokenizer.Behavior.CONTIGUOUS;
            default ->
                throw new FormatException("%s: unknown behavior \"%s\"".formatted(step.where("behavior"), behavior));
        };
    }

    private static Growth growth(JsonFields step) {
        return new Growth(step.where());
    }

    private static Splitter pattern(JsonFields step) {
        JsonFields pattern = step.object("pattern");
        pattern.allow(Set.of("String", "Regex"));
        if (pattern.has("String") == pattern.has("Regex")) {
            throw new FormatException("%s: expected either String or Regex".formatted(step.where("pattern")));
        }
        String key = pattern.has("String") ? "String" : "Regex";
        String text = pattern.string(key);
        if (text.isEmpty()) {
            throw new UnsupportedModelException("%s: an empty pattern is not supported".formatted(pattern.where(key)));
        }
        return key.equals("String") ? Splitter.literal(text) : OnigurumaPattern.splitter(text, pattern.where(key));
    }

    /// The step of a member that may be null or absent.
    public static TokenDecoder decoder(JsonFields parent) {
        return parent.has("decoder") ? decoderStep(parent.object("decoder")) : new TokenDecoder.Spaces();
    }

    private static TokenDecoder decoderStep(JsonFields step) {
        String type = step.string("type");
        switch (type) {
            case "Sequence" -> {
                step.allow(Set.of("type", "decoders"));
                return new TokenDecoder.Sequence(
                        step.objects("decoders").stream()
                                .map(StepReader::decoderStep)
                                .toList(),
                        growth(step));
            }
            case "ByteLevel" -> {
                step.allow(Set.of("type", "add_prefix_space", "trim_offsets", "use_regex"));
                return new TokenDecoder.ByteLevel();
            }
            case "Replace" -> {
                step.allow(Set.of("type", "pattern", "content"));
                return new TokenDecoder.Replace(pattern(step), step.string("content"), growth(step));
            }
            case "Fuse" -> {
                step.allow(Set.of("type"));
                return new TokenDecoder.Fuse();
            }
            case "ByteFallback" -> {
                step.allow(Set.of("type"));
                return new TokenDecoder.ByteFallback();
            }
            case "Strip" -> {
                step.allow(Set.of("type", "content", "start", "stop"));
                return new TokenDecoder.Strip(
                        step.codePoint("content"), step.integer("start", 0), step.integer("stop", 0));
            }
            case "Metaspace" -> {
                step.allow(Set.of("type", "replacement", "prepend_scheme", "add_prefix_space", "split", "str_rep"));
                return new TokenDecoder.Metaspace(
                        Character.toString(step.codePoint("replacement")), prefix(step) != PreTokenizer.Prefix.NEVER);
            }
            default -> throw unknown(step, "decoder", type);
        }
    }

    static UnsupportedModelException unknown(JsonFields step, String role, String type) {
        return new UnsupportedModelException(
                "%s: %s \"%s\" is not supported".formatted(step.where("type"), role, type));
    }
}
