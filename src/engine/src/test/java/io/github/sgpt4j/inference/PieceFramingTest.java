package io.github.sgpt4j.inference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.testing.Closeness;
import io.github.sgpt4j.testing.DecoderGoldens;
import io.github.sgpt4j.testing.RerankerGoldens.Pairs;
import io.github.sgpt4j.tokenizer.EncodedText;
import io.github.sgpt4j.tokenizer.Tokenizer;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Prompts in pieces as token ids, without a model.
class PieceFramingTest {
    private static PairTemplate named(String name) {
        return List.of(
                        PairTemplates.QWEN3_RERANKER,
                        PairTemplates.BGE_GEMMA,
                        PairTemplates.MXBAI_V2,
                        PairTemplates.RANKLLAMA,
                        PairTemplates.NVIDIA_RERANK)
                .stream()
                .filter(template -> template.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static EncodedText encode(PieceFraming framing, String query, String document) {
        return framing.encode(query, document, new HashMap<>(), Cancellation.NEVER);
    }

    @ParameterizedTest
    @CsvSource({
        "qwen3-rr, qwen3-reranker",
        "qwen3-seqcls, qwen3-reranker",
        "qwen2-rr, mxbai-v2",
        "llama-seqcls, rankllama",
        "llama-bidirec-seqcls, nvidia-rerank",
        "gemma-rr, bge-gemma",
        "gemma2-rr, bge-gemma",
    })
    void idsAreThoseOfTheReference(String model, String template) {
        JsonNode expected = DecoderGoldens.expected(model);
        JsonNode pieces = expected.get("template").path("pieces");
        Optional<String> instruction = template.equals("bge-gemma")
                ? Optional.of(pieces.get(pieces.size() - 1).textValue())
                : Optional.ofNullable(expected.path("instruction").textValue());
        PieceFraming framing = new PieceFraming(
                Tokenizer.load(DecoderGoldens.model(model)),
                named(template),
                instruction,
                expected.get("max_length").intValue());
        Pairs pairs = Pairs.of(expected);
        for (int i = 0; i < pairs.indices().size(); i++) {
            int[] at = pairs.indices().get(i);
            int[] ids = encode(
                            framing, pairs.queries().get(i), pairs.documents().get(i))
                    .ids();
            assertArrayEquals(Closeness.ints(expected.get("ids").get(at[0]).get(at[1])), ids, "pair " + i);
            assertTrue(ids.length <= framing.maxTokens(), "pair " + i);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"qwen3-reranker", "bge-gemma", "mxbai-v2", "rankllama", "nvidia-rerank"})
    void noPromptIsLongerThanTold(String name) {
        Tokenizer tokenizer = Tokenizer.load(DecoderGoldens.model("qwen2-rr"));
        PairTemplate template = named(name);
        for (int maxLength : new int[] {100, 101, 250}) {
            PieceFraming framing = new PieceFraming(tokenizer, template, template.instruction(), maxLength);
            int longest = 0;
            for (int query : new int[] {0, 1, 60, 500}) {
                for (int document : new int[] {0, 1, 60, 500}) {
                    EncodedText ids = encode(framing, "a ".repeat(query), "b ".repeat(document));
                    longest = Math.max(longest, ids.ids().length);
                    assertTrue(ids.uncut() >= ids.ids().length);
                }
            }
            assertTrue(longest <= framing.maxTokens(), name + ": " + longest);
            if (!name.equals("bge-gemma")) {
                assertEquals(framing.maxTokens(), longest);
            }
        }
    }

    @Test
    void textsOfPairsFillNoPlaces() {
        Tokenizer tokenizer = Tokenizer.load(DecoderGoldens.model("qwen3-rr"));
        PieceFraming framing = new PieceFraming(tokenizer, named("qwen3-reranker"), Optional.of("{query}"), 300);
        String text =
                tokenizer.decode(encode(framing, "{document}", "{instruction}").ids(), false);
        assertTrue(
                text.contains("<Instruct>: {query}\n<Query>: {document}\n<Document>: {instruction}<|im_end|>"), text);
    }

    /// The expected ids are those of `tokenizers` 0.23.
    @Test
    void pairsLoseTheirLongerTextFirst() {
        Tokenizer tokenizer = Tokenizer.load(DecoderGoldens.model("llama-seqcls"));
        int special = tokenizer.specialTokensAddedToPair();
        assertEquals(2, special);
        int[] shortIds = tokenizer.encode("a", false);
        int[] longIds = tokenizer.encode("b b b b b b b b", false);
        EncodedText cut =
                tokenizer.encodePair("a", "b b b b b b b b", special + shortIds.length + 2, Cancellation.NEVER);
        assertEquals(special + shortIds.length + longIds.length, cut.uncut());
        assertArrayEquals(new int[] {0, shortIds[0], 0, longIds[0], longIds[1]}, cut.ids());
        EncodedText both = tokenizer.encodePair("b b b b b b b b", "b b b b b b b", special + 5, Cancellation.NEVER);
        assertArrayEquals(new int[] {0, longIds[0], longIds[1], 0, longIds[0], longIds[1], longIds[2]}, both.ids());
        assertThrows(
                IllegalArgumentException.class, () -> tokenizer.encodePair("a", "b", special - 1, Cancellation.NEVER));
    }
}
