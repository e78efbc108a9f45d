package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.RotaryParameters;
import java.util.ArrayDeque;
import java.util.Arrays;

/// Cosines and sines of rotary positions, kept for the few parameter sets that a model has. Thread-safe.
final class RotaryTables {
    private static final int MOST_KEPT = 16;

    /// @param cos,sin `[positions, rotaryDim / 2]`, multiplied by the scale
    record Tables(double[] frequencies, float scale, int positions, float[] cos, float[] sin) {
        boolean covers(RotaryParameters parameters, int needed) {
            return positions >= needed && isFor(parameters);
        }

        boolean isFor(RotaryParameters parameters) {
            return scale == parameters.scale() && Arrays.equals(frequencies, parameters.inverseFrequencies());
        }
    }

    private final ArrayDeque<Tables> kept = new ArrayDeque<>();

    /// Tables for at least `positions` positions.
    synchronized Tables get(RotaryParameters parameters, int positions) {
        for (Tables tables : kept) {
            if (tables.covers(parameters, positions)) {
                return tables;
            }
        }
        kept.removeIf(tables -> tables.isFor(parameters));
        if (kept.size() == MOST_KEPT) {
            kept.removeLast();
        }
        int rounded = (int) Math.min(Integer.MAX_VALUE, Math.max(positions, Integer.highestOneBit(positions) * 2L));
        Tables made = compute(parameters, rounded);
        kept.addFirst(made);
        return made;
    }

    private static Tables compute(RotaryParameters parameters, int positions) {
        double[] frequencies = parameters.inverseFrequencies().clone();
        int pairs = frequencies.length;
        float[] cos = new float[Math.multiplyExact(positions, pairs)];
        float[] sin = new float[cos.length];
        for (int t = 0; t < positions; t++) {
            for (int p = 0; p < pairs; p++) {
                double angle = t * frequencies[p];
                cos[t * pairs + p] = (float) (Math.cos(angle) * parameters.scale());
                sin[t * pairs + p] = (float) (Math.sin(angle) * parameters.scale());
            }
        }
        return new Tables(frequencies, parameters.scale(), positions, cos, sin);
    }
}
