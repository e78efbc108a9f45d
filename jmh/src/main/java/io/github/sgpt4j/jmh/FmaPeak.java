package io.github.sgpt4j.jmh;

import io.github.sgpt4j.backend.cpu.kernel.Simd;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/// The machine's peak rate through the Vector API: independent multiply-adds in registers, without memory accesses.
final class FmaPeak implements AutoCloseable {
    private static final int CHAINS = 12;
    private static final int STEPS = 1 << 20;

    private final int threads;
    private final ExecutorService pool;

    /// Keeps the compiler from removing the computation.
    private volatile float sum;

    FmaPeak(int threads) {
        this.threads = threads;
        pool = Executors.newFixedThreadPool(
                threads, task -> Thread.ofPlatform().daemon().name("fma-peak").unstarted(task));
    }

    /// Floating-point operations per run; a multiply-add counts as two.
    double flops() {
        return 2.0 * Simd.LANES * CHAINS * STEPS * threads;
    }

    void run() {
        List<Future<Float>> parts = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            parts.add(pool.submit(() -> chains(STEPS)));
        }
        float total = 0;
        for (Future<Float> part : parts) {
            try {
                total += part.get();
            } catch (InterruptedException | ExecutionException e) {
                throw new IllegalStateException(e);
            }
        }
        sum = total;
    }

    /// Twelve dependency chains: enough for two units with a latency of four cycles each, and they fit into
    /// sixteen registers. All values stay near 1.
    private static float chains(int steps) {
        FloatVector half = FloatVector.broadcast(Simd.F, 0.5f);
        FloatVector a = FloatVector.zero(Simd.F);
        FloatVector b = a.add(0.1f);
        FloatVector c = a.add(0.2f);
        FloatVector d = a.add(0.3f);
        FloatVector e = a.add(0.4f);
        FloatVector f = a.add(0.5f);
        FloatVector g = a.add(0.6f);
        FloatVector h = a.add(0.7f);
        FloatVector i = a.add(0.8f);
        FloatVector j = a.add(0.9f);
        FloatVector k = a.add(1.1f);
        FloatVector l = a.add(1.2f);
        for (int s = 0; s < steps; s++) {
            a = Simd.FMA ? a.fma(half, half) : a.mul(half).add(half);
            b = Simd.FMA ? b.fma(half, half) : b.mul(half).add(half);
            c = Simd.FMA ? c.fma(half, half) : c.mul(half).add(half);
            d = Simd.FMA ? d.fma(half, half) : d.mul(half).add(half);
            e = Simd.FMA ? e.fma(half, half) : e.mul(half).add(half);
            f = Simd.FMA ? f.fma(half, half) : f.mul(half).add(half);
            g = Simd.FMA ? g.fma(half, half) : g.mul(half).add(half);
            h = Simd.FMA ? h.fma(half, half) : h.mul(half).add(half);
            i = Simd.FMA ? i.fma(half, half) : i.mul(half).add(half);
            j = Simd.FMA ? j.fma(half, half) : j.mul(half).add(half);
            k = Simd.FMA ? k.fma(half, half) : k.mul(half).add(half);
            l = Simd.FMA ? l.fma(half, half) : l.mul(half).add(half);
        }
        FloatVector total = a.add(b)
                .add(c)
                .add(d)
                .add(e)
                .add(f)
                .add(g)
                .add(h)
                .add(i)
                .add(j)
                .add(k)
                .add(l);
        return total.reduceLanes(VectorOperators.ADD);
    }

    @Override
    public void close() {
        pool.shutdown();
    }
}
