package io.github.sgpt4j.examples.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.SemanticIndex;
import io.github.sgpt4j.spark.IndexSummary;
import io.github.sgpt4j.spark.SgptEmbedder;
import io.github.sgpt4j.spark.SgptIndexer;
import io.github.sgpt4j.spark.partition.EngineSettings;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The example on a cluster of two workers, each with executors in processes of their own.
class EmbedAndIndexTest {
    private static final int DOCUMENTS = 120;

    /// The cluster's GPUs are invented.
    private static final EngineSettings CPU = EngineSettings.DEFAULT.withDevice("cpu");

    @TempDir
    private static Path folder;

    private static SparkSession spark;

    @BeforeAll
    static void startCluster() throws IOException {
        // Without jars: executors take this process's class path.
        Files.createDirectories(Path.of(System.getenv("SPARK_HOME"), "jars"));
        Path discovery = folder.resolve("gpus.sh");
        Files.writeString(discovery, "#!/bin/sh\necho '{\"name\": \"gpu\", \"addresses\": [\"5\"]}'\n");
        assertTrue(discovery.toFile().setExecutable(true));
        spark = SparkSession.builder()
                .master("local-cluster[2,1,2048]")
                .appName("test")
                .config("spark.ui.enabled", false)
                .config("spark.driver.host", "localhost")
                .config("spark.executor.memory", "1g")
                .config("spark.worker.resource.gpu.amount", 1)
                .config("spark.worker.resource.gpu.discoveryScript", discovery.toString())
                .config("spark.executor.resource.gpu.amount", 1)
                .config("spark.task.resource.gpu.amount", 1)
                .config("spark.executor.extraClassPath", System.getProperty("java.class.path"))
                .config("spark.sql.shuffle.partitions", 2)
                .config("spark.sql.warehouse.dir", folder.resolve("warehouse").toString())
                .getOrCreate();
    }

    @AfterAll
    static void stopCluster() {
        spark.stop();
    }

    private static Path corpus() throws IOException {
        Path file = folder.resolve("corpus.jsonl");
        List<String> lines = new ArrayList<>();
        try (BufferedReader all =
                new BufferedReader(new InputStreamReader(NanoModel.corpus(), StandardCharsets.UTF_8))) {
            for (int i = 0; i < DOCUMENTS; i++) {
                lines.add(all.readLine());
            }
        }
        Files.write(file, lines);
        return file;
    }

    /// Ends the process of the first task that comes to a row of the second half of its partition.
    private static Dataset<Row> killingAnExecutor(Dataset<Row> rows, String marker, Set<String> fatal) {
        return rows.map(
                (MapFunction<Row, Row>) row -> {
                    if (fatal.contains(row.getString(0)) && first(Path.of(marker))) {
                        Runtime.getRuntime().halt(1);
                    }
                    return row;
                },
                Encoders.row(rows.schema()));
    }

    private static boolean first(Path marker) {
        try {
            Files.createFile(marker);
            return true;
        } catch (FileAlreadyExistsException e) {
            return false;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void nothingIsLostWhenExecutorsAreKilled() throws IOException {
        Dataset<Row> rows = EmbedAndIndex.read(spark, corpus().toString()).repartition(4);
        List<String> ids =
                rows.collectAsList().stream().map(row -> row.getString(0)).toList();
        assertEquals(DOCUMENTS, ids.size());
        Path embedding = folder.resolve("killed-embedding");
        String output = folder.resolve("out").toString();
        IndexSummary summary =
                EmbedAndIndex.run(killingAnExecutor(rows, embedding.toString(), Set.of(ids.get(20))), output, CPU);
        assertTrue(Files.exists(embedding), "no executor was killed");
        assertEquals(DOCUMENTS, summary.documents());
        List<Row> embedded = spark.read().parquet(output + "/vectors").collectAsList();
        requireVectors(embedded);
        requireIndex(Path.of(output, "index"), embedded);

        // An executor that is killed while it writes shards.
        Path indexing = folder.resolve("killed-indexing");
        String again = folder.resolve("again").toString();
        SgptIndexer.DEFAULT
                .withSettings(CPU)
                .write(
                        killingAnExecutor(
                                spark.read().parquet(output + "/vectors"), indexing.toString(), Set.of(ids.get(100))),
                        again);
        assertTrue(Files.exists(indexing), "no executor was killed");
        requireIndex(Path.of(again), embedded);
    }

    /// All of them, with the bits of the plain engine.
    private static void requireVectors(List<Row> embedded) {
        Map<String, String> texts = new TreeMap<>();
        Map<String, float[]> vectors = new TreeMap<>();
        for (Row row : embedded) {
            List<Float> values = row.getList(3);
            float[] vector = new float[values.size()];
            for (int i = 0; i < vector.length; i++) {
                vector[i] = values.get(i);
            }
            texts.put(row.getString(0), row.getString(1) + " " + row.getString(2));
            vectors.put(row.getString(0), vector);
        }
        assertEquals(DOCUMENTS, embedded.size());
        assertEquals(DOCUMENTS, vectors.size());
        try (BiEncoder encoder = NanoModel.open()) {
            assertArrayEquals(
                    encoder.embedDocuments(List.copyOf(texts.values())),
                    vectors.values().toArray(float[][]::new));
        }
    }

    private static void requireIndex(Path index, List<Row> embedded) throws IOException {
        Set<String> found = new TreeSet<>();
        long hits = 0;
        List<Path> shards;
        try (Stream<Path> files = Files.list(index)) {
            shards = files.filter(file -> !file.endsWith("_SUCCESS")).sorted().toList();
        }
        assertTrue(Files.exists(index.resolve("_SUCCESS")));
        try (BiEncoder encoder = NanoModel.open()) {
            for (Path shard : shards) {
                try (SemanticIndex part = SemanticIndex.openReadOnly(shard, encoder)) {
                    var all = part.search("animals with eight legs", DOCUMENTS);
                    hits += all.size();
                    all.forEach(hit -> found.add(hit.document().id()));
                }
            }
        }
        assertEquals(DOCUMENTS, hits);
        assertEquals(
                new TreeSet<>(embedded.stream().map(row -> row.getString(0)).toList()), found);
    }

    @Test
    void tasksRunInOtherProcesses() {
        List<Long> processes = spark.range(0, 4, 1, 4)
                .map((MapFunction<Long, Long>) _ -> ProcessHandle.current().pid(), Encoders.LONG())
                .collectAsList();
        assertTrue(TaskContext.get() == null);
        processes.forEach(pid -> assertNotEquals(ProcessHandle.current().pid(), pid));
    }

    @Test
    void autoIsTheGpuThatTheTaskWasGiven() throws IOException {
        Dataset<Row> embedded = new SgptEmbedder()
                .setInputCol("text")
                .transform(EmbedAndIndex.read(spark, corpus().toString()).limit(1));
        Exception e = assertThrows(Exception.class, embedded::collectAsList);
        StringBuilder messages = new StringBuilder();
        for (Throwable t = e; t != null; t = t.getCause()) {
            messages.append(t).append('\n');
        }
        // There is none of that number, which shows that it is asked for.
        assertTrue(messages.toString().contains("device \"cuda:5\" is unavailable"), messages::toString);
    }

    @Test
    void wrongArgumentsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> EmbedAndIndex.main(new String[] {"corpus"}));
    }
}
