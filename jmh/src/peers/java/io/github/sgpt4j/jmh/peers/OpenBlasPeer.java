package io.github.sgpt4j.jmh.peers;

import io.github.sgpt4j.jmh.Peer;
import java.util.Optional;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.bytedeco.openblas.presets.openblas;

/// OpenBLAS's `cblas_sgemm`, operands outside the heap.
public final class OpenBlasPeer implements Peer {
    @Override
    public String name() {
        return "openblas";
    }

    @Override
    public String description() {
        return "OpenBLAS 0.3.31 (bytedeco)";
    }

    @Override
    public Optional<Product> product(int rows, int in, int out, float[] x, float[] w, int threads) {
        return Optional.of(new Sgemm(rows, in, out, x, w, threads));
    }

    private static final class Sgemm implements Product {
        private final int rows;
        private final int in;
        private final int out;
        private final int threads;
        private final FloatPointer x;
        private final FloatPointer w;
        private final FloatPointer result;

        Sgemm(int rows, int in, int out, float[] x, float[] w, int threads) {
            this.rows = rows;
            this.in = in;
            this.out = out;
            this.threads = threads;
            this.x = new FloatPointer(x);
            this.w = new FloatPointer(w);
            this.result = new FloatPointer((long) rows * out);
        }

        @Override
        public void run() {
            openblas.blas_set_num_threads(threads);
            openblas_nolapack.cblas_sgemm(
                    openblas_nolapack.CblasRowMajor,
                    openblas_nolapack.CblasNoTrans,
                    openblas_nolapack.CblasTrans,
                    rows,
                    out,
                    in,
                    1f,
                    x,
                    in,
                    w,
                    in,
                    0f,
                    result,
                    out);
        }

        @Override
        public float[] result() {
            float[] values = new float[rows * out];
            result.get(values);
            return values;
        }

        @Override
        public void close() {
            x.close();
            w.close();
            result.close();
        }
    }
}
