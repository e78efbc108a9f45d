package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.passage.PassageOptions;
import java.util.Objects;
import java.util.Optional;

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
/// @param passages how long documents are split; empty for what an index has, or for a new one what suits
///     its model ([PassageOptions#of(io.github.sgpt4j.BiEncoder)])
public record IndexOptions(VectorStorage storage, int connections, int beamWidth, Optional<PassageOptions> passages) {
    /// 32-bit vectors and a graph that finds 98 of 100 nearest neighbours.
    public static final IndexOptions DEFAULT = new IndexOptions(VectorStorage.FLOAT32, 16, 100);

    private static final int MAX_CONNECTIONS = 512;
    private static final int MAX_BEAM_WIDTH = 3200;

    /// @throws IllegalArgumentException if `connections` is not 2 to 512, or `beamWidth` not 1 to 3200
    public IndexOptions {
        Objects.requireNonNull(storage, "storage");
        Objects.requireNonNull(passages, "passages");
        if (connections < 2 || connections > MAX_CONNECTIONS) {
            throw new IllegalArgumentException(
                    "connections: expected 2 to %d, got %d".formatted(MAX_CONNECTIONS, connections));
        }
        if (beamWidth < 1 || beamWidth > MAX_BEAM_WIDTH) {
            throw new IllegalArgumentException(
                    "beam width: expected 1 to %d, got %d".formatted(MAX_BEAM_WIDTH, beamWidth));
        }
    }

    /// Leaves open how long documents are split.
    ///
    /// @throws IllegalArgumentException if `connections` is not 2 to 512, or `beamWidth` not 1 to 3200
    public IndexOptions(VectorStorage storage, int connections, int beamWidth) {
        this(storage, connections, beamWidth, Optional.empty());
    }

    /// With another storage of vectors.
    public IndexOptions withStorage(VectorStorage value) {
        return new IndexOptions(value, connections, beamWidth, passages);
    }

    /// With this many neighbours of a vector in the graph.
    ///
    /// @throws IllegalArgumentException if not 2 to 512
    public IndexOptions withConnections(int value) {
        return new IndexOptions(storage, value, beamWidth, passages);
    }

    /// With this many candidates considered when a vector is put into the graph.
    ///
    /// @throws IllegalArgumentException if not 1 to 3200
    public IndexOptions withBeamWidth(int value) {
        return new IndexOptions(storage, connections, value, passages);
    }

    /// With long documents split in this way, or with [PassageOptions#OFF] not split.
    public IndexOptions withPassages(PassageOptions value) {
        return new IndexOptions(storage, connections, beamWidth, Optional.of(value));
    }

    /// As they are of an index: whatever is left open is decided.
    ///
    /// @param open what takes the place of passages that are left open
    IndexOptions decided(PassageOptions open) {
        return withPassages(passages.orElse(open));
    }
}
