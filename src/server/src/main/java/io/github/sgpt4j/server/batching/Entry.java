package io.github.sgpt4j.server.batching;

import java.util.List;

/// A request's items, and how many of them are in batches. Guarded by the queue's lock.
final class Entry<T, R> {
    final Operation<T, R> operation;
    final List<T> items;
    final Ticket<R> ticket;
    /// Index of the first item that is in no batch yet.
    int next;

    Entry(Operation<T, R> operation, List<T> items) {
        this.operation = operation;
        this.items = items;
        ticket = new Ticket<>(items.size());
    }

    int nextTokens() {
        return operation.tokens(items.get(next));
    }

    /// Tokens of all items that are in no batch yet.
    long tokensLeft() {
        long tokens = 0;
        for (T item : items.subList(next, items.size())) {
            tokens += operation.tokens(item);
        }
        return tokens;
    }
}
