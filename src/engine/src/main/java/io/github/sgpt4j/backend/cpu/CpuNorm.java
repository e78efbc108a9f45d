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
    private final NormParameters.Kind kind;
    private final int columns;
    private final float[] gain;
    private final float[] bias;
    private final float epsilon;

    CpuNorm(NormParameters parameters) {
        this.kind = parameters.kind();
        this.columns = parameters.columns();
        this.gain = values(parameters.gain(), columns, 1f);
        this.bias = values(parameters.bias(), columns, 0f);
        this.epsilon = parameters.epsilon();
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
    public int columns() {
        return columns;
    }

    /// Normalises the `columns` values from `at` on; source and destination may be the same.
    void apply(float[] x, int at, float[] out, int o) {
        switch (kind) {
            case LAYER -> Norms.layer(x, at, columns, gain, bias, epsilon, out, o);
            case RMS -> Norms.rms(x, at, columns, gain, bias, epsilon, out, o);
            case IDENTITY -> System.arraycopy(x, at, out, o, columns);
        }
    }
}
