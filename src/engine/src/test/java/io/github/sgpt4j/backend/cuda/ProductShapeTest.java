package io.github.sgpt4j.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.tensor.ElementType;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ProductShapeTest {
    @Test
    void rowsAreRoundedUpByLittle() {
        for (int rows = 1; rows < 40_000; rows++) {
            int bucket = ProductShape.bucket(rows);
            int step = rows <= 1024 ? 64 : rows <= 8192 ? 128 : 256;
            assertTrue(bucket >= rows, rows + " to " + bucket);
            assertTrue(rows <= 128 ? bucket <= rows * 1.5 : bucket < rows + step, rows + " to " + bucket);
            assertEquals(bucket, ProductShape.bucket(bucket));
        }
        assertEquals(4224, ProductShape.bucket(4100));
        assertEquals(Integer.MAX_VALUE, ProductShape.bucket(Integer.MAX_VALUE));
    }

    @Test
    void fewNumbersOfRowsAreTellApart() {
        long buckets = IntStream.rangeClosed(1, 16_384)
                .map(ProductShape::bucket)
                .distinct()
                .count();
        assertTrue(buckets <= 116, "buckets " + buckets);
    }

    @Test
    void alignmentsAreOfEachAddressAndAtMost256Bytes() {
        ProductShape shape = new ProductShape(
                Formula.OUTPUT,
                1,
                1,
                1,
                ElementType.F32,
                ElementType.F32,
                1,
                1,
                false,
                ProductShape.alignments(0x7f0000001010L, 2L << 40, 4));
        assertArrayEquals(new int[] {16, 256, 4, 4}, shape.eachAlignment());
    }
}
