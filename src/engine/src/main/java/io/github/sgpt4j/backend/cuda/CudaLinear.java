package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.cuda.device.DeviceTypes;
import io.github.sgpt4j.tensor.ElementType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A weight matrix that goes to the device when it is first used.
final class CudaLinear implements Linear {
    private final CudaEngine engine;
    private final List<MatrixRows> weight;
    private final List<MatrixRows> bias;
    private final int in;
    private final int out;
    /// Addresses, 0 until they are needed; under the engine's lock.
    private long weightAddress;

    private @Nullable Quantised quantised;

    private final long[] biasAddresses = new long[ElementType.values().length];

    CudaLinear(CudaEngine engine, List<MatrixRows> weight, List<MatrixRows> bias) {
        this.engine = engine;
        this.weight = List.copyOf(weight);
        this.bias = List.copyOf(bias);
        weight.forEach(part -> DeviceTypes.of(part.tensor()));
        bias.forEach(part -> DeviceTypes.of(part.tensor()));
        out = MatrixRows.features(weight, bias);
        in = weight.getFirst().in();
        engine.weights().announce(engine.arithmetic().type().bytes(out, in));
    }

    @Override
    public int in() {
        return in;
    }

    @Override
    public int out() {
        return out;
    }

    @Override
    public List<MatrixRows> weightParts() {
        return weight;
    }

    @Override
    public List<MatrixRows> biasParts() {
        return bias;
    }

    /// Address of `[out, in]` in the working type.
    long weight() {
        if (weightAddress == 0) {
            weightAddress =
                    engine.weights().matrix(weight, engine.arithmetic().type()).address();
        }
        return weightAddress;
    }

    /// Reads the bias again from where it is stored.
    void reloadBias() {
        if (!bias.isEmpty()) {
            engine.weights().reload(bias);
        }
    }

    /// Reads weights and bias again from where they are stored.
    void reload() {
        engine.weights().reload(weight);
        reloadBias();
    }

    /// `[out, in]` in 8 bits.
    Quantised quantised() {
        Quantised known = quantised;
        if (known == null) {
            known = engine.weights().quantised(weight);
            quantised = known;
        }
        return known;
    }

    boolean hasBias() {
        return !bias.isEmpty();
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
