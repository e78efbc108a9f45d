package io.github.sgpt4j.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ProductsTest {
    @Test
    void rowsOfLogitsBeginAtMultiplesOf256Bytes() {
        assertEquals(50_304, Products.logitStride(50_257));
        for (int columns : new int[] {1, 63, 64, 65, 1024, 50_257, 50_400, 250_880}) {
            int stride = Products.logitStride(columns);
            assertEquals(0, (long) stride * Float.BYTES % 256);
            assertTrue(stride >= columns && stride < columns + 64, columns + " in " + stride);
        }
    }
}
