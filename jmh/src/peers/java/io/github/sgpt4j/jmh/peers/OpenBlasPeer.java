package io.github.sgpt4j.jmh.peers;

import io.github.sgpt4j.jmh.Peer;
import io.github.sgpt4j.jmh.Settings;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.bytedeco.openblas.presets.openblas;

/// OpenBLAS's `cblas_sgemm`, with operands outside the heap.
public final class OpenBlasPeer implements Peer {
    private static final long MAX_NAME_LENGTH = 64;

    @Override
    public String name() {
        return "openblas";
    }

    @Override
    public String description() {
        return "OpenBLAS 0.3.31 (bytedeco), kernels for " + core();
    }

    /// The processor type that it detected, or that `OPENBLAS_CORETYPE` names. The Java API lacks this function.
    @SuppressWarnings("restricted") // A function without arguments that returns a constant string.
    private static String core() {
        openblas.blas_set_num_threads(Settings.threads()); // Loads the library.
        Optional<MemorySegment> function = SymbolLookup.loaderLookup().find("openblas_get_corename");
        if (function.isEmpty()) {
            return "an unknown processor";
        }
        AddressLayout string = ValueLayout.ADDRESS.withTargetLayout(
                MemoryLayout.sequenceLayout(MAX_NAME_LENGTH, ValueLayout.JAVA_BYTE));
        MethodHandle name = Linker.nativeLinker().downcallHandle(function.get(), FunctionDescriptor.of(string));
        try {
            return ((MemorySegment) name.invokeExact()).getString(0);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
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
