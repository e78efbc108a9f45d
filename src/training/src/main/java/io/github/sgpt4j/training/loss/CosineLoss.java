package io.github.sgpt4j.training.loss;

import java.util.stream.IntStream;

/// Distillation of embeddings of equal lengths: a student's embedding shall point where the teacher's does. The loss is
/// the mean of `1 - cos(s, t)` over texts.
public final class CosineLoss {
    private CosineLoss() {}

    /// Loss and gradient of a batch.
    ///
    /// @param students embeddings of texts [rows, columns]
    /// @param teachers embeddings of the same texts [rows, columns]
    public static StudentLoss of(Matrix students, Matrix teachers) {
        int rows = students.rows();
        if (rows == 0 || teachers.rows() != rows || teachers.columns() != students.columns()) {
            throw new IllegalArgumentException("expected students and teachers [n, d], got [%d, %d] and [%d, %d]"
                    .formatted(rows, students.columns(), teachers.rows(), teachers.columns()));
        }
        UnitRows own = UnitRows.of(students.slice(0, rows));
        UnitRows wanted = UnitRows.of(teachers.slice(0, rows));
        double[] losses = new double[rows];
        Matrix gradient = Matrix.zeros(rows, teachers.columns());
        IntStream.range(0, rows).forEach(row -> {
            int start = gradient.start(row);
            double cosine = 0;
            for (int j = start; j < start + gradient.columns(); j++) {
                cosine += own.rows().values()[j] * wanted.rows().values()[j];
                gradient.values()[j] = -wanted.rows().values()[j] / rows;
            }
            losses[row] = 1 - cosine;
        });
        own.backward(gradient);
        double sum = 0;
        for (double loss : losses) {
            sum += loss;
        }
        return new StudentLoss(sum / rows, gradient);
    }
}
