package io.github.sgpt4j.inference;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.checkpoint.DenseConfig;
import io.github.sgpt4j.checkpoint.SentenceModules;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.weights.MappedFiles;
import io.github.sgpt4j.weights.Weights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The steps after pooling: dense layers and normalisation, as in a checkpoint's modules. Owns the
/// weights of the dense layers until closed; borrows the backend.
public final class EmbeddingSteps implements AutoCloseable {
    private sealed interface Loaded {
        record Normalize() implements Loaded {}

        record Dense(Linear linear, Activation activation) implements Loaded {}
    }

    /// Maximum values, on the wider side of a dense layer, that it processes at a time.
    private static final int BLOCK_VALUES = 1 << 22;

    private final Backend backend;
    private final List<Weights> weights;
    private final List<Loaded> steps = new ArrayList<>();
    private final int width;

    private EmbeddingSteps(
            Backend backend, List<Weights> weights, List<SentenceModules.Step> description, int width, JsonFiles json) {
        this.backend = backend;
        this.weights = weights;
        int columns = width;
        for (SentenceModules.Step step : description) {
            switch (step) {
                case SentenceModules.Step.Normalize n -> steps.add(new Loaded.Normalize());
                case SentenceModules.Step.Dense dense -> {
                    Loaded.Dense loaded = load(dense.directory(), columns, json);
                    steps.add(loaded);
                    columns = loaded.linear().out();
                }
            }
        }
        this.width = columns;
    }

    /// As [#load(Backend, List, int, JsonFiles)].
    public static EmbeddingSteps load(Backend backend, List<SentenceModules.Step> description, int width) {
        return load(backend, description, width, new JsonFiles());
    }

    /// @param description the modules after pooling
    /// @param width components of a pooled vector
    /// @param json reads the files of modules
    public static EmbeddingSteps load(
            Backend backend, List<SentenceModules.Step> description, int width, JsonFiles json) {
        List<Weights> opened = new ArrayList<>();
        try {
            return new EmbeddingSteps(backend, opened, description, width, json);
        } catch (RuntimeException | Error e) {
            opened.forEach(Weights::close);
            throw e;
        }
    }

    private Loaded.Dense load(Path directory, int columns, JsonFiles json) {
        DenseConfig config = DenseConfig.read(directory, columns, json);
        Weights file = Weights.open(directory);
        weights.add(file);
        List<MatrixRows> bias = config.bias(file).stream().map(MatrixRows::all).toList();
        List<MatrixRows> weight = List.of(MatrixRows.all(config.weight(file)));
        return file.mapped().opening(() -> new Loaded.Dense(backend.linear(weight, bias), config.activation()));
    }

    /// The weight files of the dense layers.
    public MappedFiles mapped() {
        return MappedFiles.together(weights.stream().map(Weights::mapped).toArray(MappedFiles[]::new));
    }

    /// Components of a finished embedding.
    public int width() {
        return width;
    }

    /// Applies all steps.
    ///
    /// @param pooled `[n][pooled width]`, may be modified
    /// @param cancellation of the call
    /// @return `[n][width]`
    public float[][] apply(float[][] pooled, Cancellation cancellation) {
        if (pooled.length == 0) {
            return pooled;
        }
        float[][] rows = pooled;
        for (Loaded step : steps) {
            switch (step) {
                case Loaded.Normalize n -> {
                    for (float[] row : rows) {
                        normalize(row);
                    }
                }
                case Loaded.Dense dense -> rows = dense(rows, dense, cancellation);
            }
        }
        return rows;
    }

    private float[][] dense(float[][] rows, Loaded.Dense dense, Cancellation cancellation) {
        int widest = Math.max(dense.linear().in(), dense.linear().out());
        int block = Math.max(1, BLOCK_VALUES / widest);
        float[][] output = new float[rows.length][];
        for (int from = 0; from < rows.length; from += block) {
            cancellation.check();
            dense(rows, dense, from, Math.min(rows.length, from + block), output);
        }
        return output;
    }

    private void dense(float[][] rows, Loaded.Dense dense, int from, int to, float[][] output) {
        int in = dense.linear().in();
        int out = dense.linear().out();
        float[] flat = new float[(to - from) * in];
        for (int i = from; i < to; i++) {
            System.arraycopy(rows[i], 0, flat, (i - from) * in, in);
        }
        try (Tensor x = backend.upload(flat, to - from, in);
                Tensor y = backend.allocate(to - from, out)) {
            backend.linear(x, dense.linear(), dense.activation(), y);
            float[] result = backend.download(y);
            for (int i = from; i < to; i++) {
                output[i] = Arrays.copyOfRange(result, (i - from) * out, (i - from + 1) * out);
            }
        }
    }

    /// Scales a vector to Euclidean length 1, like `torch.nn.functional.normalize`: lengths below 1e-12
    /// count as 1e-12.
    public static void normalize(float[] vector) {
        double sum = 0;
        for (float v : vector) {
            sum += (double) v * v;
        }
        double factor = 1 / Math.max(Math.sqrt(sum), 1e-12);
        for (int i = 0; i < vector.length; i++) {
            vector[i] = (float) (vector[i] * factor);
        }
    }

    @Override
    public void close() {
        weights.forEach(Weights::close);
    }
}
