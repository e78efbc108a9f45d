package io.github.sgpt4j.backend.cpu;

import java.lang.foreign.MemorySegment;

/// A heap array, and the same as machine code takes it: kept together, so that none of these views is made in use.
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
