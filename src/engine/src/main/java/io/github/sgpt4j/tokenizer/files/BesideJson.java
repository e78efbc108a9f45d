package io.github.sgpt4j.tokenizer.files;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.tokenizer.bpe.BpeModel;
import io.github.sgpt4j.tokenizer.collection.Growth;
import io.github.sgpt4j.tokenizer.step.Normalizer;
import io.github.sgpt4j.tokenizer.step.PostProcessor;
import io.github.sgpt4j.tokenizer.step.PreTokenizer;
import io.github.sgpt4j.tokenizer.vocabulary.AddedToken;
import io.github.sgpt4j.tokenizer.vocabulary.AddedVocabulary;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// How `tokenizer_config.json` changes a `tokenizer.json` in the same folder. `tokenizer.json` applies
/// unless transformers 4 and 5 both do something else; if these two differ, explicit statements of the
/// files are applied, with a notice.
public final class BesideJson {
    /// Classes that in transformers 4 add their own special tokens to texts (`update_post_processor`).
    private static final Set<String> OWN_SPECIAL_TOKENS =
            Set.of("LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer", "CohereTokenizer", "GPTNeoXTokenizer");

    /// Own tokenizer code that only adds the end token as `add_eos_token` says, with the steps of `tokenizer.json`
    /// (Alibaba-NLP/gte-Qwen2, NovaSearch/stella).
    private static final Set<String> KNOWN_CODE =
            Set.of("tokenization_qwen.Qwen2Tokenizer", "tokenization_qwen.Qwen2TokenizerFast");

    private final JsonFields root;
    private final TokenizerConfig config;
    private final TokenizerClass tokenizerClass;
    private final @Nullable CodedClass coded;
    private final List<String> notices;
    private final boolean asKnownCode;

    /// @param root `tokenizer.json`
    /// @param notices receives what users should know
    public BesideJson(JsonFields root, TokenizerConfig config, TokenizerClass tokenizerClass, List<String> notices) {
        this.root = root;
        this.config = config;
        this.tokenizerClass = tokenizerClass;
        this.coded = tokenizerClass.coded();
        this.notices = notices;
        String code = tokenizerClass.code();
        asKnownCode = code != null
                && config.addEos() != null
                && KNOWN_CODE.contains(code.substring(code.lastIndexOf("--") < 0 ? 0 : code.lastIndexOf("--") + 2));
        if (code != null && !asKnownCode) {
            notices.add(
                    "%s: the checkpoint's own tokenizer code is not run; tokenizer.json, add_bos_token and add_eos_token are applied"
                            .formatted(config.where("auto_map")));
        }
    }

    /// Byte-level classes set `add_prefix_space` of the pre-tokenizer, by default to false.
    public void applyPrefixSpace() {
        if (coded == null || !coded.readsVocabulary() || !root.has("pre_tokenizer")) {
            return;
        }
        JsonFields step = root.object("pre_tokenizer");
        Boolean stated = config.addPrefixSpace();
        if (isByteLevel(step)) {
            setPrefixSpace(step, stated != null && stated);
        } else if (stated != null && step.has("pretokenizers")) {
            for (JsonFields inner : step.objects("pretokenizers")) {
                if (isByteLevel(inner)) {
                    setPrefixSpace(inner, stated);
                }
            }
        }
    }

    private static boolean isByteLevel(JsonFields step) {
        return step.node().path("type").asText().equals("ByteLevel");
    }

    private static void setPrefixSpace(JsonFields step, boolean value) {
        ((ObjectNode) step.node()).put("add_prefix_space", value);
    }

    /// Reports steps that differ from those of transformers 5.
    public void compare(Normalizer normalizer, List<PreTokenizer> steps, BpeModel.Options options) {
        Boolean stated = config.addPrefixSpace();
        if (stated != null && stated != putsSpace(normalizer, steps)) {
            String key = "%s: %s".formatted(config.where("add_prefix_space"), stated);
            if (coded == CodedClass.LLAMA) {
                throw new UnsupportedModelException(
                        "%s is not supported beside a tokenizer.json whose steps say otherwise".formatted(key));
            }
            notices.add("%s is ignored: the steps of tokenizer.json apply, as in transformers 5".formatted(key));
        }
        if (coded != null
                && (options.ignoreMerges()
                        || !normalizer.equals(coded.normalizer())
                        || !steps.equals(coded.preTokenizer(stated, config.legacy())))) {
            notices.add(
                    "%s: transformers 5 replaces these steps by those of %s, which differ; here the steps of this file apply, as in transformers 4"
                            .formatted(root.file(), coded.className()));
        }
    }

    private static boolean putsSpace(Normalizer normalizer, List<PreTokenizer> steps) {
        boolean prepends = normalizer instanceof Normalizer.Prepend
                || normalizer instanceof Normalizer.Sequence(List<Normalizer> inner, Growth g)
                        && inner.stream().anyMatch(Normalizer.Prepend.class::isInstance);
        return prepends
                || steps.stream()
                        .anyMatch(step -> step instanceof PreTokenizer.PrefixSpace
                                || step instanceof PreTokenizer.Metaspace(String s, PreTokenizer.Prefix p, boolean b)
                                        && p != PreTokenizer.Prefix.NEVER);
    }

    /// The post-processor after applying `add_bos_token` and `add_eos_token`.
    public PostProcessor specialTokens(PostProcessor post, AddedVocabulary.Builder added) {
        boolean neox = coded == CodedClass.GPT_NEOX;
        String before5 = tokenizerClass.before5();
        boolean applied =
                neox || tokenizerClass.code() != null || before5 != null && OWN_SPECIAL_TOKENS.contains(before5);
        if (!applied) {
            noticeIgnored("add_bos_token", config.addBos(), post.before());
            noticeIgnored("add_eos_token", config.addEos(), post.after());
            return post;
        }
        List<Integer> before = end("bos_token", config.addBos(), neox ? List.of() : post.before(), added);
        List<Integer> after = end("eos_token", config.addEos(), neox ? List.of() : post.after(), added);
        if (before.equals(post.before()) && after.equals(post.after())) {
            // transformers 4 and 5 replace the post-processor of GPTNeoXTokenizer, which then trims no places.
            return neox ? new PostProcessor(post.parts()) : post;
        }
        if (!post.aroundText()) {
            throw new UnsupportedModelException(
                    "%s: expected a template that contains the text once, since %s changes it"
                            .formatted(root.where("post_processor"), config.where("add_bos_token")));
        }
        noticeChange("add_bos_token", config.addBos(), "before", before, post.before());
        noticeChange("add_eos_token", config.addEos(), "after", after, post.after());
        return PostProcessorReader.around(before, after);
    }

    private List<Integer> end(
            String name, @Nullable Boolean wanted, List<Integer> absent, AddedVocabulary.Builder added) {
        if (wanted == null) {
            return absent;
        }
        AddedToken token = config.specialTokens().get(name);
        if (wanted && token == null && !absent.isEmpty()) {
            return absent;
        }
        if (wanted && token == null) {
            throw new FormatException(
                    "%s: expected a token, as %s is true, got none".formatted(config.where(name), "add_" + name));
        }
        return wanted
                ? List.of(Objects.requireNonNull(
                        added.id(Objects.requireNonNull(token).content())))
                : List.of();
    }

    private void noticeIgnored(String key, @Nullable Boolean stated, List<Integer> present) {
        if (stated != null && stated == present.isEmpty()) {
            notices.add("%s: %s is ignored: the post-processor of tokenizer.json applies, as in transformers"
                    .formatted(config.where(key), stated));
        }
    }

    private void noticeChange(
            String key, @Nullable Boolean stated, String place, List<Integer> ids, List<Integer> other) {
        if (ids.equals(other) || asKnownCode) {
            return;
        }
        String file = "tokenizer.json says %s".formatted(tokens(other, place));
        String where = config.where(key);
        String here = tokens(ids, place);
        notices.add(
                stated == null
                        ? "%s is absent: %s, as in transformers, though %s".formatted(where, here, file)
                        : "%s: %s is applied as in transformers 4, with %s; %s, and so does transformers 5"
                                .formatted(where, stated, here, file));
    }

    private static String tokens(List<Integer> ids, String place) {
        return ids.isEmpty()
                ? "no token %s texts".formatted(place)
                : "token %s %s texts".formatted(ids.size() == 1 ? ids.getFirst() : ids, place);
    }
}
