package io.github.sgpt4j.examples.spark;

import io.github.sgpt4j.spark.IndexSummary;
import io.github.sgpt4j.spark.SgptEmbedder;
import io.github.sgpt4j.spark.SgptIndexer;
import io.github.sgpt4j.spark.partition.EngineSettings;
import java.io.IOException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Embeds a corpus of JSON Lines (`_id`, `title`, `text`, as of BEIR) to Parquet, and indexes it.
public final class EmbedAndIndex {
    private static final Logger LOG = LoggerFactory.getLogger(EmbedAndIndex.class);
    private static final String USAGE =
            "expected CORPUS OUTPUT PARTITIONS [MODEL [DEVICE]]: a file or folder of JSON Lines, a folder that is empty or absent,"
                    + " a number of tasks and shards, and a model's folder on each executor (default: the built-in model); a device (default: auto)";

    private EmbedAndIndex() {}

    /// @param args `CORPUS OUTPUT PARTITIONS [MODEL [DEVICE]]`
    /// @throws IOException if the output cannot be written
    public static void main(String[] args) throws IOException {
        if (args.length < 3 || args.length > 5) {
            throw new IllegalArgumentException(USAGE);
        }
        try (SparkSession spark =
                SparkSession.builder().appName("sgpt4j: embed and index").getOrCreate()) {
            Dataset<Row> corpus = read(spark, args[0]).repartition(Integer.parseInt(args[2]));
            EngineSettings settings = EngineSettings.DEFAULT
                    .withModel(args.length > 3 ? args[3] : "")
                    .withDevice(args.length > 4 ? args[4] : "auto");
            IndexSummary summary = run(corpus, args[1], settings);
            LOG.info("{}: {}", args[1], summary);
        }
    }

    /// A corpus; other keys of its lines are left out.
    static Dataset<Row> read(SparkSession spark, String corpus) {
        return spark.read().schema("_id STRING, title STRING, text STRING").json(corpus);
    }

    /// Writes `OUTPUT/vectors`, Parquet with the column `embedding`, and `OUTPUT/index`, a shard for each
    /// partition.
    static IndexSummary run(Dataset<Row> corpus, String output, EngineSettings settings) throws IOException {
        String vectors = output + "/vectors";
        new SgptEmbedder()
                .setInputCol("text")
                .setTitleCol("title")
                .setModel(settings.model())
                .setDevice(settings.device())
                .transform(corpus)
                .write()
                .parquet(vectors);
        // Read again, so that nothing is embedded twice.
        Dataset<Row> embedded = corpus.sparkSession().read().parquet(vectors);
        return SgptIndexer.DEFAULT.withSettings(settings).write(embedded, output + "/index");
    }
}
