package io.github.sgpt4j.retrieval;

import java.util.Objects;

/// How an index is made. Fixed once the index exists. Immutable: each `with` method returns a changed
/// copy.
///
/// The graph is HNSW (Malkov and Yashunin 2016).
///
/// @param storage of vectors
/// @param connections neighbours of a vector in the graph, M: more improve recall, and cost memory and
///     time
/// @param beamWidth candidates considered when a vector is put into the graph, efConstruction: more
///     improve recall, and cost time
public record IndexOptions(VectorStorage storage, int connections, int beamWidth) {
    /// 32-bit vectors and a graph that finds 98 of 100 nearest neighbours.
    public static final IndexOptions DEFAULT = new IndexOptions(VectorStorage.FLOAT32, 16, 100);

    private static final int MAX_CONNECTIONS = 512;
    private static final int MAX_BEAM_WIDTH = 3200;

    /// @throws IllegalArgumentException if `connections` is not 2 to 512, or `beamWidth` not 1 to 3200
    public IndexOptions {
        Objects.requireNonNull(storage, "storage");
        if (connections < 2 || connections > MAX_CONNECTIONS) {
            throw new IllegalArgumentException(
                    "connections: expected 2 to %d, got %d".formatted(MAX_CONNECTIONS, connections));
        }
        if (beamWidth < 1 || beamWidth > MAX_BEAM_WIDTH) {
            throw new IllegalArgumentException(
                    "beam width: expected 1 to %d, got %d".formatted(MAX_BEAM_WIDTH, beamWidth));
        }
    }

    /// With another storage of vectors.
    public IndexOptions withStorage(VectorStorage value) {
        return new IndexOptions(value, connections, beamWidth);
    }

    /// With this many neighbours of a vector in the graph.
    ///
    /// @throws IllegalArgumentException if not 2 to 512
    public IndexOptions withConnections(int value) {
        return new IndexOptions(storage, value, beamWidth);
    }

    /// With this many candidates considered when a vector is put into the graph.
    ///
    /// @throws IllegalArgumentException if not 1 to 3200
    public IndexOptions withBeamWidth(int value) {
        return new IndexOptions(storage, connections, value);
    }
}
