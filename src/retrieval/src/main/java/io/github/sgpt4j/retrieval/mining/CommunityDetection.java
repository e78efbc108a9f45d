package io.github.sgpt4j.retrieval.mining;

import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.IntStream;

/// Groups of texts that are close to each other: sentence-transformers' `community_detection`.
///
/// Each text with at least [CommunityOptions#minSize] texts (itself included) whose cosine with it is
/// at least the threshold is the centre of a group. Groups are taken by size, the largest first (of
/// equal ones, that whose centre comes first); a group loses members that an earlier one has, and is
/// dropped if too few are left.
///
/// Two passes over all pairs of texts: one counts, the other collects the groups in their order, some
/// at a time. So memory is needed for the vectors, a copy of them, and a few million members of groups,
/// not for all similarities. Whether a cosine reaches the threshold is decided in 64-bit arithmetic.
public final class CommunityDetection {
    /// Members that are collected at a time.
    private static final long TOGETHER = 4L << 20;

    private final BlockScores scores;
    private final CommunityOptions options;
    private final int minSize;
    private final BitSet taken;

    private CommunityDetection(BlockScores scores, CommunityOptions options) {
        this.scores = scores;
        this.options = options;
        minSize = Math.min(options.minSize(), scores.count());
        taken = new BitSet(scores.count());
    }

    /// Finds communities.
    ///
    /// @param vectors `[texts][dimension]`, finite; not changed
    /// @return the largest first; of equal ones, that found first
    /// @throws IllegalArgumentException if their lengths differ, or a number is not finite
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted
    public static List<Community> detect(float[][] vectors, CommunityOptions options) {
        Vectors.check(vectors);
        if (vectors.length == 0) {
            return List.of();
        }
        try (BlockScores scores = new BlockScores(vectors, Similarity.COSINE, options.threads())) {
            return new CommunityDetection(scores, options).run();
        }
    }

    private List<Community> run() {
        AtomicIntegerArray sizes = count();
        int[] centres = IntStream.range(0, scores.count())
                .filter(i -> sizes.get(i) >= minSize)
                .boxed()
                .sorted(Comparator.comparing((Integer i) -> sizes.get(i)).reversed())
                .mapToInt(Integer::intValue)
                .toArray();
        List<Community> found = new ArrayList<>();
        int from = 0;
        while (from < centres.length) {
            Interrupts.check("collecting communities", from, centres.length);
            int to = from + 1;
            long members = sizes.get(centres[from]);
            while (to < centres.length
                    && to - from < BlockScores.ROWS
                    && members + sizes.get(centres[to]) <= TOGETHER) {
                members += sizes.get(centres[to]);
                to++;
            }
            collect(Arrays.copyOfRange(centres, from, to), found);
            from = to;
            progress(scores.count() + (long) scores.count() * to / centres.length);
        }
        progress(2L * scores.count());
        found.sort(
                Comparator.comparing((Community each) -> each.members().size()).reversed());
        return found;
    }

    private void progress(long done) {
        options.progress().update(done, 2L * scores.count());
    }

    /// Texts close to each text.
    private AtomicIntegerArray count() {
        int count = scores.count();
        AtomicIntegerArray sizes = new AtomicIntegerArray(count);
        for (int from = 0; from < count; from += BlockScores.ROWS) {
            int first = from;
            int to = Math.min(from + BlockScores.ROWS, count);
            for (int block = 0; block < scores.blocks(); block++) {
                int start = scores.start(block);
                int end = scores.start(block + 1);
                if (end > from) {
                    Interrupts.check("comparing texts", from, count);
                    float[] fast = scores.fast(from, to, block);
                    IntStream.range(from, to)
                            .parallel()
                            .forEach(i -> count(sizes, i, start, end, fast, (i - first) * (end - start) - start));
                }
            }
            progress(to);
        }
        return sizes;
    }

    /// @param at where the similarity with text 0 would be
    private void count(AtomicIntegerArray sizes, int i, int start, int end, float[] fast, int at) {
        int close = 0;
        for (int j = Math.max(start, i); j < end; j++) {
            if (scores.reaches(options.threshold(), i, j, fast[at + j])) {
                close++;
                if (j > i) {
                    sizes.incrementAndGet(j);
                }
            }
        }
        sizes.addAndGet(i, close);
    }

    /// Adds the communities of some centres, in this order.
    private void collect(int[] centres, List<Community> found) {
        List<List<Integer>> close = new ArrayList<>();
        for (int centre : centres) {
            close.add(new ArrayList<>());
        }
        for (int block = 0; block < scores.blocks(); block++) {
            Interrupts.check("collecting communities");
            float[] fast = scores.fast(centres, block);
            int start = scores.start(block);
            int columns = scores.start(block + 1) - start;
            IntStream.range(0, centres.length).parallel().forEach(row -> {
                for (int j = 0; j < columns; j++) {
                    boolean free = !taken.get(start + j);
                    if (free && scores.reaches(options.threshold(), centres[row], start + j, fast[row * columns + j])) {
                        close.get(row).add(start + j);
                    }
                }
            });
        }
        for (int row = 0; row < centres.length; row++) {
            add(centres[row], close.get(row), found);
        }
    }

    private void add(int centre, List<Integer> close, List<Community> found) {
        List<Integer> free = close.stream().filter(member -> !taken.get(member)).toList();
        if (free.size() < minSize) {
            return;
        }
        record Member(int index, float score) {}
        List<Member> members = free.stream()
                .map(member -> new Member(member, scores.exact(centre, member)))
                .sorted(Comparator.comparing((Member member) -> member.index() != centre)
                        .thenComparing(Comparator.comparing(Member::score).reversed()))
                .toList();
        members.forEach(member -> taken.set(member.index()));
        found.add(new Community(
                centre,
                members.stream().map(Member::index).toList(),
                members.stream().map(Member::score).toList()));
    }
}
