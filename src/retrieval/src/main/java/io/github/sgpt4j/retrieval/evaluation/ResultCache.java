package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.ProgressListener;
import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Computes what is not on disk yet, piece by piece, each of which is on disk before the next is begun. What occurs
/// several times in a call is computed once, so that it has one result.
final class ResultCache implements AutoCloseable {
    /// Results computed together, which is what an interruption may lose.
    static final int PIECE = 256;

    private final Optional<VectorLog> log;
    private final int dimension;
    private long computed;
    private long found;

    /// Computes results.
    @FunctionalInterface
    interface Work {
        /// @param indices of what is wanted
        /// @return `[indices][dimension]`
        float[][] compute(List<Integer> indices, ProgressListener progress);
    }

    private ResultCache(Optional<VectorLog> log, int dimension) {
        this.log = log;
        this.dimension = dimension;
    }

    /// @param kind of results
    /// @param identity everything that results depend on besides texts
    static ResultCache open(Path directory, String kind, String identity, int dimension) throws IOException {
        TextKey key = TextKey.of(identity);
        Path folder = directory.resolve("%s-%016x%016x".formatted(kind, key.high(), key.low()));
        return new ResultCache(Optional.of(VectorLog.open(folder, dimension)), dimension);
    }

    /// A cache that keeps nothing.
    static ResultCache none(int dimension) {
        return new ResultCache(Optional.empty(), dimension);
    }

    /// Results by key, in order.
    ///
    /// @return `[keys][dimension]`; equal keys share a row
    float[][] get(List<TextKey> keys, Work work, ProgressListener progress) {
        float[][] results = new float[keys.size()][];
        Map<TextKey, List<Integer>> missing = new LinkedHashMap<>();
        Map<TextKey, float[]> known = new LinkedHashMap<>();
        for (int i = 0; i < results.length; i++) {
            TextKey key = keys.get(i);
            float[] row = known.get(key);
            if (row == null && !missing.containsKey(key)) {
                row = log.flatMap(l -> l.find(key)).orElse(null);
            }
            if (row == null) {
                missing.computeIfAbsent(key, k -> new ArrayList<>()).add(i);
            } else {
                known.put(key, row);
                results[i] = row;
            }
        }
        found += known.size();
        compute(missing, work, progress, results);
        return results;
    }

    private void compute(Map<TextKey, List<Integer>> missing, Work work, ProgressListener progress, float[][] results) {
        List<TextKey> keys = List.copyOf(missing.keySet());
        List<Integer> places = missing.values().stream().map(List::getFirst).toList();
        int ready = results.length - keys.size();
        progress.update(ready, results.length);
        for (int from = 0; from < keys.size(); from += PIECE) {
            int to = Math.min(from + PIECE, keys.size());
            long before = (long) ready + from;
            float[][] rows = work.compute(
                    places.subList(from, to), (done, total) -> progress.update(before + done, results.length));
            for (int i = 0; i < rows.length; i++) {
                check(rows[i]);
                for (int place : missing.getOrDefault(keys.get(from + i), List.of())) {
                    results[place] = rows[i];
                }
            }
            store(keys.subList(from, to), rows);
            computed += rows.length;
        }
        progress.update(results.length, results.length);
    }

    private void check(float[] row) {
        if (row.length != dimension) {
            throw new IllegalStateException("expected %d numbers, got %d".formatted(dimension, row.length));
        }
        for (float value : row) {
            if (!Float.isFinite(value)) {
                // The engine's encoders give none; what else implements the interfaces may.
                throw new FormatException("model: expected finite numbers, computed %s".formatted(value));
            }
        }
    }

    private void store(List<TextKey> keys, float[][] rows) {
        if (log.isPresent()) {
            try {
                log.get().add(keys, rows);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /// Results that were computed.
    long computed() {
        return computed;
    }

    /// Results that were on disk.
    long found() {
        return found;
    }

    @Override
    public void close() throws IOException {
        if (log.isPresent()) {
            log.get().close();
        }
    }
}
