package io.github.sgpt4j.backend.cpu;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/// Recycles the arrays of closed tensors. Thread-safe.
///
/// Sizes are rounded up in steps of an eighth of a power of two, and an idle array up to 1.5 times
/// as large may serve, so that batches of nearly equal size share arrays. The pool is bounded: when
/// it is full, arrays of the least recently requested sizes are dropped first.
final class ArrayPool {
    /// System property: fill handed-out arrays with NaN, so that reads of undefined contents show
    /// up.
    static final String POISON_PROPERTY = "sgpt4j.poison";

    private static final int MIN_SIZE = 256;

    private final long maxKept;
    private final boolean poison = Boolean.getBoolean(POISON_PROPERTY);
    private final LinkedHashMap<Integer, ArrayDeque<Floats>> free = new LinkedHashMap<>(16, 0.75f, true);
    private long kept;

    /// @param maxKept the most floats to keep idle
    ArrayPool(long maxKept) {
        this.maxKept = maxKept;
    }

    /// An array of at least `size` floats, contents undefined.
    Floats take(int size) {
        Floats values = reuse(roundUp(size));
        if (poison) {
            Arrays.fill(values.array(), Float.NaN);
        }
        return values;
    }

    private Floats reuse(int rounded) {
        synchronized (free) {
            int best = smallestIdle(rounded, rounded + rounded / 2L);
            ArrayDeque<Floats> idle = free.get(best);
            if (idle != null) {
                kept -= best;
                return idle.pop();
            }
        }
        return new Floats(rounded);
    }

    /// The size of the smallest idle array of at least `least` and at most `most` floats, or 0 if there is none.
    private int smallestIdle(int least, long most) {
        int best = 0;
        for (Map.Entry<Integer, ArrayDeque<Floats>> entry : free.entrySet()) {
            int size = entry.getKey();
            if (size >= least
                    && size <= most
                    && (best == 0 || size < best)
                    && !entry.getValue().isEmpty()) {
                best = size;
            }
        }
        return best;
    }

    /// Returns an array from [#take]; it must not be used afterwards.
    void give(Floats array) {
        if (array.length() > maxKept) {
            return;
        }
        synchronized (free) {
            free.computeIfAbsent(array.length(), size -> new ArrayDeque<>()).push(array);
            kept += array.length();
            evict();
        }
    }

    private void evict() {
        Iterator<Map.Entry<Integer, ArrayDeque<Floats>>> eldest =
                free.entrySet().iterator();
        while (kept > maxKept) {
            Map.Entry<Integer, ArrayDeque<Floats>> entry = eldest.next();
            while (kept > maxKept && !entry.getValue().isEmpty()) {
                entry.getValue().pop();
                kept -= entry.getKey();
            }
            if (entry.getValue().isEmpty()) {
                eldest.remove();
            }
        }
    }

    /// The number of idle floats in the pool.
    long kept() {
        synchronized (free) {
            return kept;
        }
    }

    static int roundUp(int size) {
        if (size <= MIN_SIZE) {
            return MIN_SIZE;
        }
        int step = Integer.highestOneBit(size - 1) >>> 3;
        long rounded = (size + (long) step - 1) / step * step;
        return (int) Math.min(Integer.MAX_VALUE - 8, rounded);
    }
}
