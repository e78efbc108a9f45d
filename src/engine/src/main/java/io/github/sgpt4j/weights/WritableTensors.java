package io.github.sgpt4j.weights;

import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/// Tensors whose values may be changed: copies of stored ones, as 32-bit floats in memory. They live as long as the
/// weights that [#over] returns. Not safe to share between threads while values change.
public final class WritableTensors {
    private final Map<String, MemorySegment> memory = new LinkedHashMap<>();

    /// Weights in which the named tensors are replaced by copies of them.
    ///
    /// @param stored closed with the result
    /// @param names tensors of type F32, F16 or BF16
    public Weights over(Weights stored, Collection<String> names) {
        return Weights.overlaid(stored, allocator -> {
            Map<String, WeightTensor> copies = new LinkedHashMap<>();
            names.forEach(name -> copies.put(name, copy(stored.get(name), allocator)));
            return copies;
        });
    }

    private WeightTensor copy(WeightTensor tensor, SegmentAllocator allocator) {
        long elements = tensor.shape().elements();
        MemorySegment copy = allocator.allocate(ElementType.F32.bytes(elements), 64);
        float[] block = new float[(int) Math.min(elements, 1 << 16)];
        for (long at = 0; at < elements; at += block.length) {
            int count = (int) Math.min(block.length, elements - at);
            tensor.copyTo(at, block, 0, count);
            MemorySegment.copy(block, 0, copy, LittleEndian.F32, at * Float.BYTES, count);
        }
        memory.put(tensor.name(), copy);
        return new WeightTensor(tensor.name(), tensor.file(), ElementType.F32, tensor.shape(), copy.asReadOnly());
    }

    /// Copies values of a tensor.
    ///
    /// @param target as many as the tensor has
    public void read(String name, double[] target) {
        MemorySegment values = segment(name, target.length);
        for (int i = 0; i < target.length; i++) {
            target[i] = values.getAtIndex(LittleEndian.F32, i);
        }
    }

    /// Changes the values of a tensor, each rounded to 32 bits. What has been made from the tensor does not change.
    ///
    /// @param source as many as the tensor has
    public void write(String name, double[] source) {
        MemorySegment values = segment(name, source.length);
        for (int i = 0; i < source.length; i++) {
            values.setAtIndex(LittleEndian.F32, i, (float) source[i]);
        }
    }

    private MemorySegment segment(String name, int length) {
        MemorySegment segment = memory.get(name);
        if (segment == null || segment.byteSize() != ElementType.F32.bytes(length)) {
            throw new IllegalArgumentException("%d values of tensor %s, which has %s"
                    .formatted(length, name, segment == null ? "no copy" : segment.byteSize() / Float.BYTES));
        }
        return segment;
    }
}
