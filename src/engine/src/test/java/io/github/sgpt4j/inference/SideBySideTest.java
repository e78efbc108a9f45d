package io.github.sgpt4j.inference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.cpu.CpuBackend;
import io.github.sgpt4j.backend.cpu.CpuOptions;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.tokenizer.Tokenizer;
import io.github.sgpt4j.weights.Weights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// On the CPU, embeddings and scores are the same bits whatever the number of threads, of batches side by side, and of
/// tokens computed at a time.
@Timeout(300)
class SideBySideTest {
    private static final long SEED = Long.getLong("sgpt4j.seed", 4096);
    private static final List<String> WORDS = List.of("spider", "moon", "the", "of", "planet", "{}", "far", "eight 8");

    /// With 4 threads: one batch at a time, two, four, and all texts in four.
    private static final int[] BUDGETS = {40, 512, 1024, 100_000};

    static List<String> crossEncoders() {
        return Goldens.crossEncoders();
    }

    private static List<String> texts(int count, int mostWords) {
        Random random = new Random(SEED);
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            StringBuilder text = new StringBuilder();
            for (int w = random.nextInt(mostWords); w > 0; w--) {
                text.append(WORDS.get(random.nextInt(WORDS.size()))).append(' ');
            }
            texts.add(text.toString());
        }
        return texts;
    }

    /// Checks progress: calls come one at a time and numbers never decrease.
    private static final class Watch implements Progress {
        private final int total;
        private long last;

        Watch(int total) {
            this.total = total;
        }

        @Override
        public void update(long done, long of) {
            assertEquals(total, of);
            assertEquals(Math.max(done, last), done);
            last = done;
        }
    }

    private static float[][] compute(String golden, int threads, Function<Parts, float[][]> work) {
        Path directory = Goldens.model(golden);
        try (Weights weights = Weights.open(directory);
                Backend backend = new CpuBackend(new CpuOptions(threads, Precision.AUTO, 0))) {
            return work.apply(new Parts(Decoder.load(directory, weights, backend), Tokenizer.load(directory), backend));
        }
    }

    private record Parts(Decoder decoder, Tokenizer tokenizer, Backend backend) {
        int maxLength() {
            return decoder.config().maxPositions();
        }
    }

    private static void check(String golden, int items, Function<Integer, Function<Parts, float[][]>> work) {
        float[][] expected = compute(golden, 1, work.apply(40));
        for (int threads : new int[] {1, 4}) {
            for (int budget : threads == 1 ? new int[] {1024} : BUDGETS) {
                float[][] actual = compute(golden, threads, work.apply(budget));
                assertEquals(items, actual.length);
                for (int i = 0; i < items; i++) {
                    assertArrayEquals(
                            expected[i], actual[i], "%s, %d threads, budget %d".formatted(golden, threads, budget));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("crossEncoders")
    void embeddingsAreTheSameBits(String golden) {
        // More texts than a window, some without tokens.
        List<String> texts = texts(1100, 12);
        check(golden, texts.size(), budget -> parts -> {
            Watch watch = new Watch(texts.size());
            EmbeddingSteps steps = EmbeddingSteps.load(
                    parts.backend(), List.of(), parts.decoder().width());
            TextEncoder encoder = new TextEncoder(
                    parts.decoder(),
                    parts.tokenizer(),
                    List.of(PoolMode.WEIGHTED_MEAN),
                    true,
                    steps,
                    parts.maxLength());
            float[][] embeddings = encoder.embed(texts, new TextFraming.Plain(), budget, watch);
            assertEquals(texts.size(), watch.last);
            return embeddings;
        });
    }

    @ParameterizedTest
    @MethodSource("crossEncoders")
    void textsThatStartAlikeAreTheSameBitsAsAlone(String golden) {
        List<String> texts = new ArrayList<>();
        for (String text : texts(60, 9)) {
            texts.add(text);
            texts.add("the far moon " + text);
            texts.add("the far planet");
        }
        TextFraming framing = new TextFraming.Prompt("Instruct: find what spiders eat. Query: ");
        for (boolean includePrompt : new boolean[] {true, false}) {
            float[][] together = compute(
                    golden, 2, parts -> encoder(parts, includePrompt).embed(texts, framing, 4096, (done, total) -> {}));
            float[][] alone = compute(
                    golden,
                    2,
                    parts -> texts.stream()
                            .map(text -> encoder(parts, includePrompt)
                                    .embed(List.of(text), framing, 4096, (done, total) -> {})[0])
                            .toArray(float[][]::new));
            for (int i = 0; i < alone.length; i++) {
                assertArrayEquals(alone[i], together[i], golden + ", " + texts.get(i));
            }
        }
    }

    private static TextEncoder encoder(Parts parts, boolean includePrompt) {
        EmbeddingSteps steps =
                EmbeddingSteps.load(parts.backend(), List.of(), parts.decoder().width());
        return new TextEncoder(
                parts.decoder(),
                parts.tokenizer(),
                List.of(PoolMode.WEIGHTED_MEAN, PoolMode.MAX),
                includePrompt,
                steps,
                parts.maxLength());
    }

    @ParameterizedTest
    @MethodSource("crossEncoders")
    void scoresAreTheSameBits(String golden) {
        // Each document with several queries.
        List<String> documents = new ArrayList<>();
        List<String> queries = new ArrayList<>();
        List<String> some = texts(8, 5);
        for (String document : texts(20, 15)) {
            for (String query : some) {
                documents.add(document);
                queries.add(query);
            }
        }
        check(golden, queries.size(), budget -> parts -> {
            Watch watch = new Watch(queries.size());
            PairScorer scorer =
                    new PairScorer(parts.decoder(), parts.tokenizer(), PromptTemplate.DEFAULT, parts.maxLength());
            float[][] scores = scorer.logProbabilities(queries, documents, budget, watch);
            assertEquals(queries.size(), watch.last);
            return scores;
        });
    }
}
