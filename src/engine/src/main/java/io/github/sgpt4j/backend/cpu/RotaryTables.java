package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.RotaryParameters;
import java.util.ArrayDeque;

/// Cosines and sines of rotary positions, cached for the few parameter sets of a model.
/// Thread-safe.
final class RotaryTables {
    private static final int MAX_KEPT = 16;

    /// @param angles of the positions `[0, positions)`
    private record Tables(RotaryParameters parameters, int positions, RotaryParameters.Angles angles) {}

    private final ArrayDeque<Tables> kept = new ArrayDeque<>();

    /// Angles for at least `positions` positions.
    synchronized RotaryParameters.Angles get(RotaryParameters parameters, int positions) {
        for (Tables tables : kept) {
            if (tables.positions >= positions && tables.parameters.sameAngles(parameters)) {
                return tables.angles;
            }
        }
        kept.removeIf(tables -> tables.parameters.sameAngles(parameters));
        if (kept.size() == MAX_KEPT) {
            kept.removeLast();
        }
        int rounded = (int) Math.min(Integer.MAX_VALUE, Math.max(positions, Integer.highestOneBit(positions) * 2L));
        Tables made = new Tables(parameters, rounded, parameters.angles(rounded));
        kept.addFirst(made);
        return made.angles;
    }
}
