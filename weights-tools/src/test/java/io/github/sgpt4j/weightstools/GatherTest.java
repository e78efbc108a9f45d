package io.github.sgpt4j.weightstools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.weightstools.pickle.StorageView;
import io.github.sgpt4j.weightstools.pickle.TensorView;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Views with any strides are read in row-major order.
class GatherTest {
    private static TensorView view(ElementType type, int elements, long offset, long[] shape, long... strides) {
        StorageView storage = new StorageView("0", Optional.of(type), 0, (long) elements * type.bytes());
        return new TensorView(storage, type, offset, Shape.of(shape), strides);
    }

    private static byte[] storage(int bytes) {
        byte[] storage = new byte[bytes];
        new Random(7).nextBytes(storage);
        return storage;
    }

    private static byte[] gather(TensorView view, byte[] storage, int pieceBytes) {
        Gather gather = new Gather(view, MemorySegment.ofArray(storage));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] piece = new byte[pieceBytes];
        while (gather.left() > 0) {
            int count = gather.next(piece);
            assertTrue(count > 0);
            out.write(piece, 0, count * view.type().bytes());
        }
        return out.toByteArray();
    }

    /// Element by element, by the definition of strides.
    private static byte[] naive(TensorView view, byte[] storage) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        long[] at = new long[view.shape().rank()];
        for (long i = 0; i < view.shape().elements(); i++) {
            long left = i;
            long element = view.offset();
            for (int d = at.length - 1; d >= 0; d--) {
                element += left % view.shape().dimension(d) * view.strides()[d];
                left /= view.shape().dimension(d);
            }
            out.write(storage, (int) element * view.type().bytes(), view.type().bytes());
        }
        return out.toByteArray();
    }

    private static void check(TensorView view) {
        byte[] storage = storage((int) view.storage().bytes());
        for (int pieceBytes : new int[] {8, 24, 40, 1 << 12}) {
            assertArrayEquals(naive(view, storage), gather(view, storage, pieceBytes), view + " in " + pieceBytes);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"U8", "BF16", "F32", "F64"})
    void viewsOfAllKindsAreRead(ElementType type) {
        check(view(type, 24, 0, new long[] {2, 3, 4}, 12, 4, 1));
        check(view(type, 24, 0, new long[] {4, 3, 2}, 1, 4, 12));
        check(view(type, 24, 5, new long[] {2, 3}, 8, 2));
        check(view(type, 24, 3, new long[] {3, 4}, 0, 1));
        check(view(type, 24, 3, new long[] {3, 4}, 1, 0));
        check(view(type, 24, 3, new long[] {3, 4}, 1, 1));
        check(view(type, 24, 2, new long[] {2, 2, 1, 5}, 10, 5, 99, 1));
        check(view(type, 24, 23, new long[] {}));
        check(view(type, 24, 23, new long[] {1, 1}, 5, 5));
        check(view(type, 24, 0, new long[] {2, 0, 3}, 3, 3, 1));
        check(view(type, 24, 1, new long[] {3, 2, 3}, 7, 3, 1));
        check(view(type, 24, 0, new long[] {12}, 2));
    }

    @Test
    void randomViewsAreRead() {
        Random random = new Random(3);
        for (int round = 0; round < 500; round++) {
            int rank = random.nextInt(5);
            long[] shape = new long[rank];
            long[] strides = new long[rank];
            long last = 0;
            for (int d = 0; d < rank; d++) {
                shape[d] = 1L + random.nextInt(4);
                strides[d] = random.nextInt(9);
                last += (shape[d] - 1) * strides[d];
            }
            int offset = random.nextInt(5);
            check(view(ElementType.F16, (int) last + offset + 1, offset, shape, strides));
        }
    }

    @Test
    void elementsInARowAreRecognised() {
        assertTrue(gatherOf(view(ElementType.F32, 24, 0, new long[] {2, 3, 4}, 12, 4, 1))
                .isContiguous());
        assertTrue(gatherOf(view(ElementType.F32, 24, 4, new long[] {1, 3, 1, 4}, 77, 4, 55, 1))
                .isContiguous());
        assertTrue(gatherOf(view(ElementType.F32, 24, 4, new long[] {})).isContiguous());
        assertFalse(
                gatherOf(view(ElementType.F32, 24, 0, new long[] {3, 2}, 1, 3)).isContiguous());
        assertFalse(
                gatherOf(view(ElementType.F32, 24, 0, new long[] {3, 2}, 3, 1)).isContiguous());
        assertEquals(
                0, gatherOf(view(ElementType.F32, 24, 0, new long[] {0}, 1)).left());
    }

    private static Gather gatherOf(TensorView view) {
        return new Gather(
                view, MemorySegment.ofArray(new byte[(int) view.storage().bytes()]));
    }
}
