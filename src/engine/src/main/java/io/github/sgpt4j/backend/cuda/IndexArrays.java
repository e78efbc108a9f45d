package io.github.sgpt4j.backend.cuda;

/// Index arrays on the device, in one piece of memory, each aligned as kernels want it. Closing gives the memory back.
///
/// @param offsets of each array, in ints
record IndexArrays(Memory memory, int[] offsets) implements AutoCloseable {
    /// Memory that index arrays were copied to.
    interface Memory extends AutoCloseable {
        long address();

        @Override
        void close();
    }

    /// Copies arrays to the device at once; operations that follow see them.
    static IndexArrays upload(CudaEngine engine, int[]... arrays) {
        int[] offsets = new int[arrays.length];
        int end = 0;
        for (int i = 0; i < arrays.length; i++) {
            offsets[i] = end;
            end = Math.addExact(end, BatchIndex.aligned(arrays[i].length));
        }
        int[] data = new int[end];
        for (int i = 0; i < arrays.length; i++) {
            System.arraycopy(arrays[i], 0, data, offsets[i], arrays[i].length);
        }
        return new IndexArrays(engine.pass().upload(data), offsets);
    }

    /// Address of the array of this number.
    long address(int array) {
        return memory.address() + (long) offsets[array] * Integer.BYTES;
    }

    @Override
    public void close() {
        memory.close();
    }
}
