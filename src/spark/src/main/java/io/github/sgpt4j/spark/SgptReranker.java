package io.github.sgpt4j.spark;

import io.github.sgpt4j.spark.partition.PartitionReranker;
import io.github.sgpt4j.spark.partition.TextPair;
import java.util.Iterator;
import java.util.Optional;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.Identifiable;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.LongAccumulator;

/// Adds a column of scores, `double`, to a data set with columns of queries and documents: higher is
/// better; unless they are probabilities of a re-ranker, only scores of the same query are comparable. A row whose
/// query or document is null has a
/// null score. Scores are those of [CrossEncoder][io.github.sgpt4j.CrossEncoder]. Rows with equal
/// documents cost less when they follow each other.
public final class SgptReranker extends EngineTransformer<SgptReranker> {
    private static final long serialVersionUID = 1L;

    private final Param<String> queryCol = new Param<>(this, "queryCol", "column of the queries");
    private final Param<String> documentCol = new Param<>(this, "documentCol", "column of the documents");

    /// Reads and names a stage that was saved.
    public SgptReranker(String uid) {
        super(uid);
        setDefault(queryCol, "query");
        setDefault(documentCol, "text");
        setDefault(outputCol(), "score");
    }

    /// With the built-in model; columns are `query`, `text` and, for the results, `score`.
    public SgptReranker() {
        this(Identifiable.randomUID("sgptReranker"));
    }

    /// Reads stages that were saved.
    public static MLReader<SgptReranker> read() {
        return new DefaultParamsReader<>();
    }

    /// Reads a stage that was saved in a folder.
    public static SgptReranker load(String path) {
        return read().load(path);
    }

    /// Column of the queries.
    public Param<String> queryCol() {
        return queryCol;
    }

    /// Column of the documents.
    public Param<String> documentCol() {
        return documentCol;
    }

    /// Sets the column of the queries.
    public SgptReranker setQueryCol(String value) {
        return with(queryCol, value);
    }

    /// Sets the column of the documents.
    public SgptReranker setDocumentCol(String value) {
        return with(documentCol, value);
    }

    @Override
    SgptReranker self() {
        return this;
    }

    @Override
    public StructType transformSchema(StructType schema) {
        Columns.text(schema, uid(), required(queryCol));
        Columns.text(schema, uid(), required(documentCol));
        return Columns.plus(schema, uid(), required(outputCol()), DataTypes.DoubleType);
    }

    @Override
    MapPartitionsFunction<Row, Row> function(StructType schema, LongAccumulator cut) {
        return new Rows(
                new PartitionReranker(settings(), cuts()),
                Columns.text(schema, uid(), required(queryCol)),
                Columns.text(schema, uid(), required(documentCol)),
                cut);
    }

    private record Rows(PartitionReranker reranker, int query, int document, LongAccumulator cut)
            implements MapPartitionsFunction<Row, Row> {
        @Override
        public Iterator<Row> call(Iterator<Row> rows) {
            PartitionReranker here = new PartitionReranker(TaskSettings.here(reranker.settings()), reranker.truncate());
            return TaskResults.inTask(
                    here.score(
                            rows,
                            this::pair,
                            (row, score) -> Columns.plus(
                                    row, score.map(Float::doubleValue).orElse(null))),
                    cut);
        }

        private Optional<TextPair> pair(Row row) {
            return row.isNullAt(query) || row.isNullAt(document)
                    ? Optional.empty()
                    : Optional.of(new TextPair(row.getString(query), row.getString(document)));
        }
    }
}
