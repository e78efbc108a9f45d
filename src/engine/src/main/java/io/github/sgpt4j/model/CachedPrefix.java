package io.github.sgpt4j.model;

import io.github.sgpt4j.backend.Tensor;
import java.util.List;

/// Queries, keys and values of a prefix that many sequences share, for every layer, as computed by
/// [Decoder#prefix]. Safe to share between threads; its creator closes it.
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
