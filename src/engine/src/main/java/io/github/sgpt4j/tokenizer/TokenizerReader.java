package io.github.sgpt4j.tokenizer;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.tokenizer.bpe.BpeModel;
import io.github.sgpt4j.tokenizer.files.BesideJson;
import io.github.sgpt4j.tokenizer.files.CodedClass;
import io.github.sgpt4j.tokenizer.files.JsonFields;
import io.github.sgpt4j.tokenizer.files.ModelReader;
import io.github.sgpt4j.tokenizer.files.PostProcessorReader;
import io.github.sgpt4j.tokenizer.files.RefusedKeys;
import io.github.sgpt4j.tokenizer.files.StepReader;
import io.github.sgpt4j.tokenizer.files.TokenizerClass;
import io.github.sgpt4j.tokenizer.files.TokenizerConfig;
import io.github.sgpt4j.tokenizer.step.Normalizer;
import io.github.sgpt4j.tokenizer.step.PostProcessor;
import io.github.sgpt4j.tokenizer.step.PreTokenizer;
import io.github.sgpt4j.tokenizer.step.TokenDecoder;
import io.github.sgpt4j.tokenizer.vocabulary.AddedVocabulary;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/// Builds a [Tokenizer] from the files of a directory.
final class TokenizerReader {
    private TokenizerReader() {}

    static Tokenizer read(Path directory, JsonFiles json) {
        Path whole = directory.resolve("tokenizer.json");
        Path vocabulary = directory.resolve("vocab.json");
        Path merges = directory.resolve("merges.txt");
        boolean hasJson = Files.isRegularFile(whole);
        if (!hasJson && !(Files.isRegularFile(vocabulary) && Files.isRegularFile(merges))) {
            throw new FormatException(
                    "%s: no tokenizer: expected tokenizer.json, or vocab.json with merges.txt".formatted(directory));
        }
        JsonFields fields = TokenizerConfig.open(directory, json);
        TokenizerClass tokenizerClass = TokenizerClass.of(directory, fields, json);
        List<String> notices = new ArrayList<>();
        if (hasJson) {
            TokenizerConfig config = TokenizerConfig.read(directory, json, fields, tokenizerClass.specialTokens());
            return fromJson(ModelReader.tokenizerJson(whole), config, tokenizerClass, notices);
        }
        CodedClass coded = tokenizerClass.fromVocabulary(fields, vocabulary, notices);
        TokenizerConfig config = TokenizerConfig.read(directory, json, fields, coded.specialTokens());
        return fromVocabulary(ModelReader.vocabularyAndMerges(vocabulary, merges), config, coded, notices);
    }

    private static Tokenizer fromJson(
            ModelReader.Content content, TokenizerConfig config, TokenizerClass tokenizerClass, List<String> notices) {
        JsonFields root = content.root();
        root.allow(Set.of(
                "version",
                "truncation",
                "padding",
                "added_tokens",
                "normalizer",
                "pre_tokenizer",
                "post_processor",
                "decoder"));
        BpeModel.Options options = options(content.model());
        AddedVocabulary.Builder added = new AddedVocabulary.Builder(content.vocabulary());
        readAddedTokens(root, added);
        config.addTo(added);
        BesideJson beside = new BesideJson(root, config, tokenizerClass, notices);
        beside.applyPrefixSpace();
        Normalizer normalizer = StepReader.normalizer(root);
        PostProcessor post = root.has("post_processor")
                ? PostProcessorReader.step(root.object("post_processor"))
                : PostProcessor.NONE;
        List<PreTokenizer> steps = StepReader.preTokenizer(root);
        beside.compare(normalizer, steps, options);
        return assemble(
                content,
                options,
                new Steps(normalizer, steps, beside.specialTokens(post, added), StepReader.decoder(root)),
                added,
                config,
                notices);
    }

    private static Tokenizer fromVocabulary(
            ModelReader.Content content, TokenizerConfig config, CodedClass coded, List<String> notices) {
        AddedVocabulary.Builder added = new AddedVocabulary.Builder(content.vocabulary());
        config.addTo(added);
        return assemble(
                content,
                new BpeModel.Options(null, false, false, false),
                new Steps(
                        coded.normalizer(),
                        coded.preTokenizer(config.addPrefixSpace(), config.legacy()),
                        config.postProcessor(added),
                        new TokenDecoder.ByteLevel()),
                added,
                config,
                notices);
    }

    private record Steps(
            Normalizer normalizer,
            List<PreTokenizer> preTokenizer,
            PostProcessor postProcessor,
            TokenDecoder decoder) {}

    /// The last step of a byte-level pre-tokenizer is left to the model, which works on bytes anyway.
    private static Tokenizer assemble(
            ModelReader.Content content,
            BpeModel.Options options,
            Steps steps,
            AddedVocabulary.Builder added,
            TokenizerConfig config,
            List<String> notices) {
        RefusedKeys.check(config.fields(), content.vocabulary(), notices);
        List<PreTokenizer> all = steps.preTokenizer();
        boolean byteLevel = !all.isEmpty() && all.getLast() instanceof PreTokenizer.Bytes;
        List<PreTokenizer> rest = byteLevel ? all.subList(0, all.size() - 1) : all;
        PreTokenizer preTokenizer = switch (rest.size()) {
            case 0 -> new PreTokenizer.None();
            case 1 -> rest.getFirst();
            default -> new PreTokenizer.Sequence(rest);
        };
        Normalizer normalizer = steps.normalizer();
        return new Tokenizer(
                new BpeModel(content.vocabulary(), content.merges(), options, byteLevel),
                added.build(normalizer, config.splitSpecialTokens()),
                normalizer,
                preTokenizer,
                steps.postProcessor(),
                steps.decoder(),
                settings(content.root(), config, notices));
    }

    private static BpeModel.Options options(JsonFields model) {
        model.allow(Set.of(
                "type",
                "dropout",
                "unk_token",
                "continuing_subword_prefix",
                "end_of_word_suffix",
                "fuse_unk",
                "byte_fallback",
                "ignore_merges"));
        for (String affix : List.of("continuing_subword_prefix", "end_of_word_suffix")) {
            if (!model.string(affix, "").isEmpty()) {
                throw new UnsupportedModelException("%s: \"%s\" is not supported, only an empty string is"
                        .formatted(model.where(affix), model.string(affix)));
            }
        }
        if (model.has("dropout")
                && !(model.node().get("dropout").isNumber()
                        && model.node().get("dropout").doubleValue() == 0)) {
            throw new UnsupportedModelException("%s: only null or 0 is supported".formatted(model.where("dropout")));
        }
        return new BpeModel.Options(
                model.stringOrNull("unk_token"),
                model.flag("fuse_unk", false),
                model.flag("byte_fallback", false),
                model.flag("ignore_merges", false));
    }

    private static void readAddedTokens(JsonFields root, AddedVocabulary.Builder added) {
        if (!root.has("added_tokens")) {
            return;
        }
        Set<Integer> ids = new HashSet<>();
        for (JsonFields fields : root.objects("added_tokens")) {
            fields.allow(Set.of("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"));
            int stated = fields.integer("id", 0);
            if (!ids.add(stated)) {
                throw new FormatException("%s: %d occurs twice".formatted(fields.where("id"), stated));
            }
            added.add(TokenizerConfig.token(fields.node(), fields.where("content"), false));
        }
    }

    private static Tokenizer.Settings settings(JsonFields root, TokenizerConfig config, List<String> notices) {
        OptionalInt length = OptionalInt.empty();
        boolean left = false;
        if (root.has("truncation")) {
            JsonFields truncation = root.object("truncation");
            truncation.allow(Set.of("direction", "max_length", "strategy", "stride"));
            length = OptionalInt.of(truncation.integer("max_length", 0));
            String direction = truncation.string("direction", "Right");
            if (!direction.equals("Left") && !direction.equals("Right")) {
                throw new FormatException(
                        "%s: expected Left or Right, got \"%s\"".formatted(truncation.where("direction"), direction));
            }
            left = direction.equals("Left");
        }
        Boolean configured = config.truncateLeft();
        return new Tokenizer.Settings(
                length, config.modelMaxLength(), configured == null ? left : configured, List.copyOf(notices));
    }
}
