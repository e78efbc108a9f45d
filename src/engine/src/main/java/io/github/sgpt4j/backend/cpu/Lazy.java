package io.github.sgpt4j.backend.cpu;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A value that is made once, when it is first asked for; whoever asks meanwhile waits. If making fails, the
/// next one who asks tries again.
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
