package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.passage.PassageOptions;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.apache.lucene.index.FieldInfo;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.VectorSimilarityFunction;

/// What an index says about itself; part of every commit.
///
/// @param model whose embeddings it holds
/// @param similarity how embeddings are compared
/// @param options how it was made
record IndexMetadata(ModelIdentity model, Similarity similarity, IndexOptions options) {
    private static final String FORMAT = "sgpt4j.format";

    /// Of an index whose documents are one row each.
    private static final int FORMAT_VERSION = 1;

    /// Of an index whose documents may have several passages, each of them a row.
    private static final int FORMAT_OF_PASSAGES = 2;

    /// Names the index among all others, whatever is changed in it. Indexes of earlier versions have none.
    static final String ID = "sgpt4j.id";

    private static final int MAX_SHOWN = 100;
    private static final String SIMILARITY = "sgpt4j.similarity";
    private static final String MODEL = "sgpt4j.model";
    private static final String FINGERPRINT = "sgpt4j.model.fingerprint";
    private static final String DIMENSION = "sgpt4j.model.dimension";
    private static final String POOLING = "sgpt4j.model.pooling";
    private static final String STORAGE = "sgpt4j.vectors";
    private static final String CONNECTIONS = "sgpt4j.hnsw.connections";
    private static final String BEAM_WIDTH = "sgpt4j.hnsw.beamWidth";
    private static final String PASSAGE_TOKENS = "sgpt4j.passages.tokens";
    private static final String PASSAGE_OVERLAP = "sgpt4j.passages.overlap";

    /// Decides what the options leave open: documents are not split.
    IndexMetadata {
        options = options.decided(PassageOptions.OFF);
    }

    /// How long documents are split.
    PassageOptions passages() {
        return options.passages().orElse(PassageOptions.OFF);
    }

    /// As the user data of a commit.
    Map<String, String> toUserData() {
        Map<String, String> data = new LinkedHashMap<>();
        data.put(FORMAT, Integer.toString(passages().isOff() ? FORMAT_VERSION : FORMAT_OF_PASSAGES));
        data.put(SIMILARITY, similarity.toString());
        data.put(MODEL, model.name());
        data.put(FINGERPRINT, model.fingerprint());
        data.put(DIMENSION, Integer.toString(model.dimension()));
        data.put(POOLING, model.pooling());
        data.put(STORAGE, options.storage().name());
        data.put(CONNECTIONS, Integer.toString(options.connections()));
        data.put(BEAM_WIDTH, Integer.toString(options.beamWidth()));
        if (!passages().isOff()) {
            data.put(PASSAGE_TOKENS, Integer.toString(passages().tokens()));
            data.put(PASSAGE_OVERLAP, Integer.toString(passages().overlap()));
        }
        return data;
    }

    /// Whether a commit says that documents may have several passages.
    static boolean hasPassages(Map<String, String> data) {
        return data.containsKey(PASSAGE_TOKENS);
    }

    /// Refuses an index that another program or a newer version made.
    static void requireVersion(Path index, Map<String, String> data) {
        if (!data.containsKey(FORMAT)) {
            throw new FormatException(index + ": expected an index made by sgpt4j, got another Lucene index");
        }
        int version = value(index, data, FORMAT, IndexMetadata::positive);
        if (version > FORMAT_OF_PASSAGES) {
            throw new FormatException(("%s: expected an index of format %d or %d, got %d, from a newer version of"
                            + " sgpt4j; use that version, or %s")
                    .formatted(index, FORMAT_VERSION, FORMAT_OF_PASSAGES, version, IndexDamage.remedy()));
        }
    }

    /// From a commit's user data.
    ///
    /// @throws FormatException if something else made the index, or it is broken
    static IndexMetadata of(Path index, Map<String, String> data) {
        requireVersion(index, data);
        return new IndexMetadata(
                new ModelIdentity(
                        value(index, data, MODEL, name -> name),
                        value(index, data, FINGERPRINT, name -> name),
                        value(index, data, DIMENSION, IndexMetadata::dimension),
                        value(index, data, POOLING, name -> name)),
                value(index, data, SIMILARITY, IndexMetadata::searchable),
                IndexOptions.DEFAULT
                        .withStorage(value(index, data, STORAGE, VectorStorage::valueOf))
                        .withConnections(value(index, data, CONNECTIONS, IndexMetadata::connections))
                        .withBeamWidth(value(index, data, BEAM_WIDTH, IndexMetadata::beamWidth))
                        .withPassages(passages(index, data)));
    }

    private static PassageOptions passages(Path index, Map<String, String> data) {
        if (value(index, data, FORMAT, IndexMetadata::positive) < FORMAT_OF_PASSAGES) {
            return PassageOptions.OFF;
        }
        int tokens = value(
                index,
                data,
                PASSAGE_TOKENS,
                text -> PassageOptions.of(Integer.parseInt(text)).tokens());
        return value(index, data, PASSAGE_OVERLAP, text -> new PassageOptions(tokens, Integer.parseInt(text)));
    }

    private static int positive(String text) {
        int number = Integer.parseInt(text);
        if (number < 1) {
            throw new IllegalArgumentException(text);
        }
        return number;
    }

    private static int dimension(String text) {
        int number = positive(text);
        if (number > VectorCodec.MAX_DIMENSIONS) {
            throw new IllegalArgumentException(text);
        }
        return number;
    }

    private static int connections(String text) {
        return IndexOptions.DEFAULT.withConnections(Integer.parseInt(text)).connections();
    }

    private static int beamWidth(String text) {
        return IndexOptions.DEFAULT.withBeamWidth(Integer.parseInt(text)).beamWidth();
    }

    private static Similarity searchable(String text) {
        Similarity similarity = Similarity.parse(text);
        if (similarity == Similarity.MANHATTAN) {
            throw new IllegalArgumentException(text);
        }
        return similarity;
    }

    private static <T> T value(Path index, Map<String, String> data, String key, Function<String, T> parser) {
        String text = data.get(key);
        if (text == null) {
            throw IndexDamage.broken(index, "expected key %s in its commit, found none".formatted(key), null);
        }
        try {
            return parser.apply(text);
        } catch (IllegalArgumentException e) {
            String shown = text.length() > MAX_SHOWN ? text.substring(0, MAX_SHOWN) + "…" : text;
            throw IndexDamage.broken(index, "key %s of its commit has value \"%s\"".formatted(key, shown), e);
        }
    }

    /// Refuses an index whose vectors differ from what it says.
    void requireVectors(Path index, IndexReader reader) {
        VectorSimilarityFunction function = new VectorSpace(similarity).function();
        for (LeafReaderContext leaf : reader.leaves()) {
            FieldInfo field = leaf.reader().getFieldInfos().fieldInfo(Fields.VECTOR);
            // An index of only documents without tokens has no vectors.
            if (field == null) {
                continue;
            }
            if (field.getVectorDimension() != model.dimension() || field.getVectorSimilarityFunction() != function) {
                throw IndexDamage.broken(
                        index,
                        "expected vectors of dimension %d compared by %s, got dimension %d compared by %s"
                                .formatted(
                                        model.dimension(),
                                        function,
                                        field.getVectorDimension(),
                                        field.getVectorSimilarityFunction()),
                        null);
            }
        }
    }

    /// Whether the index was made with this model.
    boolean isOf(ModelIdentity other) {
        return model.fingerprint().equals(other.fingerprint()) && model.dimension() == other.dimension();
    }

    /// Refuses a model other than the index was made with: their embeddings cannot be compared.
    void requireModel(Path index, ModelIdentity other) {
        if (!isOf(other)) {
            throw new FormatException("%s: this index was %s".formatted(index, model.mismatch(other)));
        }
    }

    /// Refuses a shard that was made in another way than the first one: they are searched as one index.
    void requireSame(Path first, Path shard, IndexMetadata other) {
        other.requireModel(shard, model);
        other.requireSimilarity(shard, similarity);
        if (!options.equals(other.options)) {
            throw new FormatException("%s: expected a shard with %s, as %s, got one with %s"
                    .formatted(shard, describe(options), first, describe(other.options)));
        }
    }

    /// Refuses a similarity other than the index was made for: its graph would lead elsewhere.
    void requireSimilarity(Path index, Similarity other) {
        if (similarity != other) {
            throw new FormatException(
                    ("%s: this index was made to compare embeddings by %s, and cannot be used to compare"
                                    + " them by %s, which the model or an option asks for; make it again")
                            .formatted(index, similarity, other));
        }
    }

    void requireOptions(Path index, IndexOptions other) {
        IndexOptions wanted = other.decided(passages());
        if (!options.equals(wanted)) {
            throw new FormatException(("%s: this index was made with %s, and cannot be changed to %s; leave these"
                            + " options out to keep it as it is, or make another index")
                    .formatted(index, describe(options), describe(wanted)));
        }
    }

    private static String describe(IndexOptions options) {
        return "vectors of %d bits, %d connections, beam width %d, %s"
                .formatted(
                        bits(options.storage()),
                        options.connections(),
                        options.beamWidth(),
                        options.passages().orElse(PassageOptions.OFF));
    }

    private static int bits(VectorStorage storage) {
        return switch (storage) {
            case FLOAT32 -> 32;
            case INT8 -> 8;
        };
    }
}
