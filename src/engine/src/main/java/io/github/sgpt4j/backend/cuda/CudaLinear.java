package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.MatrixRows;
import java.util.List;

/// A weight matrix that goes to the device when it is first used.
final class CudaLinear implements Linear {
    private final CudaEngine engine;
    private final List<MatrixRows> weight;
    private final List<MatrixRows> bias;
    private final int in;
    private final int out;
    /// Addresses, 0 until they are needed; under the engine's lock.
    private long weightAddress;

    private final long[] biasAddresses = new long[ElementType.values().length];

    CudaLinear(CudaEngine engine, List<MatrixRows> weight, List<MatrixRows> bias) {
        this.engine = engine;
        this.weight = List.copyOf(weight);
        this.bias = List.copyOf(bias);
        if (this.weight.isEmpty()) {
            throw new IllegalArgumentException("a linear layer without weights");
        }
        in = this.weight.getFirst().in();
        out = features(this.weight, in);
        if (!this.bias.isEmpty() && features(this.bias, 1) != out) {
            throw new IllegalArgumentException("bias of %d features for weights of %d, starting with tensor %s"
                    .formatted(
                            features(this.bias, 1),
                            out,
                            this.weight.getFirst().tensor().name()));
        }
    }

    private static int features(List<MatrixRows> parts, int in) {
        int features = 0;
        for (MatrixRows part : parts) {
            ElementType.of(part.tensor());
            if (part.in() != in) {
                throw new IllegalArgumentException("tensor %s: expected %d input features, got shape %s"
                        .formatted(part.tensor().name(), in, part.tensor().shape()));
            }
            features = Math.addExact(features, part.count());
        }
        return features;
    }

    @Override
    public int in() {
        return in;
    }

    @Override
    public int out() {
        return out;
    }

    /// Address of `[out, in]` in the working type.
    long weight() {
        if (weightAddress == 0) {
            weightAddress =
                    engine.weights().matrix(weight, engine.precision().type()).address();
        }
        return weightAddress;
    }

    /// Address of `[out]` in a type, or 0 if there is none.
    long bias(ElementType type) {
        if (bias.isEmpty()) {
            return 0;
        }
        if (biasAddresses[type.ordinal()] == 0) {
            biasAddresses[type.ordinal()] = engine.weights().matrix(bias, type).address();
        }
        return biasAddresses[type.ordinal()];
    }
}
