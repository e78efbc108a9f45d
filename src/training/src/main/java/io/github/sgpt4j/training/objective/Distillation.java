package io.github.sgpt4j.training.objective;

import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.training.data.TaughtText;
import io.github.sgpt4j.training.loss.CosineLoss;
import io.github.sgpt4j.training.loss.Matrix;
import io.github.sgpt4j.training.loss.ProjectedCosineLoss;
import io.github.sgpt4j.training.loss.SimilarityLoss;
import io.github.sgpt4j.training.loss.StudentLoss;
import io.github.sgpt4j.training.optimizer.Parameter;
import io.github.sgpt4j.training.step.EmbeddingLoss;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// Embeddings shall follow those of a teacher.
///
/// If cosines are compared and the teacher's embeddings have another length, the student's are taken through a
/// projection `[teacher, student]`, which is trained with the model. If the lengths are equal, there is none, so that
/// the student's embeddings can be compared with the teacher's afterwards.
public final class Distillation implements Objective<TaughtText> {
    /// Name of the projection among the parameters.
    public static final String PROJECTION = "distillation.projection";

    /// A projection and the gradient of the last loss with respect to it.
    private record Projection(Parameter parameter, double[] gradient) {}

    private final DistillationOptions options;
    private final Optional<Projection> projection;

    /// Before the first batch.
    ///
    /// @param teacher number of components of the teacher's embeddings
    /// @param student number of components of the model's embeddings
    /// @param weightDecay of the projection
    /// @param seed determines the projection's first values
    public Distillation(DistillationOptions options, int teacher, int student, double weightDecay, long seed) {
        this.options = options;
        projection = options.loss() == DistillationLoss.SIMILARITY || teacher == student
                ? Optional.empty()
                : Optional.of(projection(teacher, student, weightDecay, seed));
    }

    private static Projection projection(int teacher, int student, double weightDecay, long seed) {
        double[] start = new double[Math.multiplyExact(teacher, student)];
        ProjectedCosineLoss.start(teacher, student, seed).copy(start);
        return new Projection(new Parameter(PROJECTION, start, weightDecay), new double[start.length]);
    }

    @Override
    public List<TextKind> kinds() {
        return List.of(options.kind());
    }

    @Override
    public EmbeddingLoss loss(List<TaughtText> rows) {
        Matrix teachers = Matrix.of(rows.stream().map(TaughtText::teacher).toArray(float[][]::new));
        return embeddings -> {
            Matrix students = Matrix.of(embeddings.getFirst());
            StudentLoss result = switch (options.loss()) {
                case COSINE -> cosine(students, teachers);
                case SIMILARITY -> SimilarityLoss.of(students, teachers);
                case BOTH -> both(students, teachers);
            };
            return new EmbeddingLoss.Result(
                    result.loss(),
                    OptionalInt.empty(),
                    List.<float[][]>of(result.students().toFloats()));
        };
    }

    private StudentLoss cosine(Matrix students, Matrix teachers) {
        if (projection.isEmpty()) {
            return CosineLoss.of(students, teachers);
        }
        Matrix matrix = Matrix.over(
                teachers.columns(),
                students.columns(),
                projection.get().parameter().values());
        ProjectedCosineLoss.Result result = ProjectedCosineLoss.of(students, matrix, teachers);
        result.projection().copy(projection.get().gradient());
        return new StudentLoss(result.loss(), result.students());
    }

    private StudentLoss both(Matrix students, Matrix teachers) {
        StudentLoss cosine = cosine(students, teachers);
        StudentLoss similarity = SimilarityLoss.of(students, teachers);
        double weight = options.similarityWeight();
        return new StudentLoss(
                cosine.loss() + weight * similarity.loss(), cosine.students().plus(weight, similarity.students()));
    }

    @Override
    public List<Parameter> parameters() {
        return projection.map(Projection::parameter).stream().toList();
    }

    @Override
    public List<double[]> gradients() {
        return projection.map(Projection::gradient).stream().toList();
    }
}
