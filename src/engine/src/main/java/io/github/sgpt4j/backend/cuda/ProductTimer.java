package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.cuda.ffi.CublasLt;
import io.github.sgpt4j.backend.cuda.ffi.Streams;
import io.github.sgpt4j.backend.cuda.memory.DeviceBuffer;
import io.github.sgpt4j.tensor.ElementType;
import java.util.Arrays;

/// Measures algorithms for a product on the device, one after another and several times, so that changes of its clock
/// meet all of them. `x` is made up, with one value throughout; the weights are real.
final class ProductTimer {
    /// Rounds over all algorithms; the first warms up.
    private static final int ROUNDS = 4;

    private static final int RUNS = 3;

    /// Another algorithm than the first must take at most this part of its time: less is within the noise.
    private static final float WORTHWHILE = 0.97f;

    private final CudaEngine engine;
    private final ProductShape shape;

    ProductTimer(CudaEngine engine, ProductShape shape) {
        this.engine = engine;
        this.shape = shape;
    }

    /// Queues the product with an algorithm, and gives the status.
    @FunctionalInterface
    interface Run {
        /// @param x address of the input
        /// @param target address of `[rows, stride]`
        int with(int algorithm, long x, long target);
    }

    /// The algorithm to use, of `count`.
    int best(int count, Run run) {
        long xBytes = shape.type().bytes(shape.rows(), shape.inputColumns());
        long targetBytes = shape.result().bytes(shape.rows(), shape.stride());
        try (DeviceBuffer x = filled(xBytes, half(shape.type()));
                DeviceBuffer target = filled(targetBytes, 0);
                EventTimer timer = new EventTimer(engine.compute())) {
            float[] times = new float[count];
            Arrays.fill(times, Float.POSITIVE_INFINITY);
            boolean[] refused = new boolean[count];
            for (int round = 0; round < ROUNDS; round++) {
                for (int i = 0; i < count; i++) {
                    int algorithm = i;
                    float time = timer.milliseconds(() -> {
                        for (int n = 0; n < RUNS && !refused[algorithm]; n++) {
                            int status = run.with(algorithm, x.address(), target.address());
                            refused[algorithm] = CublasLt.isRefusal(status);
                            if (!refused[algorithm]) {
                                CublasLt.check(status, "cublasLtMatmul");
                            }
                        }
                    });
                    if (round > 0 && !refused[algorithm]) {
                        times[algorithm] = Math.min(times[algorithm], time);
                    }
                }
            }
            return best(times);
        }
    }

    /// The first unless another is clearly faster.
    static int best(float[] times) {
        int fastest = 0;
        for (int i = 1; i < times.length; i++) {
            if (times[i] < times[fastest]) {
                fastest = i;
            }
        }
        return times[fastest] <= WORTHWHILE * times[0] ? fastest : 0;
    }

    private DeviceBuffer filled(long bytes, int word) {
        long words = Math.ceilDiv(bytes, Integer.BYTES);
        DeviceBuffer buffer = engine.memory().take(words * Integer.BYTES, engine.compute());
        try {
            Streams.fill(buffer.address(), word, words, engine.compute());
        } catch (RuntimeException e) {
            buffer.close();
            throw e;
        }
        return buffer;
    }

    /// The bits of one half, as often as they fit into a word.
    private static int half(ElementType type) {
        return switch (type) {
            case F16 -> 0x38003800;
            case BF16 -> 0x3f003f00;
            case F8_E4M3 -> 0x30303030;
            default -> Float.floatToRawIntBits(0.5f);
        };
    }
}
