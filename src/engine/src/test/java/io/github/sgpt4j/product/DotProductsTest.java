package io.github.sgpt4j.product;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.sgpt4j.Similarity;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("vector")
class DotProductsTest {
    @ParameterizedTest
    @CsvSource({"1,1,1", "1,256,7", "65,31,16", "65,256,64", "130,7,200"})
    void agreeWithTheDefinition(int count, int columns, int size) {
        Random random = new Random(17);
        float[][] vectors = new float[count][columns];
        for (float[] vector : vectors) {
            for (int i = 0; i < columns; i++) {
                vector[i] = (float) random.nextGaussian();
            }
        }
        float[][] unit =
                java.util.Arrays.stream(vectors).map(Similarity.COSINE::prepare).toArray(float[][]::new);
        int compared = 0;
        try (DotProducts products = DotProducts.of(unit, size, OptionalInt.of(2))) {
            assertEquals((count + size - 1) / size, products.blocks());
            int from = count / 3;
            for (int block = 0; block < products.blocks(); block++) {
                float[] result = products.with(unit, from, count, block);
                int width = products.start(block + 1) - products.start(block);
                assertEquals((count - from) * width, result.length);
                for (int i = from; i < count; i++) {
                    for (int j = 0; j < width; j++) {
                        float expected = Similarity.DOT.of(unit[i], unit[products.start(block) + j]);
                        assertEquals(expected, result[(i - from) * width + j], 1e-5);
                        compared++;
                    }
                }
            }
            assertEquals((count - from) * count, compared);
        }
    }
}
