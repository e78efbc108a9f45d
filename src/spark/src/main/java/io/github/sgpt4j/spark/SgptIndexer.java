package io.github.sgpt4j.spark;

import io.github.sgpt4j.retrieval.IndexOptions;
import io.github.sgpt4j.retrieval.VectorStorage;
import io.github.sgpt4j.spark.index.DuplicateIds;
import io.github.sgpt4j.spark.index.ShardOutput;
import io.github.sgpt4j.spark.index.ShardReport;
import io.github.sgpt4j.spark.partition.EngineSettings;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.util.SerializableConfiguration;
import org.jspecify.annotations.Nullable;

/// Writes a data set as an index in shards: each partition becomes an index of its own in the format of
/// [SemanticIndex][io.github.sgpt4j.retrieval.SemanticIndex], in `OUTPUT/part-NNNNN` on any file system
/// of Hadoop. Partitions without rows make none. Immutable: each `with` method returns a changed copy.
///
/// A task makes its shard in a folder below `java.io.tmpdir` of its executor, which needs room for it,
/// and copies it to a folder of its attempt. The driver renames one for each partition when all tasks
/// have ended, and then writes `_SUCCESS`: attempts that fail, are repeated or run twice leave nothing.
/// A folder without `_SUCCESS` is not finished.
public final class SgptIndexer {
    /// With the built-in model: ids in `_id`, texts in `text`, titles in `title` and embeddings in
    /// `embedding` if there are such columns.
    public static final SgptIndexer DEFAULT = new SgptIndexer(new Draft());

    private final Draft values;

    /// Values of a changed copy.
    private static final class Draft {
        private EngineSettings settings = EngineSettings.DEFAULT;
        private String id = "_id";
        private String text = "text";
        private @Nullable String title;
        private @Nullable String embedding;
        private List<String> metadata = List.of();
        private IndexOptions options = IndexOptions.DEFAULT;
        private boolean optimize;
        private boolean truncate = true;

        private Draft() {}

        private Draft(Draft other) {
            settings = other.settings;
            id = other.id;
            text = other.text;
            title = other.title;
            embedding = other.embedding;
            metadata = other.metadata;
            options = other.options;
            optimize = other.optimize;
            truncate = other.truncate;
        }
    }

    private SgptIndexer(Draft values) {
        this.values = values;
    }

    private SgptIndexer changed(Consumer<Draft> change) {
        Draft draft = new Draft(values);
        change.accept(draft);
        return new SgptIndexer(draft);
    }

    /// With a model and what it computes on.
    public SgptIndexer withSettings(EngineSettings value) {
        Objects.requireNonNull(value, "settings");
        return changed(draft -> draft.settings = value);
    }

    /// With ids, which must be different and not null, in another column. Numbers are taken as text.
    public SgptIndexer withIdColumn(String name) {
        return changed(draft -> draft.id = name);
    }

    /// With texts, which must not be null, in another column.
    public SgptIndexer withTextColumn(String name) {
        return changed(draft -> draft.text = name);
    }

    /// With titles in a column, which must exist; a null is a document without a title. Title and text
    /// are embedded together.
    public SgptIndexer withTitleColumn(String name) {
        return changed(draft -> draft.title = name);
    }

    /// With embeddings, `array<float>`, in a column, which must exist. They must be those of the same
    /// model for title and text together; each partition's first one is compared with the model's.
    /// Rows whose value is null are embedded.
    public SgptIndexer withEmbeddingColumn(String name) {
        return changed(draft -> draft.embedding = name);
    }

    /// With columns that are kept as metadata, for filters: strings, booleans, numbers, and arrays of one of
    /// them. A null and an empty array are left out.
    public SgptIndexer withMetadataColumns(String... names) {
        List<String> copy = List.of(names);
        return changed(draft -> draft.metadata = copy);
    }

    /// With other options of the index.
    ///
    /// @throws IllegalArgumentException if they ask for passages: rows are embedded as whole documents
    public SgptIndexer withOptions(IndexOptions value) {
        Objects.requireNonNull(value, "options");
        value.passages().filter(passages -> !passages.isOff()).ifPresent(passages -> {
            throw new IllegalArgumentException(
                    "options: expected none of passages, since rows are embedded as whole documents; split them into rows"
                            + " before, got " + passages);
        });
        return changed(draft -> draft.options = value);
    }

    /// With vectors of the graph in 8 bits, or in 32.
    public SgptIndexer withStorage(VectorStorage value) {
        return changed(draft -> draft.options = draft.options.withStorage(value));
    }

    /// With the parts of each shard merged into one, which takes a while and makes searches faster.
    public SgptIndexer withOptimize(boolean value) {
        return changed(draft -> draft.optimize = value);
    }

    /// With texts that are too long cut, which is the default, or refused.
    public SgptIndexer withTruncate(boolean value) {
        return changed(draft -> draft.truncate = value);
    }

    /// Writes the shards, in one job, and compares their ids, in a second one.
    ///
    /// @param output folder on any file system of Hadoop, empty or absent
    /// @throws IOException if the output cannot be written
    /// @throws IllegalArgumentException if a column is missing or of another type
    /// @throws io.github.sgpt4j.error.FormatException if the output is not empty, there are no rows, an id
    ///     occurs more than once, or machines have different models
    public IndexSummary write(Dataset<?> dataset, String output) throws IOException {
        IndexColumns columns = IndexColumns.of(
                dataset.schema(),
                values.id,
                values.text,
                Optional.ofNullable(values.title),
                Optional.ofNullable(values.embedding),
                values.metadata);
        JavaSparkContext spark =
                JavaSparkContext.fromSparkContext(dataset.sparkSession().sparkContext());
        Configuration hadoop = dataset.sparkSession().sessionState().newHadoopConf();
        Broadcast<SerializableConfiguration> configuration = spark.broadcast(new SerializableConfiguration(hadoop));
        ShardOutput to = ShardOutput.begin(output, hadoop);
        boolean done = false;
        try {
            IndexPartition task = new IndexPartition(
                    values.settings,
                    columns,
                    values.options.storage(),
                    values.options.connections(),
                    values.options.beamWidth(),
                    values.optimize,
                    values.truncate,
                    to.attempts(),
                    configuration,
                    TaskResults.cutInputs(dataset.sparkSession()));
            List<ShardReport> shards = columns.select(dataset)
                    .toJavaRDD()
                    .mapPartitionsWithIndex(task, false)
                    .collect();
            DuplicateIds.refuse(spark, shards, configuration);
            to.commit(shards);
            done = true;
            return new IndexSummary(
                    shards.size(),
                    shards.stream().mapToLong(ShardReport::documents).sum(),
                    shards.stream().mapToLong(ShardReport::bytes).sum());
        } finally {
            // Spark throws checked exceptions that it does not declare.
            if (!done) {
                to.abort();
            }
        }
    }
}
