package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.tensor.LittleEndian;
import io.github.sgpt4j.weightstools.pickle.TensorView;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/// Reads the elements of a view in row-major order, piece by piece.
///
/// Dimensions without gaps between them are joined first, so a contiguous tensor is one run of bytes.
final class Gather {
    private final MemorySegment storage;
    private final int elementBytes;
    private final long[] sizes;
    private final long[] strides;
    private final long[] at;
    private long left;
    private long element;

    /// @param storage the bytes of the view's storage; borrowed
    Gather(TensorView view, MemorySegment storage) {
        this.storage = storage;
        this.elementBytes = view.type().bytes();
        this.left = view.shape().elements();
        this.element = view.offset();
        long[] joinedSizes = new long[view.shape().rank() + 1];
        long[] joinedStrides = new long[joinedSizes.length];
        int count = 0;
        long[] allStrides = view.strides();
        for (int i = 0; i < allStrides.length; i++) {
            long size = view.shape().dimension(i);
            if (size == 1 || left == 0) {
                continue;
            }
            if (count > 0 && joinedStrides[count - 1] == size * allStrides[i]) {
                joinedSizes[count - 1] *= size;
                joinedStrides[count - 1] = allStrides[i];
            } else {
                joinedSizes[count] = size;
                joinedStrides[count++] = allStrides[i];
            }
        }
        if (count == 0) {
            joinedSizes[0] = 1;
            joinedStrides[count++] = 1;
        }
        sizes = Arrays.copyOf(joinedSizes, count);
        strides = Arrays.copyOf(joinedStrides, count);
        at = new long[count];
    }

    /// Whether all elements are adjacent.
    boolean isContiguous() {
        return sizes.length == 1 && strides[0] == 1;
    }

    /// Elements not yet read.
    long left() {
        return left;
    }

    /// Reads the next elements, as many as remain and fit into `piece`.
    ///
    /// @return how many elements
    int next(byte[] piece) {
        int capacity = (int) Math.min(left, piece.length / elementBytes);
        int inner = sizes.length - 1;
        int filled = 0;
        while (filled < capacity) {
            int run = (int) Math.min(capacity - filled, sizes[inner] - at[inner]);
            if (strides[inner] == 1) {
                MemorySegment.copy(
                        storage,
                        ValueLayout.JAVA_BYTE,
                        element * elementBytes,
                        piece,
                        filled * elementBytes,
                        run * elementBytes);
            } else {
                pick(MemorySegment.ofArray(piece), filled, run, strides[inner]);
            }
            filled += run;
            element += run * strides[inner];
            at[inner] += run;
            if (at[inner] == sizes[inner]) {
                carry(inner);
            }
        }
        left -= capacity;
        return capacity;
    }

    /// Moves to the start of the next run.
    private void carry(int inner) {
        for (int i = inner; i >= 0; i--) {
            if (at[i] < sizes[i]) {
                return;
            }
            element -= sizes[i] * strides[i];
            at[i] = 0;
            if (i > 0) {
                at[i - 1]++;
                element += strides[i - 1];
            }
        }
    }

    private void pick(MemorySegment target, int filled, int run, long stride) {
        for (int i = 0; i < run; i++) {
            long from = (element + i * stride) * elementBytes;
            long to = (long) (filled + i) * elementBytes;
            switch (elementBytes) {
                case 1 -> target.set(ValueLayout.JAVA_BYTE, to, storage.get(ValueLayout.JAVA_BYTE, from));
                case 2 -> target.set(LittleEndian.I16, to, storage.get(LittleEndian.I16, from));
                case 4 -> target.set(LittleEndian.I32, to, storage.get(LittleEndian.I32, from));
                default -> target.set(LittleEndian.I64, to, storage.get(LittleEndian.I64, from));
            }
        }
    }
}
