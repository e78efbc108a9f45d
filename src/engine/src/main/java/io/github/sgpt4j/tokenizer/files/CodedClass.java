package io.github.sgpt4j.tokenizer.files;

import io.github.sgpt4j.tokenizer.pattern.KnownSplitters;
import io.github.sgpt4j.tokenizer.pattern.OnigurumaPattern;
import io.github.sgpt4j.tokenizer.step.Normalizer;
import io.github.sgpt4j.tokenizer.step.PreTokenizer;
import java.text.Normalizer.Form;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Classes of transformers that build the steps of a tokenizer in code (`models/*/tokenization_*.py`),
/// from just a vocabulary and merges. Only classes used by decoder models are listed.
public enum CodedClass {
    /// GPT-2, GPT Neo, GPT-J, OPT and many others.
    GPT2("GPT2Tokenizer", true, new Normalizer.None(), KnownSplitters.GPT2_PATTERN, endOfText("bos", "eos", "unk")),
    /// CodeGen and Phi 1 and 2: the steps are the same.
    CODEGEN(
            "CodeGenTokenizer",
            true,
            new Normalizer.None(),
            KnownSplitters.GPT2_PATTERN,
            endOfText("bos", "eos", "unk")),
    GPT_NEOX(
            "GPTNeoXTokenizer",
            true,
            new Normalizer.Unicode(Form.NFC),
            KnownSplitters.GPT2_PATTERN,
            Map.of(
                    "bos_token",
                    "<|endoftext|>",
                    "eos_token",
                    "<|endoftext|>",
                    "unk_token",
                    "<|endoftext|>",
                    "pad_token",
                    "<|padding|>")),
    /// Qwen 2 and 3.
    QWEN2(
            "Qwen2Tokenizer",
            true,
            new Normalizer.Unicode(Form.NFC),
            KnownSplitters.QWEN_PATTERN,
            endOfText("eos", "unk", "pad")),
    /// Llama 1 and 2. The alternative format, SentencePiece, is not supported.
    LLAMA(
            "LlamaTokenizer",
            false,
            new Normalizer.None(),
            "",
            Map.of("bos_token", "<s>", "eos_token", "</s>", "unk_token", "<unk>"));

    private final String className;
    private final boolean readsVocabulary;
    private final Normalizer normalizer;
    private final String pattern;
    private final Map<String, String> specialTokens;

    /// @param readsVocabulary whether the class reads `vocab.json` and `merges.txt`; if so it is byte-level
    /// @param pattern splits texts, for byte-level classes
    /// @param specialTokens named special tokens, used if no file names any
    CodedClass(
            String className,
            boolean readsVocabulary,
            Normalizer normalizer,
            String pattern,
            Map<String, String> specialTokens) {
        this.className = className;
        this.readsVocabulary = readsVocabulary;
        this.normalizer = normalizer;
        this.pattern = pattern;
        this.specialTokens = specialTokens;
    }

    private static Map<String, String> endOfText(String first, String second, String third) {
        String token = "<|endoftext|>";
        return Map.of(first + "_token", token, second + "_token", token, third + "_token", token);
    }

    /// The class of this name without the suffix "Fast", or null.
    static @Nullable CodedClass find(@Nullable String className) {
        return Arrays.stream(values())
                .filter(coded -> coded.className.equals(className))
                .findFirst()
                .orElse(null);
    }

    /// The names of the classes that read `vocab.json` and `merges.txt`.
    static List<String> vocabularyReaders() {
        return Arrays.stream(values())
                .filter(CodedClass::readsVocabulary)
                .map(CodedClass::className)
                .toList();
    }

    String className() {
        return className;
    }

    boolean readsVocabulary() {
        return readsVocabulary;
    }

    public Normalizer normalizer() {
        return normalizer;
    }

    public Map<String, String> specialTokens() {
        return specialTokens;
    }

    /// The pre-tokenizer's steps.
    ///
    /// @param addPrefixSpace the key of that name, null if not stated
    /// @param legacy the key of that name
    public List<PreTokenizer> preTokenizer(@Nullable Boolean addPrefixSpace, boolean legacy) {
        if (!readsVocabulary) {
            PreTokenizer.Prefix some = legacy ? PreTokenizer.Prefix.ALWAYS : PreTokenizer.Prefix.FIRST;
            boolean none = addPrefixSpace != null && !addPrefixSpace;
            return List.of(new PreTokenizer.Metaspace("\u2581", none ? PreTokenizer.Prefix.NEVER : some, false));
        }
        boolean space = addPrefixSpace != null && addPrefixSpace;
        boolean gpt2 = pattern.equals(KnownSplitters.GPT2_PATTERN);
        List<PreTokenizer> steps = new ArrayList<>();
        if (!gpt2) {
            steps.add(new PreTokenizer.Split(
                    OnigurumaPattern.splitter(pattern, className), PreTokenizer.Behavior.ISOLATED, false));
        }
        StepReader.addByteLevel(space, gpt2, steps);
        return steps;
    }
}
