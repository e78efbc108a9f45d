package io.github.sgpt4j.backend.cpu;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A value that is created once, on first use; concurrent callers wait. If creating it fails, the
/// next caller tries again.
final class Lazy<T> {
    private final Supplier<T> maker;
    private volatile @Nullable T value;

    Lazy(Supplier<T> maker) {
        this.maker = maker;
    }

    boolean isMade() {
        return value != null;
    }

    T get() {
        T result = value;
        if (result == null) {
            synchronized (this) {
                result = value;
                if (result == null) {
                    result = maker.get();
                    value = result;
                }
            }
        }
        return result;
    }
}
