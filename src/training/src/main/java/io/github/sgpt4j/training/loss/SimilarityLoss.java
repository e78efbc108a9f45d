package io.github.sgpt4j.training.loss;

/// Distillation without a projection: texts of a batch shall be as similar to each other for the
/// student as for the teacher. The loss is the mean of `(cos(s_i, s_j) - cos(t_i, t_j))²` over all pairs
/// of texts, each with itself included: the similarity loss of Zhang et al., arXiv:2412.19048 (who take
/// it of projected embeddings), after similarity-preserving distillation (Tung and Mori, arXiv:1907.09682).
public final class SimilarityLoss {
    private SimilarityLoss() {}

    /// Loss and gradient of a batch.
    ///
    /// @param students embeddings of texts [rows, studentColumns]
    /// @param teachers embeddings of the same texts [rows, teacherColumns]
    public static StudentLoss of(Matrix students, Matrix teachers) {
        int rows = students.rows();
        if (rows == 0 || teachers.rows() != rows) {
            throw new IllegalArgumentException(
                    "expected an embedding of the teacher for each of the student, got %d and %d"
                            .formatted(teachers.rows(), rows));
        }
        UnitRows own = UnitRows.of(students.slice(0, rows));
        UnitRows wanted = UnitRows.of(teachers.slice(0, rows));
        Matrix differences = Products.timesTransposed(own.rows(), own.rows());
        double[] given = Products.timesTransposed(wanted.rows(), wanted.rows()).values();
        double pairs = (double) rows * rows;
        double sum = 0;
        for (int i = 0; i < given.length; i++) {
            double difference = differences.values()[i] - given[i];
            sum += difference * difference;
            // A text is on both sides of its pairs.
            differences.values()[i] = 4 * difference / pairs;
        }
        Matrix gradient = Products.times(differences, own.rows());
        own.backward(gradient);
        return new StudentLoss(sum / pairs, gradient);
    }
}
