package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.error.FormatException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/// What an index says about itself, in every commit.
///
/// @param model whose embeddings it holds
/// @param similarity what embeddings are compared by
/// @param options how it was made
record IndexMetadata(ModelIdentity model, Similarity similarity, IndexOptions options) {
    private static final String FORMAT = "sgpt4j.format";
    private static final String FORMAT_VERSION = "1";
    private static final String SIMILARITY = "sgpt4j.similarity";
    private static final String MODEL = "sgpt4j.model";
    private static final String FINGERPRINT = "sgpt4j.model.fingerprint";
    private static final String DIMENSION = "sgpt4j.model.dimension";
    private static final String POOLING = "sgpt4j.model.pooling";
    private static final String STORAGE = "sgpt4j.vectors";
    private static final String CONNECTIONS = "sgpt4j.hnsw.connections";
    private static final String BEAM_WIDTH = "sgpt4j.hnsw.beamWidth";

    /// For a commit.
    Map<String, String> toUserData() {
        Map<String, String> data = new LinkedHashMap<>();
        data.put(FORMAT, FORMAT_VERSION);
        data.put(SIMILARITY, similarity.toString());
        data.put(MODEL, model.name());
        data.put(FINGERPRINT, model.fingerprint());
        data.put(DIMENSION, Integer.toString(model.dimension()));
        data.put(POOLING, model.pooling());
        data.put(STORAGE, options.storage().name());
        data.put(CONNECTIONS, Integer.toString(options.connections()));
        data.put(BEAM_WIDTH, Integer.toString(options.beamWidth()));
        return data;
    }

    /// Of a commit.
    ///
    /// @throws FormatException if something else made the index
    static IndexMetadata of(Path index, Map<String, String> data) {
        String format = data.get(FORMAT);
        if (format == null) {
            throw new FormatException(index + ": expected an index made by sgpt4j, got another Lucene index");
        }
        if (!format.equals(FORMAT_VERSION)) {
            throw new FormatException("%s: expected an index of format %s, got %s; make it again, or use the version"
                            .formatted(index, FORMAT_VERSION, format)
                    + " of sgpt4j that made it");
        }
        return new IndexMetadata(
                new ModelIdentity(
                        value(index, data, MODEL, name -> name),
                        value(index, data, FINGERPRINT, name -> name),
                        value(index, data, DIMENSION, IndexMetadata::positive),
                        value(index, data, POOLING, name -> name)),
                value(index, data, SIMILARITY, Similarity::parse),
                new IndexOptions(
                        value(index, data, STORAGE, VectorStorage::valueOf),
                        value(index, data, CONNECTIONS, IndexMetadata::positive),
                        value(index, data, BEAM_WIDTH, IndexMetadata::positive)));
    }

    private static int positive(String text) {
        int number = Integer.parseInt(text);
        if (number < 1) {
            throw new IllegalArgumentException(text);
        }
        return number;
    }

    private static <T> T value(Path index, Map<String, String> data, String key, Function<String, T> parser) {
        String text = data.getOrDefault(key, "");
        try {
            T value = parser.apply(text);
            if (value != null) {
                return value;
            }
        } catch (IllegalArgumentException e) {
            // Told below.
        }
        throw new FormatException("%s: broken index: key %s has value \"%s\"".formatted(index, key, text));
    }

    /// Refuses another model than the index was made with: their embeddings do not compare.
    void requireModel(Path index, ModelIdentity other) {
        if (!model.fingerprint().equals(other.fingerprint()) || model.dimension() != other.dimension()) {
            throw new FormatException("%s: this index was made with model %s, and cannot be used with model %s"
                    .formatted(index, model, other));
        }
    }

    /// Refuses another similarity than the index was made for: its graph leads elsewhere.
    void requireSimilarity(Path index, Similarity other) {
        if (similarity != other) {
            throw new FormatException(
                    "%s: this index was made to compare embeddings by %s, and cannot be used to compare them by %s, as the model or an option asks; make it again"
                            .formatted(index, similarity, other));
        }
    }

    void requireOptions(Path index, IndexOptions other) {
        if (!options.equals(other)) {
            throw new FormatException("%s: this index was made with %s, and cannot be changed to %s"
                    .formatted(index, describe(options), describe(other)));
        }
    }

    private static String describe(IndexOptions options) {
        return "vectors of %d bits, %d connections, beam width %d"
                .formatted(bits(options.storage()), options.connections(), options.beamWidth());
    }

    private static int bits(VectorStorage storage) {
        return switch (storage) {
            case FLOAT32 -> 32;
            case INT8 -> 8;
        };
    }
}
