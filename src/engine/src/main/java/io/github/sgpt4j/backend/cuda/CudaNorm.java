package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.Norm;
import io.github.sgpt4j.backend.NormParameters;
import io.github.sgpt4j.backend.cuda.device.DeviceTypes;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.WeightTensor;
import java.util.Optional;

/// A normalisation whose gain and bias go to the device, as 32-bit floats, when it is first used.
final class CudaNorm implements Norm {
    private final CudaEngine engine;
    private final NormParameters parameters;
    /// Addresses, 0 until they are needed or if there are none; under the engine's lock.
    private long gainAddress;

    private long biasAddress;

    CudaNorm(CudaEngine engine, NormParameters parameters) {
        this.engine = engine;
        this.parameters = parameters;
        parameters.gain().ifPresent(DeviceTypes::of);
        parameters.bias().ifPresent(DeviceTypes::of);
    }

    @Override
    public NormParameters parameters() {
        return parameters;
    }

    /// As kernels count them.
    int kind() {
        return parameters.kind().ordinal();
    }

    float epsilon() {
        return parameters.epsilon();
    }

    /// Address of the factors, `[columns]`, or 0 for ones.
    long gain() {
        if (gainAddress == 0) {
            gainAddress = address(parameters.gain(), parameters.gainFromOne());
        }
        return gainAddress;
    }

    /// Address of `[columns]`, or 0 for zeros.
    long bias() {
        if (biasAddress == 0) {
            biasAddress = address(parameters.bias(), false);
        }
        return biasAddress;
    }

    /// Reads both again from where they are stored.
    void reload() {
        parameters.gain().ifPresent(engine.weights()::reload);
        parameters.bias().ifPresent(engine.weights()::reload);
    }

    private long address(Optional<WeightTensor> weight, boolean fromOne) {
        if (weight.isEmpty() || parameters.kind() == NormParameters.Kind.IDENTITY) {
            return 0;
        }
        return (fromOne
                        ? engine.weights().fromOne(weight.get())
                        : engine.weights().whole(weight.get(), ElementType.F32))
                .address();
    }
}
