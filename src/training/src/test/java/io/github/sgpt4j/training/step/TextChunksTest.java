package io.github.sgpt4j.training.step;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TextChunksTest {
    private static final int MAX_TOKENS = 600;
    private static final int MAX_LENGTH = 100;

    private static List<int[]> texts(Random random, int count) {
        return IntStream.range(0, count)
                .mapToObj(_ -> new int[1 + random.nextInt(MAX_LENGTH)])
                .toList();
    }

    private static long tokens(List<int[]> texts, List<Integer> chunk) {
        return chunk.stream().mapToLong(i -> texts.get(i).length).sum();
    }

    @Test
    void everyTextIsInOneChunk() {
        Random random = new Random(1);
        for (int count = 1; count < 100; count += 7) {
            List<int[]> texts = texts(random, count);
            List<List<Integer>> chunks = TextChunks.plan(texts, MAX_TOKENS);
            List<Integer> all = chunks.stream().flatMap(List::stream).sorted().toList();
            assertEquals(IntStream.range(0, count).boxed().toList(), all);
            chunks.forEach(chunk -> assertTrue(tokens(texts, chunk) <= MAX_TOKENS));
        }
    }

    @Test
    void oneDeviceHasTheChunksThatWereAskedFor() {
        assertEquals(MAX_TOKENS, TextChunks.even(texts(new Random(2), 3), MAX_TOKENS, 1));
        assertEquals(MAX_TOKENS, TextChunks.even(texts(new Random(2), 300), MAX_TOKENS, 1));
    }

    @Test
    void severalDevicesHaveAboutTheSameToDo() {
        Random random = new Random(3);
        for (int round = 0; round < 500; round++) {
            int devices = 2 + random.nextInt(6);
            List<int[]> texts = texts(random, 20 * devices + random.nextInt(1000));
            List<List<Integer>> chunks = TextChunks.plan(texts, TextChunks.even(texts, MAX_TOKENS, devices));
            chunks.forEach(chunk -> assertTrue(tokens(texts, chunk) <= MAX_TOKENS));
            long all = texts.stream().mapToLong(text -> text.length).sum();
            int each = Math.ceilDiv(chunks.size(), devices);
            for (int device = 0; device < devices; device++) {
                long share = 0;
                for (int i = device; i < chunks.size(); i += devices) {
                    share += tokens(texts, chunks.get(i));
                }
                String what = "device %d of %d: %d of %d tokens".formatted(device, devices, share, all);
                assertTrue(share <= all / devices + (each + 1) * (long) MAX_LENGTH, what);
            }
        }
    }

    /// Such a text is a chunk of its own.
    @Test
    void aTextMayBeLongerThanAChunk() {
        List<int[]> texts = new ArrayList<>(texts(new Random(4), 10));
        texts.add(new int[MAX_TOKENS + 1]);
        assertEquals(MAX_TOKENS, TextChunks.even(texts, MAX_TOKENS, 2));
        List<List<Integer>> chunks = TextChunks.plan(texts, MAX_TOKENS);
        assertEquals(List.of(10), chunks.getFirst());
    }
}
