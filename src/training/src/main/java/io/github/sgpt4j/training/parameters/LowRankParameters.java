package io.github.sgpt4j.training.parameters;

import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.TrainableTensor;
import io.github.sgpt4j.training.optimizer.Parameter;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/// Two factors for each trained matrix, whose product is added to it (LoRA: Hu et al., arXiv:2106.09685):
/// `W = W₀ + scale · B · A`, with `A` `[rank, in]` and `B` `[out, rank]`.
///
/// The model computes with the sum, so that the gradient of `W` gives those of the factors:
/// `dB = scale · dW · Aᵀ`, `dA = scale · Bᵀ · dW`. That is exact, needs no operation of its own, and costs a step as
/// much as training the matrices in full. No dropout. `A` starts as in peft, uniform within `± 1 / √in`; `B` starts at
/// zero. A copy of `W₀` is held in 32 bits.
public final class LowRankParameters implements TrainedParameters {
    /// The factors of one matrix.
    ///
    /// @param start W₀ in stored order
    /// @param transposed whether the matrix is stored `[in, out]`
    private record Factors(TrainableTensor tensor, float[] start, boolean transposed, int out, int in) {
        /// Index of an element among the stored ones.
        int at(int row, int column) {
            return transposed ? column * out + row : row * in + column;
        }
    }

    private final TrainableModel model;
    private final int rank;
    private final double scale;
    private final List<Factors> matrices = new ArrayList<>();
    private final List<Parameter> parameters = new ArrayList<>();
    private final List<double[]> gradients = new ArrayList<>();

    /// Factors of all trained tensors of a model, which are matrices.
    ///
    /// @param model borrowed
    /// @param weightDecay of both factors
    /// @param seed determines the first values of `A`
    public LowRankParameters(TrainableModel model, LoraOptions options, double weightDecay, long seed) {
        this.model = model;
        rank = options.rank();
        scale = options.scale();
        for (TrainableTensor tensor : model.tensors()) {
            if (!tensor.isMatrix()) {
                throw new IllegalArgumentException("tensor %s: expected a matrix".formatted(tensor.name()));
            }
            boolean transposed = tensor.use() == TrainableTensor.Use.TRANSPOSED_MATRIX;
            int out = Math.toIntExact(tensor.shape().get(transposed ? 1 : 0));
            int in = Math.toIntExact(tensor.shape().get(transposed ? 0 : 1));
            double[] stored = new double[Math.multiplyExact(out, in)];
            model.read(tensor.name(), stored);
            float[] start = new float[stored.length];
            for (int i = 0; i < start.length; i++) {
                start[i] = (float) stored[i];
            }
            matrices.add(new Factors(tensor, start, transposed, out, in));
            parameters.add(new Parameter(nameA(tensor), uniform(rank, in, seed, tensor.name()), weightDecay));
            parameters.add(new Parameter(nameB(tensor), new double[Math.multiplyExact(out, rank)], weightDecay));
            gradients.add(new double[Math.multiplyExact(rank, in)]);
            gradients.add(new double[Math.multiplyExact(out, rank)]);
        }
    }

    /// Name of a matrix's factor `A`, as peft names it without its prefix.
    public static String nameA(TrainableTensor tensor) {
        return module(tensor) + ".lora_A.weight";
    }

    /// Name of a matrix's factor `B`, as peft names it without its prefix.
    public static String nameB(TrainableTensor tensor) {
        return module(tensor) + ".lora_B.weight";
    }

    private static String module(TrainableTensor tensor) {
        return tensor.name().substring(0, tensor.name().length() - ".weight".length());
    }

    private static double[] uniform(int rank, int in, long seed, String name) {
        // The algorithms of java.util.Random and of hash codes of strings are specified.
        Random random = new Random(seed * 31 + name.hashCode());
        double bound = 1 / Math.sqrt(in);
        double[] values = new double[Math.multiplyExact(rank, in)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (2 * random.nextDouble() - 1) * bound;
        }
        return values;
    }

    @Override
    public List<Parameter> parameters() {
        return parameters;
    }

    @Override
    public List<double[]> gradients() {
        for (int i = 0; i < matrices.size(); i++) {
            Factors matrix = matrices.get(i);
            double[] dW = new double[matrix.start.length];
            model.gradient(matrix.tensor.name(), dW);
            double[] a = parameters.get(2 * i).values();
            double[] b = parameters.get(2 * i + 1).values();
            double[] dA = gradients.get(2 * i);
            double[] dB = gradients.get(2 * i + 1);
            IntStream.range(0, matrix.out).parallel().forEach(row -> {
                for (int r = 0; r < rank; r++) {
                    double sum = 0;
                    for (int column = 0; column < matrix.in; column++) {
                        sum += dW[matrix.at(row, column)] * a[r * matrix.in + column];
                    }
                    dB[row * rank + r] = scale * sum;
                }
            });
            IntStream.range(0, matrix.in).parallel().forEach(column -> {
                for (int r = 0; r < rank; r++) {
                    double sum = 0;
                    for (int row = 0; row < matrix.out; row++) {
                        sum += b[row * rank + r] * dW[matrix.at(row, column)];
                    }
                    dA[r * matrix.in + column] = scale * sum;
                }
            });
        }
        return gradients;
    }

    /// The matrices before the training, and the gradient of one, or its sum.
    @Override
    public long otherBytes() {
        long all = matrices.stream().mapToLong(matrix -> matrix.start.length).sum();
        long largest =
                matrices.stream().mapToLong(matrix -> matrix.start.length).max().orElse(0);
        return all * Float.BYTES + largest * Double.BYTES;
    }

    @Override
    public void apply() {
        for (int i = 0; i < matrices.size(); i++) {
            Factors matrix = matrices.get(i);
            double[] a = parameters.get(2 * i).values();
            double[] b = parameters.get(2 * i + 1).values();
            double[] sum = new double[matrix.start.length];
            IntStream.range(0, matrix.out).parallel().forEach(row -> {
                for (int column = 0; column < matrix.in; column++) {
                    double product = 0;
                    for (int r = 0; r < rank; r++) {
                        product += b[row * rank + r] * a[r * matrix.in + column];
                    }
                    int at = matrix.at(row, column);
                    sum[at] = matrix.start[at] + scale * product;
                }
            });
            model.write(matrix.tensor.name(), sum);
        }
        model.update();
    }
}
