package io.github.sgpt4j.jmh;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.function.LongSupplier;

/// How much a task allocates on the heap, and how large the live heap is while it runs.
final class Footprint {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final long PAUSE_MILLIS = 20;
    private static final int MIN_LOOKS = 10;

    private Footprint() {}

    /// Bytes allocated by all threads together.
    static long allocated(Runnable work) {
        long before = THREADS.getTotalThreadAllocatedBytes();
        work.run();
        return THREADS.getTotalThreadAllocatedBytes() - before;
    }

    /// The largest live heap observed during the task, in bytes, without what was live before it and without
    /// `known`, which is read again at each sample. Another thread forces full collections as often as it can,
    /// so the task runs slowly; a short task is repeated.
    static long largestLive(Runnable work, LongSupplier known) {
        long before = live();
        Watch watch = new Watch(before, known);
        Thread thread = Thread.ofPlatform().daemon().name("footprint").start(watch);
        try {
            do {
                work.run();
            } while (watch.looks < MIN_LOOKS);
            watch.stopped = true;
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        return watch.most;
    }

    /// Bytes that are live now, after a full collection.
    static long live() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private static final class Watch implements Runnable {
        private final long before;
        private final LongSupplier known;
        private volatile boolean stopped;
        private volatile long most;
        private volatile int looks;

        Watch(long before, LongSupplier known) {
            this.before = before;
            this.known = known;
        }

        @Override
        public void run() {
            while (!stopped) {
                try {
                    Thread.sleep(PAUSE_MILLIS);
                } catch (InterruptedException e) {
                    return;
                }
                // Read first: results that finish meanwhile count as activations, which overestimates the heap.
                long finished = known.getAsLong();
                long now = live() - before - finished;
                if (!stopped) {
                    most = Math.max(most, now);
                    looks = looks + 1;
                }
            }
        }
    }
}
