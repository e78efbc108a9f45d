package io.github.sgpt4j.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.PackedBatchBuilder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/// What must hold whatever the numbers are: batching, order, trees and later tokens change nothing.
@Tag("vector")
@Tag("cuda")
@ParameterizedClass
@MethodSource("io.github.sgpt4j.backend.BackendsUnderTest#plain")
class DecoderPropertiesTest extends BackendContract {
    private static final int[] LENGTHS = {1, 2, 3, 7, 12, 13, 16, 17, 31, 33, 64, 65, 100};

    DecoderPropertiesTest(BackendUnderTest subject) {
        super(subject);
    }

    /// Equal up to the order of additions.
    private Tolerance same() {
        return tolerance;
    }

    @Test
    void wholeDecoderAgreesWithTheReference() {
        for (MiniDecoder.Style style : MiniDecoder.Style.values()) {
            PackedBatch packed = PackedBatch.of(sequences());
            float[] expected = decoder(reference, style).hidden(packed);
            // two layers whose residual stream grows to a few units
            check(
                    style + " hidden states",
                    tolerance.scaled(10),
                    expected,
                    decoder(backend, style).hidden(packed));
        }
    }

    @Test
    void sequenceAloneEqualsItselfInAnyBatch() {
        for (MiniDecoder.Style style : MiniDecoder.Style.values()) {
            MiniDecoder decoder = decoder(backend, style);
            List<int[]> sequences = sequences();
            float[] together = decoder.hidden(PackedBatch.of(sequences));
            float[] pooled = decoder.embeddings(PackedBatch.of(sequences));
            float[] scores = decoder.logProbabilities(PackedBatch.of(sequences));
            int row = 0;
            for (int s = 0; s < sequences.size(); s++) {
                int length = sequences.get(s).length;
                PackedBatch alone = PackedBatch.of(List.of(sequences.get(s)));
                check(style + " states " + length, same(), rows(together, row, length), decoder.hidden(alone));
                check(style + " embedding " + length, same(), rows(pooled, s, 1), decoder.embeddings(alone));
                float[] own = Arrays.copyOfRange(scores, row, row + length);
                check(style + " scores " + length, same(), own, decoder.logProbabilities(alone));
                row += length;
            }
        }
    }

    @Test
    void orderWithinABatchDoesNotMatter() {
        for (MiniDecoder.Style style : MiniDecoder.Style.values()) {
            MiniDecoder decoder = decoder(backend, style);
            List<int[]> sequences = sequences();
            float[] forwards = decoder.embeddings(PackedBatch.of(sequences));
            float[] backwards = decoder.embeddings(PackedBatch.of(sequences.reversed()));
            for (int s = 0; s < sequences.size(); s++) {
                float[] expected = rows(forwards, s, 1);
                check(style + " " + s, same(), expected, rows(backwards, sequences.size() - 1 - s, 1));
            }
        }
    }

    @Test
    void laterTokensDoNotChangeEarlierStates() {
        for (MiniDecoder.Style style : MiniDecoder.Style.values()) {
            MiniDecoder decoder = decoder(backend, style);
            int[] ids = data.ids(100, MiniDecoder.VOCABULARY);
            float[] before = decoder.hidden(PackedBatch.of(List.of(ids)));
            for (int changed : new int[] {1, 31, 32, 50, 99}) {
                int[] other = ids.clone();
                for (int i = changed; i < other.length; i++) {
                    other[i] = (other[i] + 1) % MiniDecoder.VOCABULARY;
                }
                float[] after = decoder.hidden(PackedBatch.of(List.of(other)));
                check(style + " before token " + changed, same(), rows(before, 0, changed), rows(after, 0, changed));
                float[] prefix = decoder.hidden(PackedBatch.of(List.of(Arrays.copyOf(ids, changed))));
                check(style + " prefix of " + changed, same(), rows(before, 0, changed), prefix);
            }
        }
    }

    @Test
    void treeEqualsItsSequencesOneByOne() {
        for (MiniDecoder.Style style : MiniDecoder.Style.values()) {
            MiniDecoder decoder = decoder(backend, style);
            int[] root = data.ids(19, MiniDecoder.VOCABULARY);
            int[] child = data.ids(33, MiniDecoder.VOCABULARY);
            PackedBatchBuilder tree = new PackedBatchBuilder();
            int rootSegment = tree.add(root);
            int childSegment = tree.add(child, 0, child.length, rootSegment);
            List<int[]> leaves = new ArrayList<>();
            for (int length : new int[] {1, 5, 16, 20}) {
                leaves.add(data.ids(length, MiniDecoder.VOCABULARY));
                tree.add(leaves.getLast(), 0, length, length % 2 == 0 ? rootSegment : childSegment);
            }
            float[] shared = decoder.hidden(tree.build());
            int row = root.length + child.length;
            for (int[] leaf : leaves) {
                int[] prefix = leaf.length % 2 == 0 ? root : concatenate(root, child);
                float[] flat = decoder.hidden(PackedBatch.of(List.of(concatenate(prefix, leaf))));
                float[] expected = rows(flat, prefix.length, leaf.length);
                check(style + " leaf of " + leaf.length, same(), expected, rows(shared, row, leaf.length));
                row += leaf.length;
            }
        }
    }

    @Test
    void cachedPrefixEqualsRecomputedPrefix() {
        for (MiniDecoder.Style style : MiniDecoder.Style.values()) {
            MiniDecoder decoder = decoder(backend, style);
            for (int cached : new int[] {1, 8, 37}) {
                int[] prefix = data.ids(cached, MiniDecoder.VOCABULARY);
                PackedBatchBuilder continued = new PackedBatchBuilder();
                int parent = continued.addCached(cached);
                List<int[]> leaves = List.of(data.ids(1, MiniDecoder.VOCABULARY), data.ids(18, MiniDecoder.VOCABULARY));
                leaves.forEach(leaf -> continued.add(leaf, 0, leaf.length, parent));
                float[] states;
                try (MiniDecoder.Cache cache = decoder.cache(PackedBatch.of(List.of(prefix)))) {
                    states = decoder.hidden(continued.build(), cache);
                }
                int row = 0;
                for (int[] leaf : leaves) {
                    float[] flat = decoder.hidden(PackedBatch.of(List.of(concatenate(prefix, leaf))));
                    float[] expected = rows(flat, cached, leaf.length);
                    check(style + " after " + cached, same(), expected, rows(states, row, leaf.length));
                    row += leaf.length;
                }
            }
        }
    }

    @Test
    void repeatedRunsAreEqualBitForBit() {
        for (MiniDecoder.Style style : MiniDecoder.Style.values()) {
            MiniDecoder decoder = decoder(backend, style);
            PackedBatch packed = PackedBatch.of(sequences());
            check(style + " again", Tolerance.EXACT, decoder.embeddings(packed), decoder.embeddings(packed));
        }
    }

    @Test
    void manyThreadsMayShareABackend() throws Exception {
        MiniDecoder decoder = decoder(backend, MiniDecoder.Style.ROTARY);
        List<PackedBatch> batches = sequences().stream()
                .map(ids -> PackedBatch.of(List.of(ids, ids)))
                .toList();
        List<float[]> expected = batches.stream().map(decoder::embeddings).toList();
        try (ExecutorService callers = Executors.newFixedThreadPool(4)) {
            List<Future<float[]>> results = IntStream.range(0, 8 * batches.size())
                    .mapToObj(i -> callers.submit(() -> decoder.embeddings(batches.get(i % batches.size()))))
                    .toList();
            for (int i = 0; i < results.size(); i++) {
                check(
                        "call " + i,
                        same(),
                        expected.get(i % batches.size()),
                        results.get(i).get());
            }
        }
    }

    @Test
    void decoderOfTheTestClosesWhatItOpens() {
        MiniDecoder decoder = decoder(reference, MiniDecoder.Style.LEARNED);
        decoder.logProbabilities(PackedBatch.of(sequences()));
        assertEquals(0, reference.openTensors());
        assertEquals(0, reference.openBatches());
    }

    private List<int[]> sequences() {
        return Arrays.stream(LENGTHS)
                .mapToObj(length -> data.ids(length, MiniDecoder.VOCABULARY))
                .toList();
    }

    /// The same weights for every call.
    private MiniDecoder decoder(Backend on, MiniDecoder.Style style) {
        return new MiniDecoder(on, style, weights, new TestData());
    }

    private static int[] concatenate(int[] a, int[] b) {
        return IntStream.concat(Arrays.stream(a), Arrays.stream(b)).toArray();
    }

    private static float[] rows(float[] states, int first, int count) {
        return Arrays.copyOfRange(states, first * MiniDecoder.HIDDEN, (first + count) * MiniDecoder.HIDDEN);
    }

    private void check(String what, Tolerance allowed, float[] expected, float[] actual) {
        allowed.check(subject.name() + ", " + what, Doubles.of(expected), Doubles.of(actual), MiniDecoder.HIDDEN);
    }
}
