package io.github.sgpt4j.jmh;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.function.LongSupplier;

/// What a piece of work allocates on the heap, and how much of the heap is alive while it runs.
final class Footprint {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final long PAUSE_MILLIS = 20;
    private static final int MIN_LOOKS = 10;

    private Footprint() {}

    /// Bytes that all threads together allocate.
    static long allocated(Runnable work) {
        long before = THREADS.getTotalThreadAllocatedBytes();
        work.run();
        return THREADS.getTotalThreadAllocatedBytes() - before;
    }

    /// The largest live heap seen during the work, in bytes beyond what lives before it and beyond `known`, which is
    /// asked again at each look. Another thread forces full collections as often as it can, so work is slow;
    /// short work is repeated.
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

    private static long live() {
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
                // Asked first: what is finished meanwhile counts as activations, which errs on the safe side.
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
