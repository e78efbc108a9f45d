package io.github.sgpt4j.weightstools.hub;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;

/// Ends transfers that are too slow to be useful. The minimum rate is that of a whole download: each of
/// several simultaneous bodies must reach only its share, so that a slow line may carry them all.
final class RateFloor {
    private final long bytesPerSecond;
    private final Duration window;
    private final LongSupplier clock;
    private final AtomicInteger active = new AtomicInteger();

    /// @param bytesPerSecond minimum rate; 0 for no limit
    /// @param window time over which it is measured
    /// @param clock nanoseconds from an arbitrary start
    RateFloor(long bytesPerSecond, Duration window, LongSupplier clock) {
        this.bytesPerSecond = bytesPerSecond;
        this.window = window;
        this.clock = clock;
    }

    /// Starts measuring a body. The caller closes the meter when the body ends.
    Meter start() {
        active.incrementAndGet();
        return new Meter();
    }

    /// Measures one body. Not thread-safe.
    final class Meter implements AutoCloseable {
        private long began = clock.getAsLong();
        private long bytes;
        private boolean closed;

        /// Counts received bytes.
        ///
        /// @throws TransientException if too few arrived within a window that ends now
        void add(int count) throws TransientException {
            bytes += count;
            long now = clock.getAsLong();
            if (now - began < window.toNanos()) {
                return;
            }
            double seconds = (now - began) / (double) TimeUnit.SECONDS.toNanos(1);
            if (bytes / seconds * active.get() < bytesPerSecond) {
                throw TransientException.slow("fewer than %,d bytes a second arrived over %s"
                        .formatted(bytesPerSecond, Retries.shown(window)));
            }
            began = now;
            bytes = 0;
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                active.decrementAndGet();
            }
        }
    }
}
