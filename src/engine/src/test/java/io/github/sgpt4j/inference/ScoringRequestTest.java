package io.github.sgpt4j.inference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Truncation against a transcription of `(ctx[:p] + (ctx[p:] + query)[-(max + 1 - p):])[:-1]`.
class ScoringRequestTest {
    private static final long SEED = Long.getLong("sgpt4j.seed", 20220217);

    /// A Python slice `list[from:to]`, negative indices included.
    private static List<Integer> slice(List<Integer> list, int from, int to) {
        int n = list.size();
        int first = Math.clamp(from < 0 ? from + n : from, 0, n);
        int last = Math.clamp(to < 0 ? to + n : to, 0, n);
        return first < last ? list.subList(first, last) : List.of();
    }

    private static List<Integer> joined(List<Integer> a, List<Integer> b) {
        List<Integer> all = new ArrayList<>(a);
        all.addAll(b);
        return all;
    }

    private static List<Integer> whole(List<Integer> context, List<Integer> query, int p, int max) {
        List<Integer> rest = joined(slice(context, p, context.size()), query);
        return joined(slice(context, 0, p), slice(rest, -(max + 1 - p), rest.size()));
    }

    private static int[] array(List<Integer> list) {
        return list.stream().mapToInt(Integer::intValue).toArray();
    }

    private static List<Integer> numbers(int from, int count) {
        List<Integer> list = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            list.add(from + i);
        }
        return list;
    }

    private static ScoringRequest request(List<Integer> context, List<Integer> query, int p, int max) {
        return ScoringRequest.of(array(context), array(query), p, max);
    }

    @Test
    void agreesWithTheFormulaOnRandomInputs() {
        Random random = new Random(SEED);
        for (int i = 0; i < 20_000; i++) {
            int p = random.nextInt(6);
            int max = p + 1 + random.nextInt(12);
            List<Integer> context = numbers(100, 1 + random.nextInt(15));
            List<Integer> query = numbers(500, 1 + random.nextInt(15));
            String what =
                    "seed %d: p %d, max %d, context %d, query %d".formatted(SEED, p, max, context.size(), query.size());
            ScoringRequest request = request(context, query, p, max);
            List<Integer> all = whole(context, query, p, max);
            assertArrayEquals(array(slice(all, 0, -1)), request.input(), what);
            // The remaining tokens of the query are the targets, except one without a predecessor.
            List<Integer> targets =
                    all.subList(1, all.size()).stream().filter(id -> id >= 500).toList();
            assertArrayEquals(array(targets), request.targets(), what);
            assertTrue(request.input().length <= max, what);
            assertEquals(context.size() + query.size() - 1, request.uncut(), what);
            assertEquals(request.input().length - targets.size(), request.scoredFrom(), what);
        }
    }

    @Test
    void shortInputsAreKeptWhole() {
        ScoringRequest request = ScoringRequest.of(new int[] {1, 2, 3}, new int[] {7, 8}, 1, 4);
        assertArrayEquals(new int[] {1, 2, 3, 7}, request.input());
        assertArrayEquals(new int[] {7, 8}, request.targets());
        assertEquals(2, request.scoredFrom());
    }

    @Test
    void theDocumentIsCutOnTheLeftBehindTheInstruction() {
        ScoringRequest request = ScoringRequest.of(new int[] {1, 2, 3, 4, 5}, new int[] {7, 8}, 2, 4);
        assertArrayEquals(new int[] {1, 2, 5, 7}, request.input());
        assertArrayEquals(new int[] {7, 8}, request.targets());
    }

    @Test
    void aQueryLongerThanTheModelKeepsItsLastTokens() {
        ScoringRequest request = ScoringRequest.of(new int[] {1, 2, 3}, new int[] {5, 6, 7, 8, 9}, 2, 4);
        assertArrayEquals(new int[] {1, 2, 7, 8}, request.input());
        assertArrayEquals(new int[] {7, 8, 9}, request.targets());
        assertEquals(1, request.scoredFrom());
    }

    @Test
    void withoutInstructionTheFirstTokenIsNotScoredIfItIsTheQuerys() {
        ScoringRequest request = ScoringRequest.of(new int[] {1}, new int[] {5, 6, 7, 8}, 0, 2);
        assertArrayEquals(new int[] {6, 7}, request.input());
        assertArrayEquals(new int[] {7, 8}, request.targets());
        assertEquals(0, request.scoredFrom());
    }

    @Test
    void anInstructionAsLongAsTheModelScoresTheLastToken() {
        ScoringRequest request = ScoringRequest.of(new int[] {1, 2, 3}, new int[] {7, 8}, 2, 2);
        assertArrayEquals(new int[] {1, 2}, request.input());
        assertArrayEquals(new int[] {8}, request.targets());
    }

    @Test
    void aLongerInstructionIsAnError() {
        FormatException e =
                assertThrows(FormatException.class, () -> ScoringRequest.of(new int[] {1, 2, 3}, new int[] {7}, 3, 2));
        assertTrue(e.getMessage().contains("at most 2") && e.getMessage().contains("got 3"), e.getMessage());
    }

    @Test
    void anInstructionLongerThanTheContextStillTakesItsRoom() {
        ScoringRequest request = ScoringRequest.of(new int[] {1, 2}, new int[] {5, 6, 7, 8, 9}, 3, 5);
        assertArrayEquals(new int[] {1, 2, 7, 8}, request.input());
        assertArrayEquals(new int[] {7, 8, 9}, request.targets());
    }

    @Test
    void anEmptyQueryHasNoTargets() {
        assertEquals(0, ScoringRequest.of(new int[] {1, 2}, new int[0], 1, 4).targets().length);
        assertEquals(0, ScoringRequest.of(new int[0], new int[0], 0, 4).targets().length);
        assertEquals(
                0,
                ScoringRequest.of(new int[] {1, 2, 3, 4, 5, 6}, new int[0], 1, 4)
                        .targets()
                        .length);
    }

    @Test
    void aQueryThatNothingPrecedesIsAnError() {
        assertThrows(FormatException.class, () -> ScoringRequest.of(new int[0], new int[] {7}, 0, 4));
    }

    @Test
    void inputsAreNotChanged() {
        int[] context = {1, 2, 3, 4, 5};
        int[] query = {7, 8};
        ScoringRequest.of(context, query, 2, 3);
        assertArrayEquals(new int[] {1, 2, 3, 4, 5}, context);
        assertArrayEquals(new int[] {7, 8}, query);
    }
}
