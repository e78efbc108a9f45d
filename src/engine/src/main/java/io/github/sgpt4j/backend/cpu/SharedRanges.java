package io.github.sgpt4j.backend.cpu;

import java.util.concurrent.atomic.AtomicLongArray;

/// Indices `[0, count)`, divided so that each part goes through consecutive ones, whose data can be
/// prefetched. A part that runs out takes half of what another has left. Every index is handed out
/// once.
final class SharedRanges {
    /// For each part, the next index in the upper half and the end in the lower half.
    private final AtomicLongArray ranges;

    private volatile boolean stopped;

    SharedRanges(int count, int parts) {
        ranges = new AtomicLongArray(parts);
        for (int part = 0; part < parts; part++) {
            int from = (int) ((long) count * part / parts);
            int to = (int) ((long) count * (part + 1) / parts);
            ranges.set(part, range(from, to));
        }
    }

    private static long range(int next, int end) {
        return (long) next << 32 | end;
    }

    private static int next(long range) {
        return (int) (range >>> 32);
    }

    private static int end(long range) {
        return (int) range;
    }

    private static int left(long range) {
        return end(range) - next(range);
    }

    /// The next index for a part; −1 if none is left. Only one thread at a time may call this for a
    /// part.
    int take(int part) {
        while (!stopped) {
            long range = ranges.get(part);
            if (left(range) > 0) {
                if (ranges.compareAndSet(part, range, range(next(range) + 1, end(range)))) {
                    return next(range);
                }
            } else if (!refill(part)) {
                return -1;
            }
        }
        return -1;
    }

    /// Stops handing out indices.
    void stop() {
        stopped = true;
    }

    /// Gives a part without indices the second half of the largest other range, if there is any.
    private boolean refill(int part) {
        while (true) {
            int largest = part;
            long range = ranges.get(part);
            for (int other = 0; other < ranges.length(); other++) {
                long candidate = ranges.get(other);
                if (left(candidate) > left(range)) {
                    largest = other;
                    range = candidate;
                }
            }
            if (left(range) <= 0) {
                return false;
            }
            int middle = next(range) + left(range) / 2;
            if (ranges.compareAndSet(largest, range, range(next(range), middle))) {
                ranges.set(part, range(middle, end(range)));
                return true;
            }
        }
    }
}
