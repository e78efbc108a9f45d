package io.github.sgpt4j.backend.cpu;

import java.lang.foreign.MemorySegment;

/// A heap array and its memory segment for machine code, kept together so that computing allocates
/// no views.
record Floats(float[] array, MemorySegment memory) {
    static final Floats EMPTY = new Floats(0);

    Floats(int size) {
        this(new float[size]);
    }

    Floats(float[] array) {
        this(array, MemorySegment.ofArray(array));
    }

    int length() {
        return array.length;
    }
}
