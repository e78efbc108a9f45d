package io.github.sgpt4j.jmh;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;

/// A library to be measured; operations that it does not support are empty. Implementations other than [Ours] are
/// found as services.
public interface Peer {
    /// Short name for parameters and tables.
    String name();

    /// Library and version, for reports.
    String description();

    /// Embeds texts with the position-weighted mean (SGPT) of the final hidden states.
    ///
    /// @param maxTokens texts are truncated to this many tokens
    default Optional<Embedder> embedder(ModelShape shape, Path checkpoint, int threads, int maxTokens) {
        return Optional.empty();
    }

    /// Differentiates such embeddings with respect to all biases.
    ///
    /// @param maxTokens texts are truncated to this many tokens
    default Optional<Trainer> trainer(ModelShape shape, Path checkpoint, int threads, int maxTokens) {
        return Optional.empty();
    }

    /// Scores documents for queries with SGPT's prompt.
    default Optional<Scorer> scorer(ModelShape shape, Path checkpoint, int threads) {
        return Optional.empty();
    }

    /// Tokenizes on one thread.
    default Optional<Encoder> encoder(Path checkpoint) {
        return Optional.empty();
    }

    /// Multiplies `x · Wᵀ`.
    ///
    /// @param x `[rows, in]`
    /// @param w `[out, in]`
    default Optional<Product> product(int rows, int in, int out, float[] x, float[] w, int threads) {
        return Optional.empty();
    }

    /// Texts to vectors.
    interface Embedder extends AutoCloseable {
        float[][] embed(List<String> texts);

        @Override
        void close();
    }

    /// Texts to the gradients of biases. The loss of a text is the product of its embedding with a given direction, so
    /// that each batch can be computed alone, forward and backward.
    interface Trainer extends AutoCloseable {
        /// Computes the losses, and the gradients of their sum.
        ///
        /// @param directions `[texts][hidden]`
        /// @return the loss of each text
        float[] step(List<String> texts, float[][] directions);

        /// The gradients of the last step: those of all biases by name of the stored tensor.
        Map<String, float[]> gradients();

        /// Seconds spent on the way back in all steps so far.
        double backwardSeconds();

        /// Bytes of memory that the forward pass of some texts, computed together, keeps for the way back, measured.
        long keptBytes(List<String> texts);

        @Override
        void close();
    }

    /// A query and documents to scores.
    interface Scorer extends AutoCloseable {
        float[] score(String query, List<String> documents);

        @Override
        void close();
    }

    /// A text to token ids.
    interface Encoder extends AutoCloseable {
        int[] encode(String text);

        @Override
        void close();
    }

    /// One matrix product, ready to run.
    interface Product extends AutoCloseable {
        void run();

        /// The result of the last run, `[rows, out]`.
        float[] result();

        @Override
        void close();
    }

    /// All available libraries, ours first.
    static List<Peer> all() {
        List<Peer> peers = new java.util.ArrayList<>(List.of(new Ours()));
        ServiceLoader.load(Peer.class).forEach(peers::add);
        return peers;
    }

    /// The library with a given name.
    static Peer named(String name) {
        return all().stream()
                .filter(peer -> peer.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "unknown library \"" + name + "\"; all except \"ours\" need the profile \"peers\""));
    }
}
