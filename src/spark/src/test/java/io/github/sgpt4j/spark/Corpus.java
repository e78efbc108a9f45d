package io.github.sgpt4j.spark;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/// Documents of the demo corpus, and a session to use them in.
final class Corpus {
    static final StructType SCHEMA = new StructType()
            .add("_id", DataTypes.StringType)
            .add("title", DataTypes.StringType)
            .add("text", DataTypes.StringType);

    private Corpus() {}

    /// One for all tests of this process. A task may fail twice.
    static SparkSession session() {
        return SparkSession.builder()
                .master("local[2,3]")
                .appName("tests")
                .config("spark.ui.enabled", false)
                .config("spark.driver.host", "localhost")
                .config("spark.sql.shuffle.partitions", 2)
                .config("spark.sql.warehouse.dir", "target/warehouse")
                .getOrCreate();
    }

    static List<Document> documents(int number) throws IOException {
        ObjectMapper json = new ObjectMapper();
        List<Document> documents = new ArrayList<>();
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(NanoModel.corpus(), StandardCharsets.UTF_8))) {
            for (int i = 0; i < number; i++) {
                JsonNode line = json.readTree(lines.readLine());
                documents.add(new Document(
                        line.get("_id").asText(),
                        Optional.of(line.get("title").asText()),
                        line.get("text").asText()));
            }
        }
        return documents;
    }

    static Dataset<Row> rows(List<Document> documents) {
        return rows(
                documents.stream()
                        .map(d -> RowFactory.create(d.id(), d.title().orElse(null), d.text()))
                        .toList(),
                SCHEMA);
    }

    static Dataset<Row> rows(List<Row> rows, StructType schema) {
        return session().createDataFrame(rows, schema);
    }

    /// The message of a failure and of its causes.
    static String messages(Throwable failure) {
        StringBuilder messages = new StringBuilder();
        for (Throwable t = failure; t != null; t = t.getCause()) {
            messages.append(t).append('\n');
        }
        return messages.toString();
    }
}
