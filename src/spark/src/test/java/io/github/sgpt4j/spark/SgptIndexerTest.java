package io.github.sgpt4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.SearchOptions;
import io.github.sgpt4j.retrieval.SemanticIndex;
import io.github.sgpt4j.retrieval.VectorStorage;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.corpus.Metadata;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SgptIndexerTest {
    @TempDir
    private Path folder;

    private String output() {
        return folder.resolve("out").toString();
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("out"))) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void everyPartitionBecomesAnIndex() throws IOException {
        List<Document> documents = Corpus.documents(90);
        Dataset<Row> rows = Corpus.rows(documents).repartition(3).withColumnRenamed("_id", "key");
        IndexSummary summary = SgptIndexer.DEFAULT
                .withIdColumn("key")
                .withStorage(VectorStorage.INT8)
                .withOptimize(true)
                .write(rows, output());
        assertEquals(3, summary.shards());
        assertEquals(90, summary.documents());
        assertEquals(List.of("_SUCCESS", "part-00000", "part-00001", "part-00002"), names());
        String success = Files.readString(folder.resolve("out/_SUCCESS")).strip();
        assertTrue(
                success.matches(
                        "\\{\"format\":1,\"shards\":3,\"documents\":90,\"parts\":\\{\"part-00000\":\"[0-9a-f-]{36}\","
                                + "\"part-00001\":\"[0-9a-f-]{36}\",\"part-00002\":\"[0-9a-f-]{36}\"}}"),
                success);
        Set<Document> found = new TreeSet<>(Comparator.comparing(Document::id));
        try (BiEncoder encoder = NanoModel.open()) {
            for (int i = 0; i < 3; i++) {
                try (SemanticIndex shard = SemanticIndex.openReadOnly(folder.resolve("out/part-0000" + i), encoder)) {
                    assertEquals(VectorStorage.INT8, shard.options().storage());
                    for (Hit hit : shard.search("spider", 100)) {
                        found.add(hit.document());
                    }
                }
            }
        }
        assertEquals(Set.copyOf(documents), Set.copyOf(found));
    }

    @Test
    void embeddingsInAColumnAreUsedIfTheModelMadeThem() throws IOException {
        Dataset<Row> rows = Corpus.rows(Corpus.documents(20));
        SgptEmbedder embedder = new SgptEmbedder().setInputCol("text");
        SgptIndexer.DEFAULT.write(
                embedder.copy(embedder.extractParamMap()).setTitleCol("title").transform(rows), output());
        try (BiEncoder encoder = NanoModel.open();
                SemanticIndex shard = SemanticIndex.openReadOnly(folder.resolve("out/part-00000"), encoder)) {
            Document own = shard.search("spider", 1).getFirst().document();
            float[] vector = encoder.embedDocument(own.joined());
            assertEquals(
                    1, shard.search(vector, SearchOptions.DEFAULT).getFirst().score(), 1e-6);
        }
        // Those of other texts are refused.
        Dataset<Row> wrong = embedder.setInputCol("_id").transform(rows);
        Exception e = assertThrows(
                Exception.class,
                () -> SgptIndexer.DEFAULT.write(wrong, folder.resolve("wrong").toString()));
        assertTrue(Corpus.messages(e).contains("expected a cosine of at least 0.95"), () -> Corpus.messages(e));
    }

    @Test
    void attemptsThatFailLeaveNothing() throws IOException {
        List<Document> documents = Corpus.documents(40);
        Dataset<Row> rows = Corpus.rows(documents)
                .repartition(2)
                .map(
                        (MapFunction<Row, Row>) row -> {
                            // The first attempts fail when part of the rows are read.
                            if (TaskContext.get().attemptNumber() == 0
                                    && row.getString(0).equals("a00306314")) {
                                throw new IllegalStateException("first attempt");
                            }
                            return row;
                        },
                        Encoders.row(Corpus.SCHEMA));
        int temporary = temporaryFolders();
        Map<String, Integer> ids = new HashMap<>();
        assertTrue(documents.stream().anyMatch(document -> document.id().equals("a00306314")));
        assertEquals(40, SgptIndexer.DEFAULT.write(rows, output()).documents());
        assertEquals(List.of("_SUCCESS", "part-00000", "part-00001"), names());
        assertEquals(temporary, temporaryFolders());
        try (BiEncoder encoder = NanoModel.open()) {
            for (String name : List.of("part-00000", "part-00001")) {
                try (SemanticIndex shard =
                        SemanticIndex.openReadOnly(folder.resolve("out").resolve(name), encoder)) {
                    shard.search("spider", 100)
                            .forEach(hit -> ids.merge(hit.document().id(), 1, Integer::sum));
                }
            }
        }
        assertEquals(40, ids.size());
        assertEquals(Set.of(1), Set.copyOf(ids.values()));
    }

    private static int temporaryFolders() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return (int) files.filter(file -> file.getFileName().toString().startsWith("sgpt4j-shard-"))
                    .count();
        }
    }

    @Test
    void idsThatOccurTwiceAreRefused() throws IOException {
        List<Document> documents = new ArrayList<>(Corpus.documents(10));
        documents.add(Document.of(documents.getFirst().id(), "another text"));
        FormatException e = assertThrows(
                FormatException.class,
                () -> SgptIndexer.DEFAULT.write(Corpus.rows(documents).repartition(2), output()));
        assertEquals(
                "ids: expected each to occur once, got \"%s\" 2 times"
                        .formatted(documents.getFirst().id()),
                e.getMessage());
        assertEquals(List.of(), names());
    }

    @Test
    void theOutputMustBeEmpty() throws IOException {
        Files.createDirectories(folder.resolve("out/other"));
        FormatException e = assertThrows(
                FormatException.class, () -> SgptIndexer.DEFAULT.write(Corpus.rows(Corpus.documents(1)), output()));
        assertTrue(String.valueOf(e.getMessage()).contains("expected an empty folder or none"), e.getMessage());
        assertEquals(List.of("other"), names());
        Files.delete(folder.resolve("out/other"));
        FormatException empty =
                assertThrows(FormatException.class, () -> SgptIndexer.DEFAULT.write(Corpus.rows(List.of()), output()));
        assertTrue(String.valueOf(empty.getMessage()).contains("expected at least one row"), empty.getMessage());
        assertEquals(List.of(), names());
    }

    @Test
    void rowsWithoutIdOrTextAreRefused() {
        refused(RowFactory.create("7", "title", null), "document \"7\": expected a text in column \"text\", got null");
        refused(RowFactory.create(null, "title", "text"), "column \"_id\": expected an id in every row, got null");
        assertFalse(Files.exists(folder.resolve("out/_SUCCESS")));
    }

    private void refused(Row row, String message) {
        Exception e = assertThrows(
                Exception.class,
                () -> SgptIndexer.DEFAULT.write(Corpus.rows(Collections.singletonList(row), Corpus.SCHEMA), output()));
        assertTrue(Corpus.messages(e).contains(message), () -> Corpus.messages(e));
    }

    @Test
    void columnsAreChecked() throws IOException {
        Dataset<Row> rows = Corpus.rows(Corpus.documents(1));
        assertThrows(
                IllegalArgumentException.class,
                () -> SgptIndexer.DEFAULT.withTitleColumn("heading").write(rows, output()));
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> SgptIndexer.DEFAULT.withEmbeddingColumn("text").write(rows, output()));
        assertEquals("indexing: column \"text\": expected type array<float>, got string", e.getMessage());
        assertEquals(DataTypes.StringType, rows.schema().apply("_id").dataType());
    }

    @Test
    void columnsAreKeptAsMetadata() throws IOException {
        StructType schema = Corpus.SCHEMA
                .add("year", DataTypes.IntegerType)
                .add("tags", DataTypes.createArrayType(DataTypes.StringType));
        Dataset<Row> rows = Corpus.rows(
                List.of(
                        RowFactory.create("1", "spider", "eight legs", 1999, new String[] {"a", "b"}),
                        RowFactory.create("2", "bread", "flour", null, new String[0])),
                schema);
        SgptIndexer.DEFAULT.withMetadataColumns("year", "tags").write(rows.coalesce(1), output());
        try (BiEncoder encoder = NanoModel.open();
                SemanticIndex shard = SemanticIndex.openReadOnly(folder.resolve("out/part-00000"), encoder)) {
            assertEquals(
                    List.of(Metadata.of(Map.of("year", 1999L, "tags", List.of("a", "b"))), Metadata.EMPTY),
                    shard.documents(List.of("1", "2")).stream()
                            .map(Document::metadata)
                            .toList());
        }
        Dataset<Row> dated = rows.withColumn("day", functions.current_date());
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> SgptIndexer.DEFAULT
                        .withMetadataColumns("day")
                        .write(dated, folder.resolve("no").toString()));
        assertTrue(String.valueOf(e.getMessage()).contains("got date"), e.getMessage());
    }
}
