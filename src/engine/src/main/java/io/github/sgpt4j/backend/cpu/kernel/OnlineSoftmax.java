package io.github.sgpt4j.backend.cpu.kernel;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/// The running softmax of attention (Milakov and Gimelshein 2018, arXiv 1805.02867; Dao et al.
/// 2022, arXiv 2205.14135) on transposed scores, `[keys][TILE_COLUMNS]`: a lane is a query, so
/// nothing is ever summed across lanes.
public final class OnlineSoftmax {
    /// The running maximum and sum of each lane. Vectors pass from loop to loop through these
    /// arrays, never as arguments.
    public static final class State {
        private final float[] maxima = new float[Simd.TILE_COLUMNS];
        private final float[] sums = new float[Simd.TILE_COLUMNS];
        private final float[] shifts = new float[Simd.TILE_COLUMNS];
        private final float[] corrections = new float[Simd.TILE_COLUMNS];

        /// Forgets every key.
        public void reset() {
            Arrays.fill(maxima, Float.NEGATIVE_INFINITY);
            Arrays.fill(sums, 0f);
        }

        /// The sum of a lane's weights.
        public float sum(int lane) {
            return sums[lane];
        }
    }

    private OnlineSoftmax() {}

    /// Adds `slope · (key position − query position)` to the scores.
    ///
    /// @param at index of the first key's scores
    /// @param slopes per lane
    /// @param positions query position per lane
    /// @param first position of the first key
    public static void addSlopes(float[] s, int at, int keys, float[] slopes, float[] positions, int first) {
        for (int half = 0; half < Simd.TILE_COLUMNS; half += Simd.LANES) {
            FloatVector slope = FloatVector.fromArray(Simd.F, slopes, half);
            FloatVector position = FloatVector.fromArray(Simd.F, positions, half);
            for (int j = 0; j < keys; j++) {
                int i = at + j * Simd.TILE_COLUMNS + half;
                FloatVector distance =
                        FloatVector.broadcast(Simd.F, (float) (first + j)).sub(position);
                FloatVector score = FloatVector.fromArray(Simd.F, s, i);
                score = Simd.FMA
                        ? slope.fma(distance, score)
                        : slope.mul(distance).add(score);
                score.intoArray(s, i);
            }
        }
    }

    /// Sets the scores of keys that a query may not see to −∞: those more than `ahead` after it, and
    /// those `window` or
    /// more before it.
    ///
    /// @param at index of the first key's scores
    /// @param first position of the first key
    public static void mask(float[] s, int at, int keys, float[] positions, int first, float window, float ahead) {
        for (int half = 0; half < Simd.TILE_COLUMNS; half += Simd.LANES) {
            FloatVector position = FloatVector.fromArray(Simd.F, positions, half);
            FloatVector lowest = position.sub(window);
            FloatVector highest = position.add(ahead);
            for (int j = 0; j < keys; j++) {
                int i = at + j * Simd.TILE_COLUMNS + half;
                float key = first + j;
                VectorMask<Float> hidden =
                        highest.compare(VectorOperators.LT, key).or(lowest.compare(VectorOperators.GE, key));
                FloatVector.fromArray(Simd.F, s, i)
                        .blend(Float.NEGATIVE_INFINITY, hidden)
                        .intoArray(s, i);
            }
        }
    }

    /// Adds a block of keys: scores become weights e^(s − maximum) in place, and what was
    /// accumulated with an older maximum is scaled down.
    ///
    /// @param at index of the first key's scores
    /// @param state of the lanes
    /// @param weighted accumulated weighted values `[dims][TILE_COLUMNS]`
    public static void update(float[] s, int at, int keys, State state, float[] weighted, int dims) {
        for (int half = 0; half < Simd.TILE_COLUMNS; half += Simd.LANES) {
            boolean raised = raise(s, at + half, half, keys, state.maxima, state.shifts, state.corrections);
            weigh(s, at + half, half, keys, state.shifts, state.corrections, state.sums);
            if (raised) {
                scale(weighted, half, dims, state.corrections);
            }
        }
    }

    /// Raises the maxima to those of the block; returns whether what was accumulated before must be
    /// scaled.
    private static boolean raise(
            float[] s, int at, int half, int keys, float[] maxima, float[] shifts, float[] corrections) {
        FloatVector before = FloatVector.fromArray(Simd.F, maxima, half);
        FloatVector maximum = before;
        for (int j = 0; j < keys; j++) {
            FloatVector x = FloatVector.fromArray(Simd.F, s, at + j * Simd.TILE_COLUMNS);
            maximum = maximum.blend(x, x.compare(VectorOperators.GT, maximum));
        }
        // A lane that has seen no key yet: any finite number serves.
        FloatVector shift = maximum.blend(0f, maximum.compare(VectorOperators.EQ, Float.NEGATIVE_INFINITY));
        maximum.intoArray(maxima, half);
        shift.intoArray(shifts, half);
        before.sub(shift).intoArray(corrections, half);
        Elementary.exp(corrections, half, Simd.LANES);
        return FloatVector.fromArray(Simd.F, corrections, half)
                .compare(VectorOperators.NE, 1f)
                .anyTrue();
    }

    /// [Elementary#exp] of the differences, written out as in [Elementary], and their sum.
    private static void weigh(
            float[] s, int at, int half, int keys, float[] shifts, float[] corrections, float[] sums) {
        FloatVector shift = FloatVector.fromArray(Simd.F, shifts, half);
        FloatVector sum =
                FloatVector.fromArray(Simd.F, sums, half).mul(FloatVector.fromArray(Simd.F, corrections, half));
        FloatVector ln2High = FloatVector.broadcast(Simd.F, -Elementary.LN2_HIGH);
        FloatVector ln2Low = FloatVector.broadcast(Simd.F, -Elementary.LN2_LOW);
        FloatVector e5 = FloatVector.broadcast(Simd.F, Elementary.EXP_5);
        FloatVector e4 = FloatVector.broadcast(Simd.F, Elementary.EXP_4);
        FloatVector e3 = FloatVector.broadcast(Simd.F, Elementary.EXP_3);
        FloatVector e2 = FloatVector.broadcast(Simd.F, Elementary.EXP_2);
        for (int j = 0; j < keys; j++) {
            int i = at + j * Simd.TILE_COLUMNS;
            FloatVector u = FloatVector.fromArray(Simd.F, s, i).sub(shift);
            FloatVector shifted = Simd.FMA
                    ? u.fma(Elementary.LOG2_E, Elementary.ROUNDER)
                    : u.mul(Elementary.LOG2_E).add(Elementary.ROUNDER);
            FloatVector n = shifted.sub(Elementary.ROUNDER);
            FloatVector r = Simd.FMA ? n.fma(ln2High, u) : n.mul(ln2High).add(u);
            r = Simd.FMA ? n.fma(ln2Low, r) : n.mul(ln2Low).add(r);
            FloatVector p = Simd.FMA
                    ? r.fma(Elementary.EXP_7, Elementary.EXP_6)
                    : r.mul(Elementary.EXP_7).add(Elementary.EXP_6);
            p = Simd.FMA ? p.fma(r, e5) : p.mul(r).add(Elementary.EXP_5);
            p = Simd.FMA ? p.fma(r, e4) : p.mul(r).add(Elementary.EXP_4);
            p = Simd.FMA ? p.fma(r, e3) : p.mul(r).add(Elementary.EXP_3);
            p = Simd.FMA ? p.fma(r, e2) : p.mul(r).add(Elementary.EXP_2);
            p = Simd.FMA ? p.mul(r).fma(r, r.add(r)) : p.mul(r).mul(r).add(r.add(r));
            IntVector exponent =
                    shifted.reinterpretAsInts().sub(Elementary.EXPONENT_BIAS).lanewise(VectorOperators.LSHL, 23);
            FloatVector y = p.add(2f).mul(exponent.reinterpretAsFloats());
            y = y.blend(0f, u.compare(VectorOperators.LT, Elementary.EXP_LOWEST));
            y = y.blend(Float.POSITIVE_INFINITY, u.compare(VectorOperators.GT, Elementary.EXP_HIGHEST));
            y.intoArray(s, i);
            sum = sum.add(y);
        }
        sum.intoArray(sums, half);
    }

    private static void scale(float[] x, int half, int rows, float[] factors) {
        FloatVector factor = FloatVector.fromArray(Simd.F, factors, half);
        for (int r = 0; r < rows; r++) {
            int at = r * Simd.TILE_COLUMNS + half;
            FloatVector.fromArray(Simd.F, x, at).mul(factor).intoArray(x, at);
        }
    }

    /// Adds `TILE_COLUMNS` logits of one row to that row's running maximum and sum of exponentials,
    /// which are kept per lane.
    ///
    /// @param logits overwritten
    /// @param corrections room for `TILE_COLUMNS` values
    public static void updateLanes(
            float[] logits, int at, float[] maxima, float[] sums, int state, float[] corrections) {
        boolean raised = raiseLanes(logits, at, maxima, state, corrections);
        if (raised) {
            Elementary.exp(corrections, 0, Simd.TILE_COLUMNS);
            scaleLanes(sums, state, corrections);
        }
        Elementary.exp(logits, at, Simd.TILE_COLUMNS);
        addLanes(logits, at, sums, state);
    }

    /// Raises the maxima and subtracts them from the logits; returns whether any was raised, and
    /// stores by how much.
    private static boolean raiseLanes(float[] logits, int at, float[] maxima, int state, float[] corrections) {
        boolean raised = false;
        for (int half = 0; half < Simd.TILE_COLUMNS; half += Simd.LANES) {
            FloatVector x = FloatVector.fromArray(Simd.F, logits, at + half);
            FloatVector before = FloatVector.fromArray(Simd.F, maxima, state + half);
            VectorMask<Float> higher = x.compare(VectorOperators.GT, before);
            FloatVector maximum = before.blend(x, higher);
            raised |= higher.anyTrue();
            maximum.intoArray(maxima, state + half);
            FloatVector.zero(Simd.F).blend(before.sub(maximum), higher).intoArray(corrections, half);
            // Lanes past the vocabulary hold −∞ − −∞ = NaN here: they count as nothing.
            VectorMask<Float> none = x.compare(VectorOperators.EQ, Float.NEGATIVE_INFINITY);
            x.sub(maximum).blend(Float.NEGATIVE_INFINITY, none).intoArray(logits, at + half);
        }
        return raised;
    }

    private static void scaleLanes(float[] sums, int state, float[] corrections) {
        for (int half = 0; half < Simd.TILE_COLUMNS; half += Simd.LANES) {
            FloatVector.fromArray(Simd.F, sums, state + half)
                    .mul(FloatVector.fromArray(Simd.F, corrections, half))
                    .intoArray(sums, state + half);
        }
    }

    private static void addLanes(float[] weights, int at, float[] sums, int state) {
        for (int half = 0; half < Simd.TILE_COLUMNS; half += Simd.LANES) {
            FloatVector.fromArray(Simd.F, sums, state + half)
                    .add(FloatVector.fromArray(Simd.F, weights, at + half))
                    .intoArray(sums, state + half);
        }
    }
}
