package io.github.sgpt4j.backend.cuda.memory;

import io.github.sgpt4j.backend.cuda.ffi.Driver;
import io.github.sgpt4j.backend.cuda.ffi.Streams;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/// Pinned host memory that is kept for reuse. The device's context must be current. Closing frees everything.
public final class PinnedPool implements AutoCloseable {
    private static final long MIN_BYTES = 4096;

    private final List<PinnedBuffer> free = new ArrayList<>();
    private final List<PinnedBuffer> all = new ArrayList<>();

    /// A buffer that no copy uses any more, of a power of two of at least `bytes` bytes.
    public synchronized PinnedBuffer take(long bytes) {
        long size = Math.max(MIN_BYTES, Long.highestOneBit(Math.max(1, bytes - 1)) * 2);
        for (Iterator<PinnedBuffer> i = free.iterator(); i.hasNext(); ) {
            PinnedBuffer buffer = i.next();
            if (buffer.memory().byteSize() == size && Streams.isDone(buffer.event())) {
                i.remove();
                return buffer;
            }
        }
        long event = Streams.createEvent();
        MemorySegment memory;
        try {
            memory = Driver.allocateHost(size);
        } catch (RuntimeException e) {
            Streams.destroyEvent(event);
            throw e;
        }
        PinnedBuffer buffer = new PinnedBuffer(memory, event);
        all.add(buffer);
        return buffer;
    }

    /// As [#take], but waits for one of `most` buffers of this size rather than making another.
    public synchronized PinnedBuffer takeOneOf(int most, long bytes) {
        List<PinnedBuffer> waiting = free.stream()
                .filter(buffer -> buffer.memory().byteSize() == bytes)
                .toList();
        if (waiting.size() >= most) {
            Streams.synchronizeEvent(waiting.getFirst().event());
        }
        return take(bytes);
    }

    /// Gives a buffer back; a stream may still be copying, which the buffer's event tells. After the device was lost
    /// the buffer stays out of use.
    public synchronized void give(PinnedBuffer buffer, long stream) {
        if (Streams.tryRecordEvent(buffer.event(), stream) == Driver.SUCCESS) {
            free.add(buffer);
        }
    }

    /// Gives a buffer back that nothing copies from or to.
    public synchronized void give(PinnedBuffer buffer) {
        free.add(buffer);
    }

    /// Number of buffers made so far.
    synchronized int size() {
        return all.size();
    }

    @Override
    public synchronized void close() {
        for (PinnedBuffer buffer : all) {
            Streams.destroyEvent(buffer.event());
            Driver.freeHost(buffer.memory());
        }
        all.clear();
        free.clear();
    }
}
