package io.github.sgpt4j.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.tokenizer.bpe.BpeMerger;
import io.github.sgpt4j.tokenizer.files.ModelReader;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// An interrupt ends encoding in the middle of a text.
class CancelledEncodingTest {
    @AfterEach
    void clear() {
        Thread.interrupted();
    }

    @Test
    void aTextOfManyWordsIsLeftAndTheTokenizerGoesOn() {
        Tokenizer tokenizer = Tokenizer.load(TokenizerFiles.golden("gpt2"));
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 1000; i++) {
            text.append(" word").append(i * 7919);
        }
        int[] expected = tokenizer.encode(text.toString(), false);
        Thread.currentThread().interrupt();
        Cancellation cancellation = Cancellation.ofThisThread("tokenizing");
        assertThrows(CancelledException.class, () -> tokenizer.encode(text.toString(), false, cancellation));
        assertTrue(Thread.interrupted());
        assertArrayEquals(expected, tokenizer.encode(text.toString(), false, Cancellation.ofThisThread("tokenizing")));
        assertArrayEquals(expected, tokenizer.encode(text.toString(), false));
    }

    @Test
    void aWordOfManySymbolsIsLeft() throws IOException {
        ModelReader.Content content =
                ModelReader.tokenizerJson(TokenizerFiles.golden("gpt2").resolve("tokenizer.json"));
        int[] symbols = new int[200_000];
        Arrays.fill(symbols, content.vocabulary().id("t"));
        for (int i = 0; i < symbols.length; i += 3) {
            symbols[i] = content.vocabulary().id("h");
        }
        Thread.currentThread().interrupt();
        Cancellation cancellation = Cancellation.ofThisThread("tokenizing");
        assertThrows(
                CancelledException.class,
                () -> new BpeMerger(content.merges()).merge(symbols.clone(), 0, symbols.length, cancellation));
        // Short words do not check for cancellation.
        int[] few = Arrays.copyOf(symbols, 6);
        BpeMerger merger = new BpeMerger(content.merges());
        assertEquals(
                merger.merge(few.clone(), 0, 6, Cancellation.NEVER), merger.merge(few.clone(), 0, 6, cancellation));
    }
}
