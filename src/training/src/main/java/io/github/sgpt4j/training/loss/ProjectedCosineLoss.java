package io.github.sgpt4j.training.loss;

import java.util.Random;

/// Distillation: a student's embedding, taken through a projection, shall point where the teacher's
/// does. The loss is the mean of `1 - cos(W·s, t)` over texts, the cosine loss of Zhang et al.,
/// arXiv:2412.19048, where the teacher's vectors may have another length. The projection has no bias,
/// unlike theirs; it is trained with the student and dropped afterwards.
public final class ProjectedCosineLoss {
    private ProjectedCosineLoss() {}

    /// What a batch amounts to.
    ///
    /// @param loss not finite if an embedding is not
    /// @param students gradient with respect to the student's embeddings
    /// @param projection gradient with respect to the projection
    public record Result(double loss, Matrix students, Matrix projection) {}

    /// A projection to start from: uniform between plus and minus the root of 1 / `studentColumns`.
    ///
    /// @return [teacherColumns, studentColumns]
    public static Matrix start(int teacherColumns, int studentColumns, long seed) {
        double bound = 1 / Math.sqrt(studentColumns);
        // The algorithm of java.util.Random is specified, so a seed has the same numbers everywhere.
        Random random = new Random(seed);
        Matrix projection = Matrix.zeros(teacherColumns, studentColumns);
        for (int i = 0; i < projection.values().length; i++) {
            projection.values()[i] = (2 * random.nextDouble() - 1) * bound;
        }
        return projection;
    }

    /// Loss and gradients of a batch.
    ///
    /// @param students embeddings of texts [rows, studentColumns]
    /// @param projection [teacherColumns, studentColumns]
    /// @param teachers embeddings of the same texts [rows, teacherColumns]
    public static Result of(Matrix students, Matrix projection, Matrix teachers) {
        int rows = students.rows();
        if (rows == 0
                || teachers.rows() != rows
                || projection.columns() != students.columns()
                || projection.rows() != teachers.columns()) {
            throw new IllegalArgumentException(
                    "expected students [n, s], a projection [t, s] and teachers [n, t], got [%d, %d], [%d, %d], [%d, %d]"
                            .formatted(
                                    rows,
                                    students.columns(),
                                    projection.rows(),
                                    projection.columns(),
                                    teachers.rows(),
                                    teachers.columns()));
        }
        StudentLoss result = CosineLoss.of(Products.timesTransposed(students, projection), teachers);
        return new Result(
                result.loss(),
                Products.times(result.students(), projection),
                Products.transposedTimes(result.students(), students));
    }
}
