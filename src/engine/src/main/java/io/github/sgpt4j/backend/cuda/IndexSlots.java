package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.cuda.ffi.Driver;
import io.github.sgpt4j.backend.cuda.ffi.Streams;
import io.github.sgpt4j.backend.cuda.memory.DeviceBuffer;
import io.github.sgpt4j.backend.cuda.memory.PinnedBuffer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/// Memory for the index arrays of batches under way, and of pooling and scores. They are copied on a stream of their
/// own, so that the next batch's arrive while this one is computed; events keep the two streams from overtaking one
/// another.
final class IndexSlots {
    /// Memory on both sides.
    ///
    /// @param capacity ints
    /// @param uploaded recorded on the upload stream behind the last copy
    /// @param consumed recorded on the compute stream behind the last use
    private record Slot(DeviceBuffer device, PinnedBuffer host, int capacity, long uploaded, long consumed) {}

    /// What lies in a slot. Closing gives the slot back.
    private final class InSlot implements IndexArrays.Memory {
        private final Slot slot;

        private InSlot(Slot slot) {
            this.slot = slot;
        }

        @Override
        public long address() {
            return slot.device.address();
        }

        @Override
        public void close() {
            give(slot);
        }
    }

    private static final int MIN_CAPACITY = 1 << 14;

    /// Slots that wait for queued work before a further upload waits with them instead of taking another: those of two
    /// batches under way, each with its index and what it is pooled by.
    private static final int MAX_WAITING = 4;

    private final CudaEngine engine;
    /// Given back, longest ago first: the compute stream is done with the first one first.
    private final List<Slot> free = new ArrayList<>();

    private final List<Slot> all = new ArrayList<>();

    IndexSlots(CudaEngine engine) {
        this.engine = engine;
    }

    /// Copies `data` to the device; what is queued on the compute stream from now on sees it.
    IndexArrays.Memory upload(int[] data) {
        Slot slot = take(data.length);
        Streams.synchronizeEvent(slot.uploaded);
        MemorySegment.copy(data, 0, slot.host.memory(), ValueLayout.JAVA_INT, 0, data.length);
        Streams.streamWait(engine.uploads(), slot.consumed);
        Streams.copyIn(slot.device.address(), slot.host.memory(), (long) data.length * Integer.BYTES, engine.uploads());
        Streams.recordEvent(slot.uploaded, engine.uploads());
        Streams.streamWait(engine.compute(), slot.uploaded);
        return new InSlot(slot);
    }

    /// A slot that nothing uses any more, or a new one; only if many wait, one that queued work still uses.
    private synchronized Slot take(int ints) {
        int first = -1;
        int waiting = 0;
        for (int i = 0; i < free.size(); i++) {
            Slot slot = free.get(i);
            if (slot.capacity >= ints) {
                if (Streams.isDone(slot.consumed)) {
                    return free.remove(i);
                }
                first = first < 0 ? i : first;
                waiting++;
            }
        }
        return waiting < MAX_WAITING ? make(ints) : free.remove(first);
    }

    private Slot make(int ints) {
        int capacity = Math.max(MIN_CAPACITY, ints <= 1 << 29 ? Integer.highestOneBit(ints) * 2 : ints);
        long bytes = (long) capacity * Integer.BYTES;
        List<Runnable> made = new ArrayList<>();
        try {
            DeviceBuffer device = engine.memory().takeExactly(bytes, engine.uploads());
            made.add(device::close);
            PinnedBuffer host = engine.pinned().take(bytes);
            made.add(() -> engine.pinned().give(host));
            long uploaded = Streams.createEvent();
            made.add(() -> Streams.destroyEvent(uploaded));
            Slot slot = new Slot(device, host, capacity, uploaded, Streams.createEvent());
            all.add(slot);
            return slot;
        } catch (RuntimeException e) {
            made.reversed().forEach(Runnable::run);
            throw e;
        }
    }

    /// Gives a slot back; the compute stream may still be using it.
    private void give(Slot slot) {
        if (!engine.isClosed() && !engine.isLost()) {
            // After a failure that ends the context the slot stays out of use.
            boolean recorded =
                    engine.call(() -> Streams.tryRecordEvent(slot.consumed, engine.compute()) == Driver.SUCCESS);
            if (recorded) {
                synchronized (this) {
                    free.add(slot);
                }
            }
        }
    }

    /// For the engine's end, which frees the memory.
    synchronized void destroyEvents() {
        for (Slot slot : all) {
            Streams.destroyEvent(slot.uploaded);
            Streams.destroyEvent(slot.consumed);
        }
        all.clear();
        free.clear();
    }
}
