package io.github.sgpt4j.model;

import io.github.sgpt4j.backend.Tensor;
import java.util.List;

/// Queries, keys and values of tokens that many sequences share at their front, for every layer, as
/// [Decoder#prefix] computed them. Several threads may use it at a time; whoever made it closes it.
public final class CachedPrefix implements AutoCloseable {
    private final int length;
    private final List<Tensor> layers;

    CachedPrefix(int length, List<Tensor> layers) {
        this.length = length;
        this.layers = List.copyOf(layers);
    }

    /// Number of tokens.
    public int length() {
        return length;
    }

    /// `[length, qkvColumns]`.
    Tensor layer(int index) {
        return layers.get(index);
    }

    @Override
    public void close() {
        layers.forEach(Tensor::close);
    }
}
