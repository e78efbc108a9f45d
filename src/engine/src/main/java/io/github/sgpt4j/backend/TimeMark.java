package io.github.sgpt4j.backend;

/// A moment between operations, see [Backend#mark].
public interface TimeMark extends AutoCloseable {
    /// Seconds from an earlier mark of the same backend to this one; waits until both are reached.
    double secondsSince(TimeMark earlier);

    @Override
    void close();

    /// This moment, where operations have finished when they return.
    static TimeMark now() {
        return new OfHost(System.nanoTime());
    }

    /// By the processor's clock.
    record OfHost(long nanos) implements TimeMark {
        private static final double NANOS = 1e9;

        @Override
        public double secondsSince(TimeMark earlier) {
            return (nanos - ((OfHost) earlier).nanos) / NANOS;
        }

        @Override
        public void close() {}
    }
}
