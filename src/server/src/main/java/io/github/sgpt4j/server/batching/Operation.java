package io.github.sgpt4j.server.batching;

import java.util.List;

/// Something computed for many items at a time. Items of requests with the same operation, the same object, share
/// batches.
///
/// @param <T> an item
/// @param <R> its result
public interface Operation<T, R> {
    /// Tokens that an item takes up in a batch.
    int tokens(T item);

    /// Computes a batch; called by as many threads as the queue has workers.
    ///
    /// If it fails for items of several requests, it is called again for those of each.
    ///
    /// @return a result for each item, in order
    /// @throws io.github.sgpt4j.error.SgptException if an item cannot be computed
    List<R> compute(List<T> items);
}
