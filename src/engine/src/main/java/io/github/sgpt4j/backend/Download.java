package io.github.sgpt4j.backend;

/// Values on their way out of a backend's memory. Closing gives up on them; after [#get] it does nothing.
public interface Download extends AutoCloseable {
    /// Waits for the values, row-major. May be called once, from any thread.
    ///
    /// @throws io.github.sgpt4j.error.BackendException if an operation before has failed
    float[] get();

    @Override
    void close();

    /// Values that are there already.
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
