package io.github.sgpt4j.backend.cpu.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/// The running softmax of attention (Milakov and Gimelshein 2018, arXiv 1805.02867; Dao et al. 2022, arXiv 2205.14135)
/// on scores that lie transposed, `[keys][TILE_COLUMNS]`: a lane is a query, so nothing is ever summed across lanes.
public final class OnlineSoftmax {
    private OnlineSoftmax() {}

    /// Adds `slope · (key position − query position)` to the scores.
    ///
    /// @param slopes per lane
    /// @param positions query position per lane
    /// @param first position of the first key
    public static void addSlopes(float[] s, int keys, float[] slopes, float[] positions, int first) {
        for (int half = 0; half < Simd.TILE_COLUMNS; half += Simd.LANES) {
            FloatVector slope = FloatVector.fromArray(Simd.F, slopes, half);
            FloatVector position = FloatVector.fromArray(Simd.F, positions, half);
            for (int j = 0; j < keys; j++) {
                int at = j * Simd.TILE_COLUMNS + half;
                FloatVector distance =
                        FloatVector.broadcast(Simd.F, (float) (first + j)).sub(position);
                Elementary.fma(slope, distance, FloatVector.fromArray(Simd.F, s, at))
                        .intoArray(s, at);
            }
        }
    }

    /// Sets the scores of keys that a query may not see to −∞: later ones, and those `window` or more before it.
    public static void mask(float[] s, int keys, float[] positions, int first, float window) {
        for (int half = 0; half < Simd.TILE_COLUMNS; half += Simd.LANES) {
            FloatVector position = FloatVector.fromArray(Simd.F, positions, half);
            FloatVector lowest = position.sub(window);
            for (int j = 0; j < keys; j++) {
                int at = j * Simd.TILE_COLUMNS + half;
                float key = first + j;
                VectorMask<Float> hidden =
                        position.compare(VectorOperators.LT, key).or(lowest.compare(VectorOperators.GE, key));
                FloatVector.fromArray(Simd.F, s, at)
                        .blend(Float.NEGATIVE_INFINITY, hidden)
                        .intoArray(s, at);
            }
        }
    }

    /// Takes one more block of keys in: scores become weights e^(s − maximum) in place, and what was accumulated under
    /// an older maximum is scaled down.
    ///
    /// @param maxima running maximum per lane, −∞ at first
    /// @param sums running sum of weights per lane
    /// @param sOut accumulated weighted values `[dims][TILE_COLUMNS]`
    public static void update(float[] s, int keys, float[] maxima, float[] sums, float[] sOut, int dims) {
        for (int half = 0; half < Simd.TILE_COLUMNS; half += Simd.LANES) {
            FloatVector before = FloatVector.fromArray(Simd.F, maxima, half);
            FloatVector maximum = maximum(s, half, keys, before);
            maximum.intoArray(maxima, half);
            // A lane that has seen no key yet: any finite number will do.
            FloatVector shift = maximum.blend(0f, maximum.compare(VectorOperators.EQ, Float.NEGATIVE_INFINITY));
            FloatVector sum = weights(s, half, keys, shift);
            FloatVector correction = Elementary.exp(before.sub(shift));
            Elementary.fma(FloatVector.fromArray(Simd.F, sums, half), correction, sum)
                    .intoArray(sums, half);
            if (correction.compare(VectorOperators.NE, 1f).anyTrue()) {
                scale(sOut, half, dims, correction);
            }
        }
    }

    private static FloatVector maximum(float[] s, int half, int keys, FloatVector start) {
        FloatVector maximum = start;
        for (int j = 0; j < keys; j++) {
            FloatVector x = FloatVector.fromArray(Simd.F, s, j * Simd.TILE_COLUMNS + half);
            maximum = maximum.blend(x, x.compare(VectorOperators.GT, maximum));
        }
        return maximum;
    }

    private static FloatVector weights(float[] s, int half, int keys, FloatVector shift) {
        FloatVector sum = FloatVector.zero(Simd.F);
        for (int j = 0; j < keys; j++) {
            int at = j * Simd.TILE_COLUMNS + half;
            FloatVector weight =
                    Elementary.exp(FloatVector.fromArray(Simd.F, s, at).sub(shift));
            weight.intoArray(s, at);
            sum = sum.add(weight);
        }
        return sum;
    }

    private static void scale(float[] x, int half, int rows, FloatVector factor) {
        for (int r = 0; r < rows; r++) {
            int at = r * Simd.TILE_COLUMNS + half;
            FloatVector.fromArray(Simd.F, x, at).mul(factor).intoArray(x, at);
        }
    }

    /// Takes `TILE_COLUMNS` more logits of one row into that row's running maximum and sum of exponentials, which are
    /// kept per lane.
    public static void updateLanes(float[] logits, int at, float[] maxima, float[] sums, int state) {
        for (int half = 0; half < Simd.TILE_COLUMNS; half += Simd.LANES) {
            FloatVector x = FloatVector.fromArray(Simd.F, logits, at + half);
            FloatVector maximum = FloatVector.fromArray(Simd.F, maxima, state + half);
            FloatVector sum = FloatVector.fromArray(Simd.F, sums, state + half);
            VectorMask<Float> higher = x.compare(VectorOperators.GT, maximum);
            if (higher.anyTrue()) {
                FloatVector raised = maximum.blend(x, higher);
                sum = sum.blend(sum.mul(Elementary.exp(maximum.sub(raised))), higher);
                maximum = raised;
                maximum.intoArray(maxima, state + half);
            }
            // Lanes past the vocabulary hold −∞ − −∞ = NaN here: they are nothing.
            FloatVector weight = Elementary.exp(x.sub(maximum));
            VectorMask<Float> none = x.compare(VectorOperators.EQ, Float.NEGATIVE_INFINITY);
            sum.add(weight.blend(0f, none)).intoArray(sums, state + half);
        }
    }
}
