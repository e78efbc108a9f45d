package io.github.sgpt4j.jmh.peers;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import io.github.sgpt4j.jmh.ModelShape;
import io.github.sgpt4j.jmh.Peer;
import java.nio.file.Path;
import java.util.Optional;

/// Deep Java Library with PyTorch, fp32, and the Rust tokenizers.
public final class DjlPeer implements Peer {
    static final String ENGINE = "PyTorch";

    @Override
    public String name() {
        return "djl";
    }

    @Override
    public String description() {
        Package library = Engine.class.getPackage();
        return "DJL %s with PyTorch 2.7.1, fp32, batches of %d"
                .formatted(
                        Optional.ofNullable(library.getImplementationVersion()).orElse("0.35.1"), Padding.BATCH);
    }

    /// The number of threads is fixed when the engine starts.
    private static NDManager manager(int threads) {
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
        System.setProperty("ai.djl.pytorch.num_threads", Integer.toString(threads));
        System.setProperty("ai.djl.pytorch.num_interop_threads", "1");
        return NDManager.newBaseManager(Device.cpu(), ENGINE);
    }

    @Override
    public Optional<Embedder> embedder(ModelShape shape, Path checkpoint, int threads, int maxTokens) {
        return Optional.of(new DjlEmbedder(manager(threads), shape, checkpoint, maxTokens));
    }

    @Override
    public Optional<Trainer> trainer(ModelShape shape, Path checkpoint, int threads, int maxTokens) {
        return shape.family() == ModelShape.Family.GPT_NEO
                ? Optional.of(new DjlTrainer(manager(threads), shape, checkpoint, maxTokens))
                : Optional.empty();
    }

    @Override
    public Optional<Scorer> scorer(ModelShape shape, Path checkpoint, int threads) {
        return Optional.of(new DjlScorer(manager(threads), shape, checkpoint));
    }

    @Override
    public Optional<Encoder> encoder(Path checkpoint) {
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
        return Optional.of(new RustTokenizer(checkpoint, 0));
    }
}
