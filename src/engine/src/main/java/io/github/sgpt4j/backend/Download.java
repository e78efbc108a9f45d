package io.github.sgpt4j.backend;

/// A running copy from a backend's memory. Closing abandons it; after [#get], closing does nothing.
public interface Download extends AutoCloseable {
    /// Waits for the values, row-major. May be called once, from any thread.
    ///
    /// @throws io.github.sgpt4j.error.BackendException if an earlier operation failed
    float[] get();

    @Override
    void close();

    /// A download that is already complete.
    static Download of(float[] values) {
        return new Download() {
            @Override
            public float[] get() {
                return values;
            }

            @Override
            public void close() {}
        };
    }
}
