package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.ProgressListener;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import io.github.sgpt4j.retrieval.interrupts.SteadyThread;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/// Computes the results that are not on disk yet, in pieces; each piece is on disk before the next
/// begins. A key that occurs several times in a call is computed once, so that it has one result. Safe
/// to share between threads.
final class ResultCache implements AutoCloseable {
    /// Results computed together; at most this many are lost by an interruption.
    static final int PIECE = 256;

    private final Optional<Disk> disk;
    private final int dimension;
    private final LongAdder computed = new LongAdder();
    private final LongAdder found = new LongAdder();

    /// @param thread the only one that uses the log
    private record Disk(VectorLog log, SteadyThread thread) {
        Map<TextKey, float[]> find(Set<TextKey> keys) {
            return call(() -> {
                Map<TextKey, float[]> rows = new HashMap<>();
                for (TextKey key : keys) {
                    log.find(key).ifPresent(row -> rows.put(key, row));
                }
                return rows;
            });
        }

        void add(List<TextKey> keys, float[][] rows) {
            call(() -> {
                log.add(keys, rows);
                return log;
            });
        }

        private <T> T call(SteadyThread.Work<T> work) {
            try {
                return thread.call(work);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /// Computes results.
    @FunctionalInterface
    interface Work {
        /// @param indices of the requested results
        /// @return `[indices][dimension]`
        float[][] compute(List<Integer> indices, ProgressListener progress);
    }

    private ResultCache(Optional<Disk> disk, int dimension) {
        this.disk = disk;
        this.dimension = dimension;
    }

    /// @param kind prefix of the folder's name
    /// @param identity everything that results depend on besides texts
    /// @param notices told once if stored results are damaged
    static ResultCache open(Path directory, String kind, String identity, int dimension, Consumer<String> notices)
            throws IOException {
        TextKey key = TextKey.of(identity);
        Path folder = directory.resolve("%s-%016x%016x".formatted(kind, key.high(), key.low()));
        SteadyThread thread = new SteadyThread("sgpt4j-cache", folder + ": the cache is closed");
        try {
            VectorLog log = thread.call(() -> VectorLog.open(folder, dimension, notices));
            return new ResultCache(Optional.of(new Disk(log, thread)), dimension);
        } catch (IOException | RuntimeException | Error e) {
            thread.close();
            throw e;
        }
    }

    /// A cache that keeps nothing.
    static ResultCache none(int dimension) {
        return new ResultCache(Optional.empty(), dimension);
    }

    /// Results for keys, in their order.
    ///
    /// @return `[keys][dimension]`; equal keys share a row
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted before everything
    ///     is computed; pieces computed before are on disk
    float[][] get(List<TextKey> keys, Work work, ProgressListener progress) {
        float[][] results = new float[keys.size()][];
        Map<TextKey, float[]> known = find(keys);
        Map<TextKey, List<Integer>> missing = new LinkedHashMap<>();
        for (int i = 0; i < results.length; i++) {
            TextKey key = keys.get(i);
            float[] row = known.get(key);
            if (row == null) {
                missing.computeIfAbsent(key, k -> new ArrayList<>()).add(i);
            } else {
                results[i] = row;
            }
        }
        found.add(known.size());
        compute(missing, work, progress, results);
        return results;
    }

    private Map<TextKey, float[]> find(List<TextKey> keys) {
        return disk.isPresent() ? disk.get().find(new LinkedHashSet<>(keys)) : Map.of();
    }

    private void compute(Map<TextKey, List<Integer>> missing, Work work, ProgressListener progress, float[][] results) {
        List<TextKey> keys = List.copyOf(missing.keySet());
        List<Integer> places = missing.values().stream().map(List::getFirst).toList();
        int ready = results.length - keys.size();
        progress.update(ready, results.length);
        for (int from = 0; from < keys.size(); from += PIECE) {
            int to = Math.min(from + PIECE, keys.size());
            long before = (long) ready + from;
            Interrupts.check("computing results that are not cached", from, keys.size());
            float[][] rows = work.compute(
                    places.subList(from, to), (done, total) -> progress.update(before + done, results.length));
            for (int i = 0; i < rows.length; i++) {
                check(rows[i]);
                for (int place : missing.getOrDefault(keys.get(from + i), List.of())) {
                    results[place] = rows[i];
                }
            }
            if (disk.isPresent()) {
                disk.get().add(keys.subList(from, to), rows);
            }
            computed.add(rows.length);
        }
        progress.update(results.length, results.length);
    }

    private void check(float[] row) {
        if (row.length != dimension) {
            throw new IllegalStateException("expected %d numbers, got %d".formatted(dimension, row.length));
        }
        for (float value : row) {
            if (!Float.isFinite(value)) {
                // The engine's encoders compute none; other implementations of the interfaces may.
                throw new FormatException("model: expected finite numbers, computed %s".formatted(value));
            }
        }
    }

    /// Number of results that were computed.
    long computed() {
        return computed.sum();
    }

    /// Number of results that were on disk.
    long found() {
        return found.sum();
    }

    @Override
    public synchronized void close() throws IOException {
        if (disk.isPresent() && !disk.get().thread.isClosed()) {
            try {
                disk.get().thread.call(() -> {
                    disk.get().log.close();
                    return disk;
                });
            } finally {
                disk.get().thread.close();
            }
        }
    }
}
