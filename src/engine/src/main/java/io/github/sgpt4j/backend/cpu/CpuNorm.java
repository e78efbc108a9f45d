package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.Norm;
import io.github.sgpt4j.backend.NormParameters;
import io.github.sgpt4j.backend.cpu.kernel.Norms;
import io.github.sgpt4j.backend.cpu.kernel.Widening;
import io.github.sgpt4j.weights.WeightTensor;
import java.util.Arrays;
import java.util.Optional;

/// A normalisation with its gain and bias as floats.
final class CpuNorm implements Norm {
    private final NormParameters parameters;
    private final float[] gain;
    private final float[] bias;

    CpuNorm(NormParameters parameters) {
        this.parameters = parameters;
        this.gain = values(parameters.gain(), parameters.columns(), 1f);
        this.bias = values(parameters.bias(), parameters.columns(), 0f);
    }

    private static float[] values(Optional<WeightTensor> weight, int columns, float otherwise) {
        float[] values = new float[columns];
        if (weight.isEmpty()) {
            Arrays.fill(values, otherwise);
        } else {
            CpuTable.requireWeight(weight.get());
            Widening.widenMapped(weight.get().data(), weight.get().dtype(), 0, values, 0, columns);
            WeightTensor.settle();
        }
        return values;
    }

    @Override
    public NormParameters parameters() {
        return parameters;
    }

    /// Normalises the `columns` values from `at` on; source and destination may be the same.
    void apply(float[] x, int at, float[] out, int o) {
        int columns = parameters.columns();
        float epsilon = parameters.epsilon();
        switch (parameters.kind()) {
            case LAYER -> Norms.layer(x, at, columns, gain, bias, epsilon, out, o);
            case RMS -> Norms.rms(x, at, columns, gain, bias, epsilon, out, o);
            case IDENTITY -> System.arraycopy(x, at, out, o, columns);
        }
    }
}
