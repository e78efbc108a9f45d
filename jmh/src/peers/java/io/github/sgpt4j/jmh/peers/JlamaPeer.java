package io.github.sgpt4j.jmh.peers;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.ModelSupport;
import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.tensor.AbstractTensor;
import com.github.tjake.jlama.tensor.KvBufferCache;
import io.github.sgpt4j.jmh.ModelShape;
import io.github.sgpt4j.jmh.Peer;
import io.github.sgpt4j.tokenizer.Tokenizer;
import java.io.File;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/// Jlama with fp32 weights and activations. Of our families, it supports GPT-2.
///
/// It processes one text at a time. Its embedding call pools states before the last norm, so norm and pooling are
/// done here, and ids come from our tokenizer: only its forward pass is measured.
public final class JlamaPeer implements Peer {
    private static final float EPSILON = 1e-5f;

    /// Block size in rows of its native matrix product (jlama-native 0.8.4 on x86-64). If a batch is longer
    /// than this and not a multiple of it, the remaining rows are wrong. So parts consist of whole blocks, and
    /// the rest, which is shorter than a block and correct, is a separate part.
    private static final int BLOCK = 5;

    /// Its own default is 256.
    private static final int BATCH_TOKENS = 51 * BLOCK;

    private static final AtomicBoolean STARTED = new AtomicBoolean();

    @Override
    public String name() {
        return "jlama";
    }

    @Override
    public String description() {
        return "Jlama 0.8.4, fp32, one text at a time";
    }

    @Override
    public Optional<Embedder> embedder(ModelShape shape, Path checkpoint, int threads, int maxTokens) {
        return shape.family() == ModelShape.Family.GPT2
                ? Optional.of(new JlamaEmbedder(shape, checkpoint, threads, maxTokens))
                : Optional.empty();
    }

    private static final class JlamaEmbedder implements Embedder {
        private final AbstractModel model;
        private final KvBufferCache cache;
        private final Tokenizer tokenizer;
        private final DecoderTensors.Affine norm;
        private final int hidden;
        private final int maxTokens;

        JlamaEmbedder(ModelShape shape, Path checkpoint, int threads, int maxTokens) {
            File directory = checkpoint.toFile();
            // Its number of threads can be set only once per process; a second call throws.
            Optional<Integer> first = STARTED.getAndSet(true) ? Optional.empty() : Optional.of(threads);
            model = ModelSupport.loadModel(directory, directory, DType.F32, DType.F32, Optional.empty(), first);
            cache = new KvBufferCache(model);
            tokenizer = Tokenizer.load(checkpoint);
            try (DecoderTensors tensors = DecoderTensors.open(shape, checkpoint)) {
                norm = tensors.finalNorm();
            }
            hidden = shape.hidden();
            this.maxTokens = maxTokens;
        }

        @Override
        public float[][] embed(List<String> texts) {
            return texts.stream().map(this::embed).toArray(float[][]::new);
        }

        private float[] embed(String text) {
            int[] ids = tokenizer.encode(text, false, maxTokens);
            double[] sums = new double[hidden];
            try (KvBufferCache.KvBuffer buffer = cache.getEphemeralKvBuffer()) {
                // It could split texts itself, but would return only the states of the last part.
                for (int from = 0; from < ids.length; ) {
                    int left = Math.min(BATCH_TOKENS, ids.length - from);
                    int count = left < BLOCK ? left : left / BLOCK * BLOCK;
                    int[] part = Arrays.copyOfRange(ids, from, from + count);
                    try (AbstractTensor<?, ?> states = model.batchForward(part, from, buffer)) {
                        addStates(states, from, count, sums);
                    }
                    from += count;
                }
            }
            float[] pooled = new float[hidden];
            for (int c = 0; c < hidden; c++) {
                pooled[c] = (float) (2 * sums[c] / ((double) ids.length * (ids.length + 1)));
            }
            return pooled;
        }

        /// Adds the layer norm of each state, weighted by its position from 1.
        private void addStates(AbstractTensor<?, ?> states, int first, int tokens, double[] sums) {
            float[] row = new float[hidden];
            for (int t = 0; t < tokens; t++) {
                double mean = 0;
                for (int c = 0; c < hidden; c++) {
                    row[c] = states.get(t, c);
                    mean += row[c];
                }
                mean /= hidden;
                double variance = 0;
                for (float value : row) {
                    variance += (value - mean) * (value - mean);
                }
                double position = first + t + 1;
                double scale = position / Math.sqrt(variance / hidden + EPSILON);
                for (int c = 0; c < hidden; c++) {
                    sums[c] += (row[c] - mean) * scale * norm.weight()[c] + position * norm.bias()[c];
                }
            }
        }

        @Override
        public void close() {
            model.close();
        }
    }
}
