package io.github.sgpt4j.server.routing;

import java.util.concurrent.Semaphore;

/// A part of the memory, given out in blocks. Safe to share between threads.
final class Room {
    /// Bytes of a block.
    static final int BLOCK = 1 << 16;

    private final int blocks;
    private final Semaphore free;

    /// @param bytes of all blocks together; at least one is there
    Room(long bytes) {
        blocks = Math.clamp(bytes / BLOCK, 1, Integer.MAX_VALUE);
        free = new Semaphore(blocks);
    }

    /// Bytes of all blocks together.
    long bytes() {
        return (long) blocks * BLOCK;
    }

    /// The blocks that bytes need; at most all there are, so that nothing is too large for ever.
    int blocks(long bytes) {
        return (int) Math.min(blocks, Math.ceilDiv(bytes, BLOCK));
    }

    /// Takes blocks if that many are free.
    boolean take(int count) {
        return free.tryAcquire(count);
    }

    /// Gives blocks back.
    void give(int count) {
        free.release(count);
    }
}
