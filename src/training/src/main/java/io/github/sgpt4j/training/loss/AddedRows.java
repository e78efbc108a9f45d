package io.github.sgpt4j.training.loss;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorSpecies;

/// The inner loop of products: adds multiples of four rows to a fifth. Products and sums are rounded
/// one by one, in the same order for every number, so that the bits depend neither on the length of the
/// processor's vectors nor on whether it has multiply-add.
final class AddedRows {
    /// Number of rows that are added.
    static final int COUNT = 4;

    private static final VectorSpecies<Double> SPECIES = DoubleVector.SPECIES_PREFERRED;

    private AddedRows() {}

    /// `sums[out + j] += a0 · rows[row + j] + a1 · rows[row + stride + j] + …` for `width` numbers.
    static void add(
            double[] sums,
            int out,
            double[] rows,
            int row,
            int stride,
            int width,
            double a0,
            double a1,
            double a2,
            double a3) {
        int row1 = row + stride;
        int row2 = row1 + stride;
        int row3 = row2 + stride;
        int bound = SPECIES.loopBound(width);
        int j = 0;
        for (; j < bound; j += SPECIES.length()) {
            DoubleVector.fromArray(SPECIES, sums, out + j)
                    .add(DoubleVector.fromArray(SPECIES, rows, row + j).mul(a0))
                    .add(DoubleVector.fromArray(SPECIES, rows, row1 + j).mul(a1))
                    .add(DoubleVector.fromArray(SPECIES, rows, row2 + j).mul(a2))
                    .add(DoubleVector.fromArray(SPECIES, rows, row3 + j).mul(a3))
                    .intoArray(sums, out + j);
        }
        for (; j < width; j++) {
            sums[out + j] = sums[out + j]
                    + a0 * rows[row + j]
                    + a1 * rows[row1 + j]
                    + a2 * rows[row2 + j]
                    + a3 * rows[row3 + j];
        }
    }
}
