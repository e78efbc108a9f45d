package io.github.sgpt4j.server.batching;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/// Computes one batch each time it is told to, and tells which.
final class Stepped implements Operation<Stepped.Item, String> {
    static final long SECONDS = 60;

    private final BlockingQueue<List<String>> begun = new LinkedBlockingQueue<>();
    private final Semaphore steps = new Semaphore(0);

    /// @param failure thrown when it is computed, if there is one
    record Item(String name, int tokens, Throwable failure) {
        Item(String name, int tokens) {
            this(name, tokens, null);
        }
    }

    @Override
    public int tokens(Item item) {
        return item.tokens();
    }

    @Override
    public List<String> compute(List<Item> items) {
        begun.add(items.stream().map(Item::name).toList());
        steps.acquireUninterruptibly();
        for (Item item : items) {
            switch (item.failure()) {
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                case null, default -> {}
            }
        }
        return items.stream().map(item -> item.name() + "!").toList();
    }

    /// Waits until a batch has begun: the names of its items.
    List<String> batch() {
        try {
            List<String> batch = begun.poll(SECONDS, TimeUnit.SECONDS);
            assertNotNull(batch, "no batch began in time");
            return batch;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /// Finishes the batch at hand.
    void step() {
        steps.release();
    }

    /// Finishes all batches from now on.
    void go() {
        steps.release(1 << 20);
    }

    /// Number of batches that have begun and that nobody has asked for.
    int others() {
        return begun.size();
    }
}
