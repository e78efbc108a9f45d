package io.github.sgpt4j.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.spark.partition.Engines;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Embedding and re-ranking as stages of Spark's pipelines.
class SgptEmbedderTest {
    private static float[] vector(Row row, String column) {
        List<Float> values = row.getList(row.fieldIndex(column));
        float[] vector = new float[values.size()];
        for (int i = 0; i < vector.length; i++) {
            vector[i] = values.get(i);
        }
        return vector;
    }

    private static float[][] vectors(Dataset<Row> rows, String column) {
        return rows.collectAsList().stream().map(row -> vector(row, column)).toArray(float[][]::new);
    }

    @Test
    void vectorsHaveTheBitsOfThePlainEngine() throws IOException {
        List<Document> documents = Corpus.documents(60);
        Dataset<Row> rows = Corpus.rows(documents).repartition(3);
        List<String> texts =
                rows.collectAsList().stream().map(row -> row.getString(2)).toList();
        List<String> joined = rows.collectAsList().stream()
                .map(row -> row.getString(1) + " " + row.getString(2))
                .toList();
        long before = Engines.shared().opened();
        SgptEmbedder embedder = new SgptEmbedder().setInputCol("text");
        Dataset<Row> embedded = embedder.transform(rows);
        try (BiEncoder encoder = NanoModel.open()) {
            assertArrayEquals(encoder.embedDocuments(texts), vectors(embedded, "embedding"));
            assertArrayEquals(
                    encoder.embedQueries(texts),
                    vectors(
                            embedder.copy(ParamMap.empty())
                                    .setKind("query")
                                    .setOutputCol("q")
                                    .transform(rows),
                            "q"));
            assertArrayEquals(
                    encoder.embed(joined, TextKind.TEXT),
                    vectors(
                            new SgptEmbedder()
                                    .setInputCol("text")
                                    .setTitleCol("title")
                                    .setKind("text")
                                    .transform(rows),
                            "embedding"));
        }
        assertTrue(Engines.shared().opened() <= before + 1, "one engine for all");
    }

    @Test
    void aTextThatIsNullHasNoVector() {
        StructType schema = new StructType().add("text", DataTypes.StringType).add("n", DataTypes.IntegerType);
        Dataset<Row> rows = Corpus.rows(
                List.of(RowFactory.create("a", 1), RowFactory.create(null, 2), RowFactory.create("", null)), schema);
        List<Row> embedded =
                new SgptEmbedder().setInputCol("text").transform(rows).collectAsList();
        assertEquals(256, vector(embedded.get(0), "embedding").length);
        assertTrue(embedded.get(1).isNullAt(2));
        assertEquals(2, embedded.get(1).getInt(1));
        assertTrue(embedded.get(2).isNullAt(1));
        assertEquals(256, vector(embedded.get(2), "embedding").length);
    }

    @Test
    void emptyPartitionsOpenNoEngine() {
        Engines.shared().closeIdle();
        long before = Engines.shared().opened();
        Dataset<Row> none = Corpus.rows(List.of()).repartition(2);
        assertEquals(0, new SgptEmbedder().setInputCol("text").transform(none).count());
        assertEquals(before, Engines.shared().opened());
    }

    @Test
    void schemasAreChecked() {
        StructType schema = Corpus.SCHEMA.add("n", DataTypes.IntegerType);
        SgptEmbedder embedder = new SgptEmbedder().setInputCol("text");
        assertEquals(
                "array<float>",
                embedder.transformSchema(schema).apply("embedding").dataType().simpleString());
        assertTrue(refusal(new SgptEmbedder(), schema).endsWith("expected inputCol to be set"));
        assertTrue(refusal(new SgptEmbedder().setInputCol("txet"), schema)
                .endsWith("expected column \"txet\", found [_id, title, text, n]"));
        assertTrue(refusal(new SgptEmbedder().setInputCol("n"), schema)
                .endsWith("column \"n\": expected type string, got int"));
        assertTrue(refusal(embedder.copy(ParamMap.empty()).setOutputCol("n"), schema)
                .contains("expected no column \"n\" yet"));
        assertThrows(IllegalArgumentException.class, () -> new SgptEmbedder().setKind("passage"));
        assertThrows(IllegalArgumentException.class, () -> new SgptEmbedder().setDevice("tpu"));
    }

    private static String refusal(SgptEmbedder embedder, StructType schema) {
        return String.valueOf(assertThrows(IllegalArgumentException.class, () -> embedder.transformSchema(schema))
                .getMessage());
    }

    @Test
    void textsThatAreTooLongAreRefusedIfAskedFor() {
        Dataset<Row> rows = Corpus.rows(
                List.of(RowFactory.create("spider ".repeat(1000))), new StructType().add("text", DataTypes.StringType));
        SgptEmbedder embedder = new SgptEmbedder().setInputCol("text");
        assertEquals(1, embedder.transform(rows).count());
        Exception e = assertThrows(
                Exception.class,
                () -> embedder.setTruncate(false).transform(rows).collectAsList());
        assertTrue(Corpus.messages(e).contains("expected at most 256 tokens, got 1003"), () -> Corpus.messages(e));
    }

    @Test
    void pipelinesAreSavedAndLoaded(@TempDir Path folder) throws IOException {
        SgptEmbedder embedder = new SgptEmbedder()
                .setInputCol("text")
                .setKind("query")
                .setDevice("cpu")
                .setDtype("fp32")
                .setBatchTokens(512)
                .setThreads(2)
                .setTruncate(false);
        SgptReranker reranker =
                new SgptReranker().setQueryCol("title").setModel("").setOutputCol("relevance");
        Dataset<Row> rows = Corpus.rows(Corpus.documents(10));
        PipelineModel fitted = new Pipeline()
                .setStages(new PipelineStage[] {embedder, reranker})
                .fit(rows);
        String path = folder.resolve("pipeline").toString();
        fitted.save(path);
        PipelineModel loaded = PipelineModel.load(path);
        assertEquals(fitted.stages().length, loaded.stages().length);
        for (int i = 0; i < loaded.stages().length; i++) {
            assertEquals(
                    fitted.stages()[i].extractParamMap().toString(),
                    loaded.stages()[i].extractParamMap().toString());
        }
        Dataset<Row> expected = fitted.transform(rows);
        assertEquals(expected.schema(), loaded.transform(rows).schema());
        assertEquals(expected.collectAsList(), loaded.transform(rows).collectAsList());
        String alone = folder.resolve("embedder").toString();
        embedder.save(alone);
        assertEquals(
                embedder.extractParamMap().toString(),
                SgptEmbedder.load(alone).extractParamMap().toString());
    }

    @Test
    void scoresAreThoseOfThePlainEngine() throws IOException {
        List<Document> documents = Corpus.documents(20);
        Dataset<Row> rows = Corpus.rows(documents);
        double[] scores = new SgptReranker()
                .setQueryCol("title").transform(rows).collectAsList().stream()
                        .mapToDouble(row -> row.getDouble(3))
                        .toArray();
        try (CrossEncoder encoder = CrossEncoder.open(NanoModel.directory())) {
            double[] expected = documents.stream()
                    .mapToDouble(d -> encoder.score(d.title().orElseThrow(), List.of(d.text()))
                            .getFirst()
                            .value())
                    .toArray();
            assertArrayEquals(expected, scores, 1e-5, Arrays.toString(scores));
        }
        StructType schema = new StructType().add("query", DataTypes.StringType).add("text", DataTypes.StringType);
        List<Row> nulls = new SgptReranker()
                .transform(Corpus.rows(List.of(RowFactory.create(null, "a"), RowFactory.create("a", null)), schema))
                .collectAsList();
        assertTrue(nulls.get(0).isNullAt(2) && nulls.get(1).isNullAt(2));
    }
}
