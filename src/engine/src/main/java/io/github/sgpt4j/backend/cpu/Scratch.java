package io.github.sgpt4j.backend.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// Working memory of one thread, kept between tasks. Contents are undefined.
final class Scratch {
    /// Arrays of more floats than this are not kept.
    private static final int MAX_KEPT = 1 << 24;

    /// What an array is for; simultaneous uses never share one.
    enum Use {
        PACKED_ROWS,
        PANEL,
        TILE,
        SCORES,
        QUERIES,
        KEYS_AND_VALUES,
        WEIGHTED_VALUES,
        CORRECTIONS,
        LOGITS,
        MAXIMA,
        ROW,
        KEYS,
        VALUES,
        QUERY_ROWS,
        QUERY_GRADIENTS,
        KEY_GRADIENTS,
        VALUE_GRADIENTS,
        OUTPUT_GRADIENTS,
        OUTPUT_GRADIENT_ROWS,
        WEIGHTS,
        SCORE_GRADIENTS,
        SCORE_GRADIENT_ROWS
    }

    /// What memory outside the heap is for.
    enum Memory {
        ROW_TILES,
        ROWS,
        SHIFTS,
        MEASURES,
        COLUMNS,
        INPUTS,
        LEVELS,
        SUMS
    }

    private final Floats[] arrays = new Floats[Use.values().length];
    private final MemorySegment[] segments = new MemorySegment[Memory.values().length];
    private double[] sums = {};
    private int[] integers = {};
    private final AttentionTask attentionTask = new AttentionTask(this);
    private final AttentionGradientTask attentionGradientTask = new AttentionGradientTask(this);
    private final ProductTask productTask = new ProductTask(this);

    Scratch() {
        Arrays.fill(segments, MemorySegment.NULL);
        Arrays.fill(arrays, Floats.EMPTY);
    }

    /// An array of at least `size` floats.
    float[] floats(Use use, int size) {
        return values(use, size).array();
    }

    /// As [#floats].
    Floats values(Use use, int size) {
        Floats array = arrays[use.ordinal()];
        if (array.length() < size) {
            array = new Floats(size);
            if (size <= MAX_KEPT) {
                arrays[use.ordinal()] = array;
            }
        }
        return array;
    }

    /// At least `bytes` bytes outside the heap, at the start of a cache line.
    MemorySegment memory(Memory use, long bytes) {
        MemorySegment segment = segments[use.ordinal()];
        if (segment.byteSize() < bytes) {
            // A power of two, so that it is rarely replaced: the garbage collector frees the old
            // memory.
            long size = Long.highestOneBit(2 * bytes - 1);
            segment = Arena.ofAuto().allocate(size, 64);
            if (size <= (long) Float.BYTES * MAX_KEPT) {
                segments[use.ordinal()] = segment;
            }
        }
        return segment;
    }

    /// An array of at least `size` doubles.
    double[] doubles(int size) {
        if (size > MAX_KEPT) {
            return new double[size];
        }
        if (sums.length < size) {
            sums = new double[size];
        }
        return sums;
    }

    /// An array of at least `size` integers.
    int[] integers(int size) {
        if (size > MAX_KEPT) {
            return new int[size];
        }
        if (integers.length < size) {
            integers = new int[size];
        }
        return integers;
    }

    /// The thread's attention, reused for one task after another.
    AttentionTask attentionTask() {
        return attentionTask;
    }

    /// The thread's gradients of attention, reused for one task after another.
    AttentionGradientTask attentionGradientTask() {
        return attentionGradientTask;
    }

    /// The thread's matrix products, reused for one task after another.
    ProductTask productTask() {
        return productTask;
    }
}
