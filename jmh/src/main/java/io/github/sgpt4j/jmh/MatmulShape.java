package io.github.sgpt4j.jmh;

import java.util.SplittableRandom;

/// Dimensions of a product `[rows, in] · [in, out]`.
record MatmulShape(int rows, int in, int out) {
    private static final int CHECKED = 100;

    /// Reads `ROWSxINxOUT`.
    static MatmulShape parse(String text) {
        String[] parts = text.split("x");
        return new MatmulShape(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]), Integer.parseInt(parts[2]));
    }

    /// Floating-point operations; a multiply-add counts as two.
    double flops() {
        return 2.0 * rows * in * out;
    }

    /// Prepares the product of random matrices and checks some of its elements.
    ///
    /// @throws UnsupportedOperationException if the library has no matrix product
    Peer.Product open(Peer library, int threads) {
        float[] x = random(rows * in, 1);
        float[] w = random(in * out, 2);
        Peer.Product product = library.product(rows, in, out, x, w, threads)
                .orElseThrow(() -> new UnsupportedOperationException(library.name() + " has no matrix product"));
        product.run();
        check(library.name(), x, w, product.result());
        return product;
    }

    private void check(String name, float[] x, float[] w, float[] result) {
        SplittableRandom random = new SplittableRandom(3);
        float[] expected = new float[CHECKED];
        float[] got = new float[CHECKED];
        for (int i = 0; i < CHECKED; i++) {
            int r = random.nextInt(rows);
            int c = random.nextInt(out);
            double sum = 0;
            for (int k = 0; k < in; k++) {
                sum += (double) x[r * in + k] * w[c * in + k];
            }
            expected[i] = (float) sum;
            got[i] = result[r * out + c];
        }
        Agreement.require(name + " " + this, expected, got);
    }

    private static float[] random(int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextFloat(-1, 1);
        }
        return values;
    }

    @Override
    public String toString() {
        return rows + " × " + in + " → " + out;
    }
}
