package io.github.sgpt4j.jmh;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.Pooling;
import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.TrainableTensor;
import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.backend.cpu.CpuBackend;
import io.github.sgpt4j.backend.cpu.CpuOptions;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.tokenizer.Tokenizer;
import io.github.sgpt4j.weights.WeightTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// This project's engine on the CPU, through its public API where there is one.
public final class Ours implements Peer {
    /// Name in parameters and tables.
    public static final String NAME = "ours";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String description() {
        try (CpuBackend backend = new CpuBackend(new CpuOptions(Settings.threads(), Precision.FP32))) {
            return "sgpt4j, " + backend.description();
        }
    }

    private static ModelOptions options(int threads, Dtype dtype) {
        return ModelOptions.DEFAULT.withDevice("cpu").withThreads(threads).withDtype(dtype);
    }

    /// A model on the CPU.
    static Model openModel(Path checkpoint, int threads, Dtype dtype) {
        return Model.open(checkpoint, options(threads, dtype));
    }

    /// A bi-encoder on the CPU.
    static BiEncoder open(Path checkpoint, int threads, int maxTokens, Dtype dtype) {
        return BiEncoder.open(checkpoint, options(threads, dtype), encoding(maxTokens));
    }

    private static BiEncoderOptions encoding(int maxTokens) {
        return BiEncoderOptions.DEFAULT.withPooling(Pooling.WEIGHTEDMEAN).withMaxLength(maxTokens);
    }

    @Override
    public Optional<Embedder> embedder(ModelShape shape, Path checkpoint, int threads, int maxTokens) {
        BiEncoder encoder = open(checkpoint, threads, maxTokens, Settings.dtype());
        return Optional.of(new Embedder() {
            @Override
            public float[][] embed(List<String> texts) {
                return encoder.embed(texts);
            }

            @Override
            public void close() {
                encoder.close();
            }
        });
    }

    @Override
    public Optional<Trainer> trainer(ModelShape shape, Path checkpoint, int threads, int maxTokens) {
        return Optional.of(new OwnTrainer(TrainableModel.open(
                checkpoint, options(threads, Settings.dtype()), encoding(maxTokens), TrainableTensor::isBias)));
    }

    @Override
    public Optional<Scorer> scorer(ModelShape shape, Path checkpoint, int threads) {
        CrossEncoder encoder =
                CrossEncoder.open(checkpoint, options(threads, Settings.dtype()), CrossEncoderOptions.DEFAULT);
        return Optional.of(new Scorer() {
            @Override
            public float[] score(String query, List<String> documents) {
                List<CrossEncoder.Score> scores = encoder.score(query, documents);
                float[] values = new float[scores.size()];
                for (int i = 0; i < values.length; i++) {
                    values[i] = scores.get(i).value();
                }
                return values;
            }

            @Override
            public void close() {
                encoder.close();
            }
        });
    }

    @Override
    public Optional<Encoder> encoder(Path checkpoint) {
        Tokenizer tokenizer = Tokenizer.load(checkpoint);
        return Optional.of(new Encoder() {
            @Override
            public int[] encode(String text) {
                return tokenizer.encode(text, false);
            }

            @Override
            public void close() {}
        });
    }

    @Override
    public Optional<Product> product(int rows, int in, int out, float[] x, float[] w, int threads) {
        return Optional.of(new OwnProduct(rows, in, out, x, w, threads));
    }

    private static final class OwnProduct implements Product {
        private final Arena arena = Arena.ofShared();
        private final CpuBackend backend;
        private final Linear linear;
        private final Tensor input;
        private final Tensor output;

        OwnProduct(int rows, int in, int out, float[] x, float[] w, int threads) {
            MemorySegment data = arena.allocateFrom(ValueLayout.JAVA_FLOAT, w);
            backend = new CpuBackend(new CpuOptions(
                    threads,
                    switch (Settings.dtype()) {
                        case BF16, FP8 -> Precision.BF16;
                        case FP16 -> Precision.FP16;
                        case AUTO, FP32, TF32 -> Precision.FP32;
                    }));
            WeightTensor weight = new WeightTensor("w", "memory", ElementType.F32, Shape.of(out, in), data);
            linear = backend.linear(List.of(MatrixRows.all(weight)), List.of());
            input = backend.upload(x, rows, in);
            output = backend.allocate(rows, out);
        }

        @Override
        public void run() {
            backend.linear(input, linear, Activation.NONE, output);
        }

        @Override
        public float[] result() {
            return backend.download(output);
        }

        @Override
        public void close() {
            input.close();
            output.close();
            backend.close();
            arena.close();
        }
    }
}
