package io.github.sgpt4j.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class MatmulTest {
    @Test
    void rowsOfProductsAreRoundedToHalfDoublings() {
        for (int rows = 1; rows < 100_000; rows = rows * 9 / 8 + 1) {
            int bucket = Matmul.bucket(rows);
            assertTrue(bucket >= rows && bucket <= rows * 1.5 + 1, rows + " to " + bucket);
            assertEquals(bucket, Matmul.bucket(bucket));
        }
    }
}
