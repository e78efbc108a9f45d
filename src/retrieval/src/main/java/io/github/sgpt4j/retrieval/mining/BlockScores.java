package io.github.sgpt4j.retrieval.mining;

import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.product.DotProducts;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.apache.lucene.util.VectorUtil;

/// Similarities of vectors with others, or among themselves, computed twice: fast in blocks, with a
/// known largest error ([#margin]), and exactly for those that matter ([#exact]). So results depend
/// neither on blocks nor on the processor.
///
/// Cosine and dot product are one matrix product per block. Not safe to share between threads, except
/// for [#margin] and [#exact].
final class BlockScores implements AutoCloseable {
    /// Rows of a block.
    static final int ROWS = 256;

    private static final int COLUMNS = 4096;

    /// Largest relative error of an addition or multiplication of 32-bit floats, times two.
    private static final double ROUNDING = 0x1p-23;

    /// What else a product may be off, relative to the lengths of the vectors: those that are kept in
    /// parts.
    private static final double PARTS = 1e-5;

    private final Similarity similarity;
    private final Prepared rows;
    private final Prepared columns;
    private final double relative;
    private final int blockColumns;
    private final Optional<DotProducts> products;

    /// @param vectors `[n][dimension]`
    /// @param lengths of the vectors
    private record Prepared(float[][] vectors, double[] lengths) {
        static Prepared of(float[][] vectors, Similarity similarity) {
            float[][] prepared = new float[vectors.length][];
            double[] lengths = new double[vectors.length];
            IntStream.range(0, vectors.length).parallel().forEach(i -> {
                prepared[i] = similarity.prepare(vectors[i]);
                lengths[i] = length(prepared[i]);
            });
            return new Prepared(prepared, lengths);
        }
    }

    /// Of vectors among themselves.
    ///
    /// @param vectors `[n][dimension]`, at least one, of equal lengths, finite
    BlockScores(float[][] vectors, Similarity similarity, OptionalInt threads) {
        this(similarity, Prepared.of(vectors, similarity), Optional.empty(), threads);
    }

    /// Of vectors with others.
    ///
    /// @param rows `[n][dimension]`, finite
    /// @param columns `[m][dimension]`, at least one, finite
    BlockScores(float[][] rows, float[][] columns, Similarity similarity, OptionalInt threads) {
        this(similarity, Prepared.of(columns, similarity), Optional.of(Prepared.of(rows, similarity)), threads);
    }

    private BlockScores(Similarity similarity, Prepared columns, Optional<Prepared> rows, OptionalInt threads) {
        this.similarity = similarity;
        this.rows = rows.orElse(columns);
        this.columns = columns;
        relative = columns.vectors()[0].length * ROUNDING + PARTS;
        boolean multiplies = similarity == Similarity.COSINE || similarity == Similarity.DOT;
        blockColumns = multiplies ? COLUMNS : ROWS;
        products =
                multiplies ? Optional.of(DotProducts.of(columns.vectors(), blockColumns, threads)) : Optional.empty();
    }

    private static double length(float[] vector) {
        double squares = 0;
        for (float x : vector) {
            squares += (double) x * x;
        }
        return Math.sqrt(squares);
    }

    /// Number of columns.
    int count() {
        return columns.vectors().length;
    }

    /// Blocks of columns.
    int blocks() {
        return Math.ceilDiv(count(), blockColumns);
    }

    /// The first column of a block; [#count] for the block after the last.
    int start(int block) {
        return (int) Math.min((long) block * blockColumns, count());
    }

    /// Similarities of neighbouring vectors with those of a block, each within [#margin].
    ///
    /// @return `[to - from, columns of the block]`, row-major
    float[] fast(int from, int to, int block) {
        return fast(IntStream.range(from, to).toArray(), block);
    }

    /// As above, of any vectors.
    ///
    /// @param chosen at least one
    float[] fast(int[] chosen, int block) {
        if (products.isPresent()) {
            float[][] vectors =
                    Arrays.stream(chosen).mapToObj(i -> this.rows.vectors()[i]).toArray(float[][]::new);
            return products.get().with(vectors, 0, chosen.length, block);
        }
        int start = start(block);
        int width = start(block + 1) - start;
        float[] scores = new float[Math.multiplyExact(chosen.length, width)];
        IntStream.range(0, chosen.length).parallel().forEach(row -> {
            for (int j = 0; j < width; j++) {
                scores[row * width + j] = one(chosen[row], start + j);
            }
        });
        return scores;
    }

    private float one(int i, int j) {
        return similarity == Similarity.EUCLIDEAN
                ? (float) (0 - Math.sqrt(VectorUtil.squareDistance(rows.vectors()[i], columns.vectors()[j])))
                : exact(i, j);
    }

    /// The most that a fast similarity may be off.
    ///
    /// @param fast that similarity
    double margin(int i, int j, float fast) {
        return switch (similarity) {
            case COSINE, DOT -> relative * rows.lengths()[i] * columns.lengths()[j];
            case EUCLIDEAN -> relative * -fast;
            case MANHATTAN -> 0;
        };
    }

    /// Whether a similarity is at least `floor`, asked exactly only if the fast one leaves that open.
    boolean reaches(float floor, int i, int j, float fast) {
        double margin = margin(i, j, fast);
        if (fast >= floor + margin) {
            return true;
        }
        return fast >= floor - margin && exact(i, j) >= floor;
    }

    /// The similarity in 64-bit arithmetic; the same for `(j, i)` of vectors among themselves.
    float exact(int i, int j) {
        return similarity.ofPrepared(rows.vectors()[i], columns.vectors()[j]);
    }

    @Override
    public void close() {
        products.ifPresent(DotProducts::close);
    }
}
