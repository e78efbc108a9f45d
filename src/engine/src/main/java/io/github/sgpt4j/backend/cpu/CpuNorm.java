package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.Norm;
import io.github.sgpt4j.backend.NormParameters;
import io.github.sgpt4j.backend.cpu.kernel.Accumulation;
import io.github.sgpt4j.backend.cpu.kernel.NormGradients;
import io.github.sgpt4j.backend.cpu.kernel.Norms;
import io.github.sgpt4j.backend.cpu.kernel.Widening;
import io.github.sgpt4j.weights.WeightTensor;
import java.util.Arrays;

/// A normalisation with its gain and bias as floats.
final class CpuNorm implements Norm {
    private final NormParameters parameters;
    private final float[] gain;
    private final float[] bias;

    CpuNorm(NormParameters parameters) {
        this.parameters = parameters;
        this.gain = new float[parameters.columns()];
        this.bias = new float[parameters.columns()];
        Arrays.fill(gain, 1f);
        reload();
    }

    /// Reads the stored gain and bias again.
    void reload() {
        parameters.gain().ifPresent(stored -> read(stored, gain));
        if (parameters.gain().isPresent() && parameters.gainFromOne()) {
            for (int c = 0; c < gain.length; c++) {
                gain[c] += 1f;
            }
        }
        parameters.bias().ifPresent(stored -> read(stored, bias));
    }

    private static void read(WeightTensor stored, float[] values) {
        CpuTable.requireWeight(stored);
        Widening.widenMapped(stored.data(), stored.dtype(), 0, values, 0, values.length);
        WeightTensor.settle();
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

    /// The gradient of [#apply], given that of its result; `d` and `dX` may be the same.
    ///
    /// @param add whether to add to `dX` instead
    void gradient(float[] x, int at, float[] d, int i, boolean add, float[] dX, int o) {
        int columns = parameters.columns();
        float epsilon = parameters.epsilon();
        switch (parameters.kind()) {
            case LAYER -> NormGradients.layer(x, at, columns, gain, epsilon, d, i, add, dX, o);
            case RMS -> NormGradients.rms(x, at, columns, gain, epsilon, d, i, add, dX, o);
            case IDENTITY -> {
                if (add) {
                    Accumulation.addWeighted(d, i, 1f, columns, dX, o);
                } else {
                    System.arraycopy(d, i, dX, o, columns);
                }
            }
        }
    }

    /// What is subtracted from the values from `at` on before they are multiplied by [#scale].
    float mean(float[] x, int at) {
        return switch (parameters.kind()) {
            case LAYER -> Norms.mean(x, at, parameters.columns());
            case RMS, IDENTITY -> 0f;
        };
    }

    /// The inverse of the deviation of the values from `at` on.
    float scale(float[] x, int at, float mean) {
        return switch (parameters.kind()) {
            case LAYER, RMS -> Norms.scale(x, at, parameters.columns(), mean, parameters.epsilon());
            case IDENTITY -> 1f;
        };
    }
}
