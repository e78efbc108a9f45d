package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.retrieval.interrupts.SteadyThread;
import io.github.sgpt4j.text.Quoted;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/// Vectors in memory with exact search: every vector is compared. That is fast enough for some ten
/// thousand documents, and needs no files; [SemanticIndex] is for more, and keeps texts as well. Safe
/// to share between threads.
public final class VectorIndex {
    private final int dimension;
    private final Similarity similarity;

    /// Prepared rows ([Similarity#prepare]) by id, in the order in which ids were added.
    private final Map<String, float[]> rows = new LinkedHashMap<>();

    private final ReadWriteLock lock = new ReentrantReadWriteLock();

    /// A vector found.
    ///
    /// @param similarity higher is nearer
    public record Match(String id, float similarity) {}

    /// An empty index.
    ///
    /// @param dimension of all vectors, at least 1
    /// @param similarity how vectors are compared
    public VectorIndex(int dimension, Similarity similarity) {
        if (dimension < 1) {
            throw new IllegalArgumentException("dimension: expected at least 1, got " + dimension);
        }
        this.dimension = dimension;
        this.similarity = similarity;
    }

    /// Reads an index that [#save] wrote.
    ///
    /// @throws io.github.sgpt4j.error.FormatException if the file is missing, cannot be read, or is not
    ///     such a file
    public static VectorIndex load(Path file) {
        return VectorFile.load(file);
    }

    /// Components of each vector.
    public int dimension() {
        return dimension;
    }

    /// How vectors are compared.
    public Similarity similarity() {
        return similarity;
    }

    /// Number of vectors.
    public int size() {
        lock.readLock().lock();
        try {
            return rows.size();
        } finally {
            lock.readLock().unlock();
        }
    }

    /// Adds a vector, or replaces the one with the same id.
    ///
    /// @param vector `[dimension]`; copied
    /// @throws IllegalArgumentException if it has another dimension, a number is not finite, or the id
    ///     is not valid Unicode
    public void add(String id, float[] vector) {
        check(id);
        float[] row = similarity.prepare(check(vector));
        lock.writeLock().lock();
        try {
            rows.put(id, row);
        } finally {
            lock.writeLock().unlock();
        }
    }

    /// Adds vectors, as [#add(String, float\[\])]; adds none if one of them is invalid.
    ///
    /// @param vectors `[ids][dimension]`
    /// @throws IllegalArgumentException also if there are not as many vectors as ids
    public void add(List<String> ids, float[][] vectors) {
        if (ids.size() != vectors.length) {
            throw new IllegalArgumentException(
                    "vectors: expected %d, one per id, got %d".formatted(ids.size(), vectors.length));
        }
        Map<String, float[]> added = new LinkedHashMap<>();
        for (int i = 0; i < vectors.length; i++) {
            added.put(check(ids.get(i)), similarity.prepare(check(vectors[i])));
        }
        lock.writeLock().lock();
        try {
            rows.putAll(added);
        } finally {
            lock.writeLock().unlock();
        }
    }

    private static String check(String id) {
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(id)) {
            throw new IllegalArgumentException("id: expected text without unpaired surrogates, got " + Quoted.of(id));
        }
        return id;
    }

    private float[] check(float[] vector) {
        return requireVector(vector, dimension);
    }

    /// @throws IllegalArgumentException if a vector has another dimension, or a number that is not
    ///     finite
    static float[] requireVector(float[] vector, int dimension) {
        if (vector.length != dimension) {
            throw new IllegalArgumentException(
                    "vector: expected %d components, got %d".formatted(dimension, vector.length));
        }
        for (float value : vector) {
            if (!Float.isFinite(value)) {
                throw new IllegalArgumentException("vector: expected finite numbers, got " + value);
            }
        }
        return vector;
    }

    /// Removes vectors by id; unknown ids are ignored.
    public void remove(Collection<String> ids) {
        lock.writeLock().lock();
        try {
            ids.forEach(rows::remove);
        } finally {
            lock.writeLock().unlock();
        }
    }

    /// The nearest vectors.
    ///
    /// @param query `[dimension]`
    /// @param limit at most this many, at least 0
    /// @return best first; equal similarities in the order in which their ids were added
    /// @throws IllegalArgumentException if the query does not fit, or `limit` is negative
    public List<Match> search(float[] query, int limit) {
        if (limit < 0) {
            throw new IllegalArgumentException("limit: expected at least 0, got " + limit);
        }
        float[] prepared = similarity.prepare(check(query));
        lock.readLock().lock();
        try {
            return search(prepared, limit, rows);
        } finally {
            lock.readLock().unlock();
        }
    }

    private record Candidate(String id, float similarity, int place) {}

    private List<Match> search(float[] prepared, int limit, Map<String, float[]> among) {
        Comparator<Candidate> worstFirst =
                Comparator.comparing(Candidate::similarity).thenComparing(Candidate::place, Comparator.reverseOrder());
        PriorityQueue<Candidate> best = new PriorityQueue<>(worstFirst);
        int place = 0;
        for (Map.Entry<String, float[]> row : among.entrySet()) {
            Candidate candidate = new Candidate(row.getKey(), similarity.ofPrepared(prepared, row.getValue()), place++);
            if (best.size() < limit) {
                best.add(candidate);
            } else if (limit > 0 && worstFirst.compare(candidate, best.element()) > 0) {
                best.poll();
                best.add(candidate);
            }
        }
        List<Candidate> ranked = new ArrayList<>(best);
        ranked.sort(Collections.reverseOrder(worstFirst));
        return ranked.stream().map(c -> new Match(c.id(), c.similarity())).toList();
    }

    /// Writes all vectors to a safetensors file: first under a temporary name, then renamed, so that a
    /// failure leaves the previous file. With cosine similarity, vectors are written with length 1. A
    /// thread that is interrupted completes the write, and stays interrupted.
    ///
    /// @throws IOException if the file cannot be written
    public void save(Path file) throws IOException {
        Map<String, float[]> copy;
        lock.readLock().lock();
        try {
            copy = new LinkedHashMap<>(rows);
        } finally {
            lock.readLock().unlock();
        }
        SteadyThread.once("sgpt4j-save", () -> {
            VectorFile.save(file, dimension, similarity, copy);
            return file;
        });
    }
}
