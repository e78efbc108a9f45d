package io.github.sgpt4j.server.batching;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A batch that is being formed.
final class Forming {
    private final int batchTokens;
    private final List<Part<?, ?>> parts = new ArrayList<>();
    private @Nullable Operation<?, ?> operation;
    private long tokens;
    private int items;

    /// @param batchTokens most tokens, unless a single item has more
    Forming(int batchTokens) {
        this.batchTokens = batchTokens;
    }

    /// So far.
    List<Part<?, ?>> parts() {
        return parts;
    }

    /// That of all parts, once there is one.
    @Nullable
    Operation<?, ?> operation() {
        return operation;
    }

    long tokens() {
        return tokens;
    }

    int items() {
        return items;
    }

    /// Adds what fits of a request's next items.
    ///
    /// @return their tokens
    long add(Entry<?, ?> entry) {
        int from = entry.next;
        long before = tokens;
        while (entry.next < entry.items.size() && (tokens == 0 || tokens + entry.nextTokens() <= batchTokens)) {
            tokens += entry.nextTokens();
            entry.next++;
        }
        if (entry.next > from) {
            operation = entry.operation;
            items += entry.next - from;
            parts.add(part(entry, from));
        }
        return tokens - before;
    }

    private static <T, R> Part<T, R> part(Entry<T, R> entry, int from) {
        entry.ticket.begin();
        return new Part<>(entry, from, entry.items.subList(from, entry.next));
    }
}
