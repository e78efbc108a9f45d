package io.github.sgpt4j.training.loss;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class DistillationLossTest {
    private final Matrix students = Differences.random(6, 5, 1);
    private final Matrix teachers = Differences.random(6, 8, 2);
    private final Matrix projection = ProjectedCosineLoss.start(8, 5, 3);

    @Test
    void gradientsOfTheProjectedCosineAreThoseOfTheLoss() {
        ProjectedCosineLoss.Result result = ProjectedCosineLoss.of(students, projection, teachers);
        Differences.assertGradient(
                students,
                result.students(),
                s -> ProjectedCosineLoss.of(s, projection, teachers).loss());
        Differences.assertGradient(
                projection,
                result.projection(),
                p -> ProjectedCosineLoss.of(students, p, teachers).loss());
    }

    @Test
    void theProjectedCosineIsOneMinusTheMeanCosine() {
        Matrix identity = Matrix.of(new double[][] {{1, 0}, {0, 1}});
        Matrix own = Matrix.of(new float[][] {{3, 0}, {0, 2}, {1, 1}});
        Matrix wanted = Matrix.of(new float[][] {{5, 0}, {0, -1}, {1, 0}});
        assertEquals(
                (0 + 2 + 1 - Math.sqrt(0.5)) / 3,
                ProjectedCosineLoss.of(own, identity, wanted).loss(),
                1e-15);
    }

    @Test
    void theSimilarityLossIsTheMeanSquareOfDifferences() {
        Matrix own = Matrix.of(new float[][] {{1, 0}, {0, 1}});
        Matrix wanted = Matrix.of(new float[][] {{1, 0, 0}, {1, 1, 0}});
        // Two of four pairs differ by the root of 1/2.
        assertEquals(0.25, SimilarityLoss.of(own, wanted).loss(), 1e-15);
        assertEquals(0, SimilarityLoss.of(own, own).loss());
    }

    @Test
    void gradientsOfTheSimilarityLossAreThoseOfTheLoss() {
        StudentLoss result = SimilarityLoss.of(students, teachers);
        assertTrue(result.loss() > 0);
        Differences.assertGradient(
                students, result.students(), s -> SimilarityLoss.of(s, teachers).loss());
    }

    @Test
    void argumentsAreLeftAsTheyAre() {
        double[] own = students.values().clone();
        double[] wanted = teachers.values().clone();
        ProjectedCosineLoss.of(students, projection, teachers);
        SimilarityLoss.of(students, teachers);
        assertArrayEquals(own, students.values());
        assertArrayEquals(wanted, teachers.values());
    }

    @Test
    void aSeedGivesTheSameProjection() {
        assertArrayEquals(
                projection.values(), ProjectedCosineLoss.start(8, 5, 3).values());
        for (double value : projection.values()) {
            assertTrue(Math.abs(value) <= Math.sqrt(0.2));
        }
    }

    @Test
    void shapesThatDoNotFitAreRefused() {
        assertThrows(
                IllegalArgumentException.class,
                () -> ProjectedCosineLoss.of(students, projection, Differences.random(5, 8, 1)));
        assertThrows(
                IllegalArgumentException.class,
                () -> ProjectedCosineLoss.of(students, Differences.random(7, 5, 1), teachers));
        assertThrows(IllegalArgumentException.class, () -> SimilarityLoss.of(students, Differences.random(5, 8, 1)));
        assertThrows(IllegalArgumentException.class, () -> SimilarityLoss.of(Matrix.zeros(0, 5), Matrix.zeros(0, 8)));
    }

    @Test
    void gradientsOfTheCosineLossAreThoseOfTheLoss() {
        Matrix wanted = Differences.random(students.rows(), students.columns(), 21);
        StudentLoss result = CosineLoss.of(students, wanted);
        Differences.assertGradient(
                students, result.students(), s -> CosineLoss.of(s, wanted).loss());
        assertEquals(0, CosineLoss.of(students, students).loss(), 1e-15);
        assertThrows(IllegalArgumentException.class, () -> CosineLoss.of(students, teachers));
    }

    @Test
    void matricesAreAddedAndCopied() {
        Matrix a = Matrix.of(new float[][] {{1, 2}, {3, 4}});
        Matrix sum = a.plus(-2, Matrix.of(new float[][] {{1, 0}, {0, 1}}));
        assertArrayEquals(new double[] {-1, 2, 3, 2}, sum.values());
        assertArrayEquals(new double[] {1, 2, 3, 4}, a.values());
        double[] copy = new double[4];
        a.copy(copy);
        assertArrayEquals(a.values(), copy);
        assertEquals(4, Matrix.over(2, 2, copy).at(1, 1));
        assertThrows(IllegalArgumentException.class, () -> a.copy(new double[3]));
        assertThrows(IllegalArgumentException.class, () -> Matrix.over(2, 2, new double[3]));
        assertThrows(IllegalArgumentException.class, () -> a.plus(1, Matrix.zeros(1, 2)));
    }
}
