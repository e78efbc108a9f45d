package io.github.sgpt4j.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.ThreadMXBean;
import io.github.sgpt4j.inference.TextFraming;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Random;
import java.util.function.IntFunction;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Once buffers have grown and the cache of words is full, a longer text allocates more only by its longer array of
/// ids.
class SteadyEncodingTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static final int FEW = 60;
    private static final int MANY = 10 * FEW;

    /// The first tens of pairs fill the cache.
    private static final int MAX_PAIRS = 2_000;

    /// Number of consecutive pairs required, since a single one may balance by chance.
    private static final int IN_A_ROW = 20;

    /// Tolerance for rounding an array's size to eight bytes and for words stored in the cache: less
    /// than half a byte per token.
    private static final long ALLOWED = 200;

    private static final String[] ENGLISH = ("The moon's light, 384,400 kilometres away, doesn't warm the seas; but its"
                    + " pull -- so the tables say -- moves them twice a day (in 1687 it was shown why).\n")
            .split(" ");

    @TempDir
    Path temporary;

    private final Random random = new Random(TokenizerFiles.seed("SteadyEncodingTest"));

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "gptneox", "bloom", "llama3", "opt", "qwen2", "qwen3"})
    void moreWordsDoNotAllocateMore(String name) {
        Tokenizer tokenizer = Tokenizer.load(TokenizerFiles.golden(name));
        requireIdsOnly(tokenizer, new TextFraming.Plain(), SteadyEncodingTest::english);
        requireIdsOnly(tokenizer, new TextFraming.Plain(), this::newWords);
    }

    @Test
    void bracketsAreInTheSameArray() {
        Tokenizer tokenizer = Tokenizer.load(TokenizerFiles.golden("gpt2"));
        requireIdsOnly(tokenizer, new TextFraming.Brackets(1, 2), SteadyEncodingTest::english);
    }

    @Test
    void wordsThatAreTokensDoNotAllocateMore() throws IOException {
        Tokenizer tokenizer = changed(spec -> {
            ((ObjectNode) spec.get("model")).put("ignore_merges", true);
            return spec;
        });
        requireIdsOnly(tokenizer, new TextFraming.Plain(), this::newWords);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"})
    void generalPatternsDoNotAllocateMore(String behavior) throws IOException {
        Tokenizer tokenizer = changed(spec -> spec.set("pre_tokenizer", split(behavior)));
        requireIdsOnly(tokenizer, new TextFraming.Plain(), SteadyEncodingTest::english);
    }

    private Tokenizer changed(UnaryOperator<ObjectNode> change) throws IOException {
        return Tokenizer.load(TokenizerFiles.write(temporary, change.apply(TokenizerFiles.gpt2())));
    }

    private static ObjectNode split(String behavior) {
        try {
            return (ObjectNode) TokenizerFiles.JSON.readTree("""
                    {"type": "Sequence", "pretokenizers": [
                      {"type": "Split", "pattern": {"Regex": "-|\\\\s"}, "behavior": "%s", "invert": false},
                      {"type": "Whitespace"},
                      {"type": "Split", "pattern": {"Regex": "\\\\p{N}{1,3}"}, "behavior": "Isolated", "invert": false},
                      {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}]}""".formatted(behavior));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String english(int words) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < words; i++) {
            text.append(ENGLISH[i % ENGLISH.length]).append(' ');
        }
        return text.toString();
    }

    /// Words of random lower-case letters, which are unlikely to repeat.
    private String newWords(int words) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < words; i++) {
            for (int n = 8 + random.nextInt(8); n > 0; n--) {
                text.append((char) ('a' + random.nextInt(26)));
            }
            text.append(i % 50 == 0 ? " 月光 " : " ");
        }
        return text.toString();
    }

    private static void requireIdsOnly(Tokenizer tokenizer, TextFraming framing, IntFunction<String> texts) {
        long growth = 0;
        int same = 0;
        for (int i = 0; i < MAX_PAIRS && same < IN_A_ROW; i++) {
            growth = beyondIds(tokenizer, framing, texts.apply(MANY)) - beyondIds(tokenizer, framing, texts.apply(FEW));
            same = Math.abs(growth) <= ALLOWED ? same + 1 : 0;
        }
        assertEquals(IN_A_ROW, same, growth + " bytes more for " + (MANY - FEW) + " words");
    }

    private static long beyondIds(Tokenizer tokenizer, TextFraming framing, String text) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        int[] ids = framing.encode(tokenizer, text, Integer.MAX_VALUE).ids();
        return THREADS.getCurrentThreadAllocatedBytes() - before - 4L * ids.length;
    }
}
