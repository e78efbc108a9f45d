package io.github.sgpt4j.spark;

import com.sun.management.OperatingSystemMXBean;
import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.VectorStorage;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/// A program, no test: how fast the built-in model embeds the demo corpus through Spark, in this process,
/// beside the engine alone, in turn; and how large vectors and index become.
///
/// Arguments: rounds, and a folder for results.
final class SparkSpeed {
    private static final int DOCUMENTS = 4000;
    private static final double NANOS = 1e9;

    private SparkSpeed() {}

    private record Times(double seconds, double processor) {
        static Times of(Runnable work) {
            OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
            long start = System.nanoTime();
            long processor = system.getProcessCpuTime();
            work.run();
            return new Times((System.nanoTime() - start) / NANOS, (system.getProcessCpuTime() - processor) / NANOS);
        }
    }

    public static void main(String[] args) throws IOException {
        int rounds = Integer.parseInt(args[0]);
        List<Document> documents = Corpus.documents(DOCUMENTS);
        List<String> texts = documents.stream().map(Document::joined).toList();
        Dataset<Row> rows = Corpus.rows(documents).repartition(4).cache();
        rows.count();
        SgptEmbedder embedder = new SgptEmbedder().setInputCol("text").setTitleCol("title");
        List<Times> plain = new ArrayList<>();
        List<Times> spark = new ArrayList<>();
        try (BiEncoder encoder = NanoModel.open()) {
            for (int i = 0; i <= rounds; i++) {
                plain.add(Times.of(() -> encoder.embedDocuments(texts)));
                spark.add(Times.of(() -> embedder.transform(rows)
                        .write()
                        .format("noop")
                        .mode("overwrite")
                        .save()));
            }
        }
        // The first round warms up.
        for (int i = 1; i <= rounds; i++) {
            System.out.printf(
                    Locale.ROOT,
                    "engine %.1f texts/s, Spark %.1f texts/s, ratio %.3f; by processor time %.3f%n",
                    DOCUMENTS / plain.get(i).seconds,
                    DOCUMENTS / spark.get(i).seconds,
                    plain.get(i).seconds / spark.get(i).seconds,
                    plain.get(i).processor / spark.get(i).processor);
        }
        sizes(embedder.transform(rows), Path.of(args[1]));
        Corpus.session().stop();
    }

    private static void sizes(Dataset<Row> embedded, Path folder) throws IOException {
        String vectors = folder.resolve("vectors").toString();
        embedded.select("embedding").write().parquet(vectors);
        String all = folder.resolve("all").toString();
        embedded.write().parquet(all);
        System.out.printf(
                Locale.ROOT,
                "Parquet: vectors %.3f bytes per float, everything else %.0f bytes per document%n",
                bytes(Path.of(vectors)) / 256.0 / DOCUMENTS,
                (bytes(Path.of(all)) - bytes(Path.of(vectors))) / (double) DOCUMENTS);
        for (VectorStorage storage : VectorStorage.values()) {
            IndexSummary summary = SgptIndexer.DEFAULT
                    .withStorage(storage)
                    .withOptimize(true)
                    .write(embedded, folder.resolve(storage.name()).toString());
            System.out.printf(
                    Locale.ROOT,
                    "index %s: %.0f bytes per document%n",
                    storage,
                    summary.bytes() / (double) summary.documents());
        }
    }

    private static long bytes(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            long sum = 0;
            for (Path file :
                    files.filter(f -> f.toString().endsWith(".parquet")).toList()) {
                sum += Files.size(file);
            }
            return sum;
        }
    }
}
