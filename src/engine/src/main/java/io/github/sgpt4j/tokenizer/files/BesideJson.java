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

/// What `tokenizer_config.json` changes about a `tokenizer.json` beside it. `tokenizer.json` counts unless
/// transformers 4 and 5 both say otherwise; where they differ, what the files state expressly is followed, and a
/// notice says so.
public final class BesideJson {
    /// Classes that in transformers 4 (`update_post_processor`) put their own special tokens around texts.
    private static final Set<String> OWN_SPECIAL_TOKENS =
            Set.of("LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer", "CohereTokenizer", "GPTNeoXTokenizer");

    private final JsonFields root;
    private final TokenizerConfig config;
    private final TokenizerClass tokenizerClass;
    private final @Nullable CodedClass coded;
    private final List<String> notices;

    /// @param root `tokenizer.json`
    /// @param notices what people should know is added here
    public BesideJson(JsonFields root, TokenizerConfig config, TokenizerClass tokenizerClass, List<String> notices) {
        this.root = root;
        this.config = config;
        this.tokenizerClass = tokenizerClass;
        this.coded = tokenizerClass.coded();
        this.notices = notices;
        if (tokenizerClass.code() != null) {
            notices.add(
                    "%s: tokenizer code that comes with the checkpoint is not run; tokenizer.json, add_bos_token and add_eos_token are followed"
                            .formatted(config.where("auto_map")));
        }
    }

    /// Byte-level classes set `add_prefix_space` of the pre-tokenizer, to false where nothing is said.
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

    /// Says what of the steps is not as transformers 5 has them.
    public void compare(Normalizer normalizer, List<PreTokenizer> steps, BpeModel.Options options) {
        Boolean stated = config.addPrefixSpace();
        if (stated != null && stated != putsSpace(normalizer, steps)) {
            String key = "%s: %s".formatted(config.where("add_prefix_space"), stated);
            if (coded == CodedClass.LLAMA) {
                throw new UnsupportedModelException(
                        "%s is not supported beside a tokenizer.json whose steps say otherwise".formatted(key));
            }
            notices.add("%s is not followed: the steps of tokenizer.json count, as in transformers 5".formatted(key));
        }
        if (coded != null
                && (options.ignoreMerges()
                        || !normalizer.equals(coded.normalizer())
                        || !steps.equals(coded.preTokenizer(stated, config.legacy())))) {
            notices.add(
                    "%s: transformers 5 passes over these steps and builds those of %s, which differ; here they count, as in transformers 4"
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

    /// The post-processor with what `add_bos_token` and `add_eos_token` make of it.
    public PostProcessor specialTokens(PostProcessor post, AddedVocabulary.Builder added) {
        boolean neox = coded == CodedClass.GPT_NEOX;
        String before5 = tokenizerClass.before5();
        boolean followed =
                neox || tokenizerClass.code() != null || before5 != null && OWN_SPECIAL_TOKENS.contains(before5);
        if (!followed) {
            noticeUnfollowed("add_bos_token", config.addBos(), post.before());
            noticeUnfollowed("add_eos_token", config.addEos(), post.after());
            return post;
        }
        List<Integer> before = end("bos_token", config.addBos(), neox ? List.of() : post.before(), added);
        List<Integer> after = end("eos_token", config.addEos(), neox ? List.of() : post.after(), added);
        if (before.equals(post.before()) && after.equals(post.after())) {
            return post;
        }
        if (!post.aroundText()) {
            throw new UnsupportedModelException(
                    "%s: expected a template with the text in it once, as %s is to be changed"
                            .formatted(root.where("post_processor"), config.where("add_bos_token")));
        }
        noticeChange("add_bos_token", config.addBos(), "before", before, post.before());
        noticeChange("add_eos_token", config.addEos(), "after", after, post.after());
        return PostProcessorReader.around(before, after);
    }

    private List<Integer> end(
            String name, @Nullable Boolean wanted, List<Integer> unsaid, AddedVocabulary.Builder added) {
        if (wanted == null) {
            return unsaid;
        }
        AddedToken token = config.specialTokens().get(name);
        if (wanted && token == null && !unsaid.isEmpty()) {
            return unsaid;
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

    private void noticeUnfollowed(String key, @Nullable Boolean stated, List<Integer> present) {
        if (stated != null && stated == present.isEmpty()) {
            notices.add("%s: %s is not followed: the post-processor of tokenizer.json counts, as in transformers"
                    .formatted(config.where(key), stated));
        }
    }

    private void noticeChange(
            String key, @Nullable Boolean stated, String place, List<Integer> ids, List<Integer> other) {
        if (ids.equals(other)) {
            return;
        }
        String file = "tokenizer.json says %s".formatted(tokens(other, place));
        String where = config.where(key);
        String here = tokens(ids, place);
        notices.add(
                stated == null
                        ? "%s is absent: %s, as in transformers, though %s".formatted(where, here, file)
                        : "%s: %s is followed as in transformers 4, with %s; %s, and so does transformers 5"
                                .formatted(where, stated, here, file));
    }

    private static String tokens(List<Integer> ids, String place) {
        return ids.isEmpty()
                ? "no token %s texts".formatted(place)
                : "token %s %s texts".formatted(ids.size() == 1 ? ids.getFirst() : ids, place);
    }
}
