package io.github.sgpt4j.retrieval.mining;

import java.util.Random;

/// Vectors around a few centres, some of them equal, some zero: many equal scores.
final class RandomVectors {
    private RandomVectors() {}

    static float[][] clustered(int count, int dimension, int centres, double spread, long seed) {
        Random random = new Random(seed);
        float[][] middle = new float[centres][dimension];
        for (float[] vector : middle) {
            fill(vector, random, 1);
        }
        float[][] vectors = new float[count][dimension];
        for (int i = 0; i < count; i++) {
            float[] noise = new float[dimension];
            fill(noise, random, spread);
            float[] centre = middle[random.nextInt(centres)];
            for (int j = 0; j < dimension; j++) {
                vectors[i][j] = centre[j] + noise[j];
            }
            if (i > 0 && random.nextInt(10) == 0) {
                vectors[i] = vectors[random.nextInt(i)].clone();
            }
            if (random.nextInt(50) == 0) {
                vectors[i] = new float[dimension];
            }
        }
        return vectors;
    }

    private static void fill(float[] vector, Random random, double scale) {
        for (int i = 0; i < vector.length; i++) {
            vector[i] = (float) (random.nextGaussian() * scale);
        }
    }
}
