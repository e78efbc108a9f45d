package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.testing.DecoderGoldens;
import io.github.sgpt4j.testing.Refusal;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// How it is recognised that a model is a re-ranker, and of which kind.
class RerankerRecognitionTest {
    private static final List<String> DOCUMENTS = List.of("The Nile is a river.", "Boil the egg.");

    @TempDir
    Path folder;

    /// A copy of a golden model in a folder of another name.
    private Path copy(String model, String name) {
        Path source = DecoderGoldens.model(model);
        Path target = folder.resolve(name);
        try (Stream<Path> files = Files.walk(source)) {
            files.forEach(
                    file -> copy(file, target.resolve(source.relativize(file).toString())));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return target;
    }

    private static void copy(Path file, Path target) {
        try {
            if (Files.isDirectory(file)) {
                Files.createDirectories(target);
            } else {
                Files.copy(file, target);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void replace(Path file, String old, String other) {
        try {
            String text = Files.readString(file);
            assertTrue(text.contains(old), () -> "expected " + old + " in " + text);
            Files.writeString(file, text.replace(old, other));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ModelInfo info(Path directory) {
        try (Model model = Model.open(directory)) {
            return model.info();
        }
    }

    private static List<Float> scores(Path directory, CrossEncoderOptions options) {
        try (CrossEncoder encoder = CrossEncoder.open(directory, ModelOptions.DEFAULT, options)) {
            return encoder.score("Which river?", DOCUMENTS).stream()
                    .map(CrossEncoder.Score::value)
                    .toList();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "qwen3-rr, Qwen3-Reranker-0.6B, choice, qwen3-reranker",
        "qwen3-rr, my-qwen3-reranker-tuned, choice, qwen3-reranker",
        "qwen3-seqcls, Qwen3-Reranker-0.6B-seq-cls, head, qwen3-reranker",
        "qwen2-rr, mxbai-rerank-base-v2, choice, mxbai-v2",
        "llama-seqcls, rankllama-v1-7b-merged, head, rankllama",
        "llama-seqcls, some-classifier, head, pair",
        "qwen3-rr, some-model, likelihood, likelihood",
        "qwen3-rr-st, some-model, choice, chat",
        "qwen3-rr-st, mxbai-rerank-base-v2, choice, chat",
        "qwen3-seqcls-st, some-model, head, chat",
    })
    void filesAndNamesTell(String model, String name, String method, String template) {
        ModelInfo info = info(copy(model, name));
        ModelInfo.Scoring scoring = info.scoring().orElseThrow();
        assertEquals(method, scoring.method().toString());
        assertEquals(template, scoring.template());
    }

    @Test
    void theSourceIsTold() {
        assertTrue(
                info(copy("qwen3-rr", "Qwen3-Reranker-4B")).sources().scoring().contains("directory's name"));
        assertTrue(info(DecoderGoldens.model("qwen3-rr-st")).sources().scoring().contains("chat_template.jinja"));
        assertTrue(info(copy("llama-seqcls", "x")).sources().scoring().contains("architectures"));
    }

    @Test
    void theNameOfARepositoryInACacheCounts() throws IOException {
        Path snapshot = folder.resolve("models--Qwen--Qwen3-Reranker-0.6B").resolve("snapshots");
        Files.createDirectories(snapshot);
        Path model = copy("qwen3-rr", "models--Qwen--Qwen3-Reranker-0.6B/snapshots/abc");
        assertTrue(info(model).sources().scoring().contains("repository's name"));
    }

    @Test
    void aRecognisedModelScoresAsIfAskedFor() {
        assertEquals(
                scores(
                        DecoderGoldens.model("qwen3-rr"),
                        CrossEncoderOptions.DEFAULT.withTemplate(RerankTemplate.QWEN3_RERANKER)),
                scores(copy("qwen3-rr", "Qwen3-Reranker-0.6B"), CrossEncoderOptions.DEFAULT));
    }

    @Test
    void optionsCountMoreThanFilesAndName() {
        Path model = copy("qwen3-rr-st", "Qwen3-Reranker-0.6B");
        try (CrossEncoder encoder = CrossEncoder.open(
                model, ModelOptions.DEFAULT, CrossEncoderOptions.DEFAULT.withTemplate(RerankTemplate.LIKELIHOOD))) {
            assertEquals(ScoringMethod.LIKELIHOOD, encoder.method());
            assertFalse(encoder.scoresAreProbabilities());
            assertTrue(encoder.score("river", DOCUMENTS).getFirst().tokens() > 0);
        }
    }

    @Test
    void anUnknownClassifierScoresAPairAndTellsSo() {
        Path model = copy("llama-seqcls", "some-classifier");
        try (CrossEncoder encoder = CrossEncoder.open(model)) {
            assertEquals(1, encoder.notices().size());
            assertTrue(encoder.notices().getFirst().contains("pair of texts"), encoder.notices()::getFirst);
            assertTrue(encoder.scoresAreProbabilities());
        }
        replace(
                model.resolve("config.json"),
                "\"model_type\"",
                "\"sentence_transformers\": {\"activation_fn\": \"torch.nn.modules.linear.Identity\"}, \"model_type\"");
        try (CrossEncoder encoder = CrossEncoder.open(model)) {
            assertFalse(encoder.scoresAreProbabilities());
        }
    }

    @Test
    void severalLabelsAreRefused() {
        Path model = copy("llama-seqcls", "rankllama");
        replace(model.resolve("config.json"), "\"0\": \"LABEL_0\"", "\"0\": \"LABEL_0\", \"1\": \"LABEL_1\"");
        Refusal.check(
                UnsupportedModelException.class,
                () -> CrossEncoder.open(
                                model,
                                ModelOptions.DEFAULT,
                                CrossEncoderOptions.DEFAULT.withTemplate(RerankTemplate.LIKELIHOOD))
                        .close(),
                "LlamaForSequenceClassification",
                "2 labels");
        assertThrows(SgptException.class, () -> CrossEncoder.open(model).close());
        ModelInfo info = info(model);
        assertTrue(info.scoring().isEmpty());
        assertTrue(info.sources().scoring().contains("one label"), info.sources()::scoring);
    }

    @Test
    void theLikelihoodOfAClassifierIsRefused() {
        Refusal.check(
                UnsupportedModelException.class,
                () -> CrossEncoder.open(
                                DecoderGoldens.model("llama-seqcls"),
                                ModelOptions.DEFAULT,
                                CrossEncoderOptions.DEFAULT.withTemplate(RerankTemplate.LIKELIHOOD))
                        .close(),
                "config.json",
                "LlamaForSequenceClassification");
    }

    @Test
    void aTemplateForAHeadNeedsOne() {
        Refusal.check(
                UnsupportedModelException.class,
                () -> CrossEncoder.open(
                                DecoderGoldens.model("qwen3-rr"),
                                ModelOptions.DEFAULT,
                                CrossEncoderOptions.DEFAULT.withTemplate(RerankTemplate.RANKLLAMA))
                        .close(),
                "rankllama",
                "classification head");
    }

    @Test
    void aModelThatScoresPairsDoesNotEmbed() {
        for (String name : List.of("qwen3-rr-st", "qwen3-seqcls-st")) {
            Refusal.check(
                    UnsupportedModelException.class,
                    () -> BiEncoder.open(DecoderGoldens.model(name)).close(),
                    name,
                    "no pooling");
        }
        assertTrue(info(DecoderGoldens.model("qwen3-rr-st")).pooling().isEmpty());
        try (Model model = Model.open(DecoderGoldens.model("qwen3-rr-st"));
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT.withPooling(Pooling.MEAN))) {
            assertEquals(encoder.dimension(), encoder.embed("text").length);
        }
    }

    private static void refused(String model, CrossEncoderOptions options, String... words) {
        IllegalArgumentException error = assertThrows(
                IllegalArgumentException.class,
                () -> CrossEncoder.open(DecoderGoldens.model(model), ModelOptions.DEFAULT, options)
                        .close());
        for (String word : words) {
            assertTrue(String.valueOf(error.getMessage()).contains(word), error::getMessage);
        }
    }

    @Test
    void optionsWithoutEffectAreRefused() {
        CrossEncoderOptions options = CrossEncoderOptions.DEFAULT;
        refused("qwen3-rr", options.withInstruction("x"), "instruction", "likelihood");
        refused("qwen3-rr", options.withRawScores(true), "raw scores", "likelihood");
        refused("qwen3-rr-st", options.withPrompt("x {} y"), "prompt", "chat");
        refused("qwen3-rr-onelogit", options.withInstruction("x"), "instruction", "chat");
        refused(
                "llama-seqcls",
                options.withTemplate(RerankTemplate.RANKLLAMA).withInstruction("x"),
                "instruction",
                "rankllama");
    }

    @Test
    void lengthsWithoutRoomAreRefused() {
        CrossEncoderOptions options = CrossEncoderOptions.DEFAULT;
        refused("qwen3-rr", options.withTemplate(RerankTemplate.QWEN3_RERANKER).withMaxLength(20), "maximal length 20");
        refused("qwen3-rr-st", options.withMaxLength(10), "maximal length 10");
        refused("llama-seqcls", options.withTemplate(RerankTemplate.RANKLLAMA).withMaxLength(2), "maximal length 2");
    }

    @Test
    void longPairsMayBeRefused() {
        CrossEncoderOptions options = CrossEncoderOptions.DEFAULT.withTruncate(false);
        try (CrossEncoder encoder =
                CrossEncoder.open(DecoderGoldens.model("qwen3-rr-onelogit"), ModelOptions.DEFAULT, options)) {
            Refusal.check(
                    FormatException.class,
                    () -> encoder.score("q", List.of("word ".repeat(1000))),
                    "expected at most 260 tokens");
        }
    }

    @Test
    void fingerprintsTellWaysToScoreApart() {
        CrossEncoderOptions options = CrossEncoderOptions.DEFAULT.withTemplate(RerankTemplate.QWEN3_RERANKER);
        Path model = DecoderGoldens.model("qwen3-rr");
        try (Model open = Model.open(model);
                CrossEncoder likelihood = CrossEncoder.of(open, CrossEncoderOptions.DEFAULT);
                CrossEncoder choice = CrossEncoder.of(open, options);
                CrossEncoder again = CrossEncoder.of(open, options);
                CrossEncoder raw = CrossEncoder.of(open, options.withRawScores(true));
                CrossEncoder other = CrossEncoder.of(open, options.withInstruction("x"))) {
            assertEquals(choice.fingerprint(), again.fingerprint());
            assertNotEquals(likelihood.fingerprint(), choice.fingerprint());
            assertNotEquals(raw.fingerprint(), choice.fingerprint());
            assertNotEquals(other.fingerprint(), choice.fingerprint());
        }
    }

    @Test
    void fingerprintsDoNotDependOnThePlaceOfFiles() throws IOException {
        Path model = DecoderGoldens.model("qwen3-rr-st");
        Path moved = folder.resolve("moved");
        try (Stream<Path> files = Files.walk(model)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.copy(file, moved.resolve(model.relativize(file).toString()));
            }
        }
        try (CrossEncoder here = CrossEncoder.open(model);
                CrossEncoder there = CrossEncoder.open(moved)) {
            assertEquals(here.fingerprint(), there.fingerprint());
        }
    }

    @Test
    void aTemplateMayComeFromAFile() throws IOException {
        Path file = folder.resolve("mine.json");
        Files.writeString(file, """
                {"pieces": ["<|im_start|>", "{instruction}: {query} {document}", "<|im_end|>"],
                 "instruction": "usual", "true_token": "yes", "false_token": "no", "activation": "none",
                 "max_length": 64}
                """);
        RerankTemplate template = RerankTemplate.read(file);
        assertEquals("mine.json", template.name());
        CrossEncoderOptions options = CrossEncoderOptions.DEFAULT.withTemplate(template);
        try (CrossEncoder encoder =
                CrossEncoder.open(DecoderGoldens.model("qwen3-rr"), ModelOptions.DEFAULT, options)) {
            assertEquals(64, encoder.maxLength());
            assertFalse(encoder.scoresAreProbabilities());
            CrossEncoder.Score score =
                    encoder.score("q", List.of("word ".repeat(100))).getFirst();
            assertEquals(64, score.inputTokens());
            assertEquals(2, score.logits().size());
            assertEquals(score.logits().get(0) - score.logits().get(1), score.value(), 1e-6);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "{}; pieces",
                "{\"pieces\": []}; pieces",
                "{\"pieces\": [\"{query}\"]}; {document}",
                "{\"pieces\": [\"{document}\"]}; {query}",
                "{\"pieces\": [\"{query}{document}\"], \"other\": 1}; other",
                "{\"pieces\": [\"{query}{document}\"], \"false_token\": \"no\"}; true_token",
                "{\"pieces\": [\"{query}{document}\"], \"activation\": \"tanh\"}; activation",
                "{\"pieces\": [\"{query}{document}\"], \"form\": \"pair\"}; expected 2",
                "{\"pieces\": [\"{query}\", \"{document}\"], \"form\": \"text\"}; expected 1",
                "{\"pieces\": [1]}; pieces",
                "{\"pieces\": [\"{query}{document}\"], \"max_length\": 0}; max_length",
            })
    void aBrokenTemplateIsRefused(String json, String word) throws IOException {
        Path file = folder.resolve("broken.json");
        Files.writeString(file, json);
        Refusal.check(FormatException.class, () -> RerankTemplate.read(file), "broken.json", word);
    }

    @Test
    void namesOfTemplates() {
        assertEquals(RerankTemplate.MXBAI_V2, RerankTemplate.named("mxbai-v2"));
        assertThrows(IllegalArgumentException.class, () -> RerankTemplate.named("other"));
        assertEquals(
                List.of("likelihood", "qwen3-reranker", "bge-gemma", "mxbai-v2", "rankllama", "nvidia-rerank"),
                RerankTemplate.names());
    }

    @Test
    void brokenFilesAreRefused() {
        Path model = copy("qwen3-rr-st", "a");
        replace(model.resolve("1_LogitScore/config.json"), "345", "99999");
        Refusal.check(FormatException.class, () -> CrossEncoder.open(model).close(), "1_LogitScore", "99999");
        Path other = copy("qwen3-rr-st", "b");
        replace(other.resolve("chat_template.jinja"), "{{ d }}", "{{ d | nosuch }}");
        Refusal.check(
                UnsupportedModelException.class,
                () -> CrossEncoder.open(other).close(),
                "chat_template.jinja, line",
                "nosuch");
        Path third = copy("qwen3-rr-st", "c");
        replace(third.resolve("chat_template.jinja"), "{{ d }}", "");
        Refusal.check(
                FormatException.class, () -> CrossEncoder.open(third).close(), "chat_template.jinja", "\"document\"");
        Path fourth = copy("qwen3-rr-st", "d");
        replace(fourth.resolve("config_sentence_transformers.json"), "activation.Sigmoid", "activation.Tanh");
        Refusal.check(
                UnsupportedModelException.class, () -> CrossEncoder.open(fourth).close(), "activation_fn", "Tanh");
        Path fifth = copy("qwen3-rr-st", "e");
        replace(fifth.resolve("sentence_bert_config.json"), "text-generation", "feature-extraction");
        Refusal.check(
                UnsupportedModelException.class, () -> Model.open(fifth).close(), "sentence_bert_config.json", "task");
    }

    @Test
    void classifiersPassOverPaddingAtTheEnd() {
        CrossEncoderOptions options = CrossEncoderOptions.DEFAULT.withTemplate(RerankTemplate.RANKLLAMA);
        try (CrossEncoder encoder =
                CrossEncoder.open(DecoderGoldens.model("llama-seqcls"), ModelOptions.DEFAULT, options)) {
            List<CrossEncoder.Score> scores = encoder.score("q", List.of("a river", "a river<|pad|><|pad|>"));
            assertEquals(scores.get(0).value(), scores.get(1).value());
            assertFalse(scores.get(1).truncated());
        }
    }

    @Test
    void documentsAreRankedByRawScores() {
        try (CrossEncoder encoder = CrossEncoder.open(DecoderGoldens.model("qwen3-rr-st"))) {
            List<CrossEncoder.Score> scores = encoder.score("fear of heights", DOCUMENTS);
            List<CrossEncoder.Ranked> ranked = encoder.rank("fear of heights", DOCUMENTS);
            int best = scores.get(0).rawValue() >= scores.get(1).rawValue() ? 0 : 1;
            assertEquals(best, ranked.getFirst().index());
            assertEquals(scores.get(best).value(), ranked.getFirst().score());
        }
    }
}
