package io.github.sgpt4j.jmh.peers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.sgpt4j.jmh.ModelShape;
import io.github.sgpt4j.jmh.Peer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/// ONNX Runtime on the CPU, fp32, all graph optimizations, with the Rust tokenizers.
public final class OnnxPeer implements Peer {
    private static final long STACK_BYTES = 256L << 20;

    @Override
    public String name() {
        return "onnx";
    }

    @Override
    public String description() {
        return "ONNX Runtime 1.29.0, fp32, all graph optimizations, batches of " + Padding.BATCH;
    }

    @Override
    public Optional<Embedder> embedder(ModelShape shape, Path checkpoint, int threads, int maxTokens) {
        Decoder decoder = new Decoder(shape, OnnxGraph.file(shape, checkpoint, false), threads);
        RustTokenizer tokenizer = new RustTokenizer(checkpoint, maxTokens);
        return Optional.of(new Embedder() {
            @Override
            public float[][] embed(List<String> texts) {
                int[][] sequences = tokenizer.encodeAll(texts);
                float[][] vectors = new float[sequences.length][];
                for (int[] group : Padding.groups(sequences)) {
                    float[] pooled = decoder.pool(sequences, group);
                    for (int g = 0; g < group.length; g++) {
                        vectors[group[g]] = Arrays.copyOfRange(pooled, g * shape.hidden(), (g + 1) * shape.hidden());
                    }
                }
                return vectors;
            }

            @Override
            public void close() {
                tokenizer.close();
                decoder.close();
            }
        });
    }

    @Override
    public Optional<Scorer> scorer(ModelShape shape, Path checkpoint, int threads) {
        Decoder decoder = new Decoder(shape, OnnxGraph.file(shape, checkpoint, true), threads);
        RustTokenizer tokenizer = new RustTokenizer(checkpoint, 0);
        return Optional.of(new PaddedScorer(tokenizer, shape.positions()) {
            @Override
            float[] logProbabilities(int[][] sequences, int[] group, long[] rows, long[] targets) {
                return decoder.logProbabilities(sequences, group, rows, targets);
            }

            @Override
            public void close() {
                super.close();
                decoder.close();
            }
        });
    }

    /// Starts the library on a thread with a deep stack, without telemetry.
    ///
    /// While it starts, ONNX Runtime 1.29 matches the process's command line with a recursive regular expression.
    /// A benchmark's class path is long enough there to overflow the usual stack, which kills the process.
    private static OrtEnvironment start() {
        FutureTask<OrtEnvironment> task = new FutureTask<>(() -> {
            OrtEnvironment environment = OrtEnvironment.getEnvironment();
            environment.setTelemetry(false);
            return environment;
        });
        new Thread(null, task, "onnx-start", STACK_BYTES).start();
        try {
            return task.get();
        } catch (ExecutionException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /// A session and its inputs.
    private static final class Decoder implements AutoCloseable {
        private final ModelShape shape;
        private final OrtEnvironment environment = start();
        private final OrtSession session;

        Decoder(ModelShape shape, Path file, int threads) {
            this.shape = shape;
            try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
                options.setIntraOpNumThreads(threads);
                options.setInterOpNumThreads(1);
                options.setExecutionMode(OrtSession.SessionOptions.ExecutionMode.SEQUENTIAL);
                options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
                session = environment.createSession(file.toString(), options);
            } catch (OrtException e) {
                throw new IllegalStateException(e);
            }
        }

        float[] pool(int[][] sequences, int[] group) {
            try {
                Map<String, OnnxTensor> inputs = inputs(sequences, group);
                int length = length(sequences, group);
                inputs.put(
                        "weights", floats(Padding.positionWeights(sequences, group, length), group.length, 1, length));
                return run(inputs);
            } catch (OrtException e) {
                throw new IllegalStateException(e);
            }
        }

        float[] logProbabilities(int[][] sequences, int[] group, long[] rows, long[] targets) {
            try {
                Map<String, OnnxTensor> inputs = inputs(sequences, group);
                inputs.put("rows", longs(rows, rows.length));
                inputs.put("targets", longs(targets, targets.length, 1));
                return run(inputs);
            } catch (OrtException e) {
                throw new IllegalStateException(e);
            }
        }

        private static int length(int[][] sequences, int[] group) {
            return Arrays.stream(group).map(i -> sequences[i].length).max().orElse(0);
        }

        private Map<String, OnnxTensor> inputs(int[][] sequences, int[] group) throws OrtException {
            long[][] ids = Padding.padded(sequences, group);
            int length = ids[0].length;
            long[] flat = Arrays.stream(ids).flatMapToLong(Arrays::stream).toArray();
            Map<String, OnnxTensor> inputs = new HashMap<>();
            inputs.put("ids", longs(flat, group.length, length));
            inputs.put("shape", longs(new long[] {group.length, length, shape.hidden()}, 3));
            int maskHeads = shape.family() == ModelShape.Family.BLOOM ? shape.heads() : 1;
            inputs.put("global", floats(Padding.mask(shape, length, 0), 1, maskHeads, length, length));
            if (shape.window() > 0) {
                inputs.put("local", floats(Padding.mask(shape, length, shape.window()), 1, maskHeads, length, length));
            }
            if (shape.family() != ModelShape.Family.BLOOM) {
                long[] positions = new long[length];
                Arrays.setAll(positions, i -> i);
                inputs.put("positions", longs(positions, length));
            }
            return inputs;
        }

        private OnnxTensor longs(long[] values, long... dimensions) throws OrtException {
            return OnnxTensor.createTensor(environment, LongBuffer.wrap(values), dimensions);
        }

        private OnnxTensor floats(float[] values, long... dimensions) throws OrtException {
            return OnnxTensor.createTensor(environment, FloatBuffer.wrap(values), dimensions);
        }

        /// Runs the graph and closes its inputs.
        private float[] run(Map<String, OnnxTensor> inputs) throws OrtException {
            try (OrtSession.Result result = session.run(inputs)) {
                OnnxTensor output = (OnnxTensor) result.get(0);
                FloatBuffer buffer = output.getFloatBuffer();
                float[] values = new float[buffer.remaining()];
                buffer.get(values);
                return values;
            } finally {
                inputs.values().forEach(OnnxTensor::close);
            }
        }

        @Override
        public void close() {
            try {
                session.close();
            } catch (OrtException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
