package io.github.sgpt4j.backend.cuda.device;

import io.github.sgpt4j.backend.cuda.ffi.CudaFailure;
import io.github.sgpt4j.backend.cuda.ffi.Driver;
import io.github.sgpt4j.error.BackendException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// Devices that this process has lost, by their numbers. After such a failure the driver answers every call with the
/// same error, in a new context as well, until the process is started again (`cuda.h`, `CUresult`); so nothing is asked
/// of it any more.
public final class LostDevices {
    private static final Map<Integer, String> REASONS = new ConcurrentHashMap<>();

    private LostDevices() {}

    /// Remembers a device if a failure means that it is lost.
    public static void note(int ordinal, BackendException failure) {
        if (failure.getCause() instanceof CudaFailure cause && Driver.endsProcess(cause.status())) {
            REASONS.putIfAbsent(
                    ordinal, "cuda:%d: earlier, %s%s".formatted(ordinal, cause.sentence(), Driver.START_AGAIN));
        }
    }

    /// Why this process cannot use a device any more, or empty if it can.
    public static Optional<String> reason(int ordinal) {
        return Optional.ofNullable(REASONS.get(ordinal));
    }

    /// @throws BackendException if the device is lost
    public static void check(int ordinal) {
        String reason = REASONS.get(ordinal);
        if (reason != null) {
            throw new BackendException(reason);
        }
    }
}
