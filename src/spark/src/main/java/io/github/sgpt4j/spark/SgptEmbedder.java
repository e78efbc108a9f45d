package io.github.sgpt4j.spark;

import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.spark.partition.PartitionEmbedder;
import io.github.sgpt4j.text.Quoted;
import java.util.Iterator;
import java.util.Locale;
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
import scala.collection.immutable.ArraySeq;

/// Adds a column of embeddings, `array<float>` of the model's dimension, to a data set with a column of
/// texts. A text that is null has a null embedding. Vectors are those of
/// [BiEncoder][io.github.sgpt4j.BiEncoder]; on the CPU they are bit-identical.
public final class SgptEmbedder extends EngineTransformer<SgptEmbedder> {
    private static final long serialVersionUID = 1L;

    private final Param<String> inputCol = new Param<>(this, "inputCol", "column of the texts");
    private final Param<String> titleCol =
            new Param<>(this, "titleCol", "column of titles, put in front of the texts; not set for none");
    private final Param<String> kind = new Param<>(this, "kind", "what the texts are: text, query or document");

    /// Reads and names a stage that was saved.
    public SgptEmbedder(String uid) {
        super(uid);
        setDefault(kind, "document");
        setDefault(outputCol(), "embedding");
    }

    /// For documents, with the built-in model; results go to the column `embedding`.
    public SgptEmbedder() {
        this(Identifiable.randomUID("sgptEmbedder"));
    }

    /// Reads stages that were saved.
    public static MLReader<SgptEmbedder> read() {
        return new DefaultParamsReader<>();
    }

    /// Reads a stage that was saved in a folder.
    public static SgptEmbedder load(String path) {
        return read().load(path);
    }

    /// Column of the texts.
    public Param<String> inputCol() {
        return inputCol;
    }

    /// Column of titles.
    public Param<String> titleCol() {
        return titleCol;
    }

    /// What the texts are.
    public Param<String> kind() {
        return kind;
    }

    /// Sets the column of the texts.
    public SgptEmbedder setInputCol(String value) {
        return with(inputCol, value);
    }

    /// Sets a column of titles, which are put in front of the texts as
    /// [Document#joined] does; a null is none. Not set, the texts are embedded as they are.
    public SgptEmbedder setTitleCol(String value) {
        return with(titleCol, value);
    }

    /// Sets what the texts are: `document`, the default, `query` or `text`.
    ///
    /// @throws IllegalArgumentException if it is none of them
    public SgptEmbedder setKind(String value) {
        return with(kind, parse(value).name().toLowerCase(Locale.ROOT));
    }

    private static TextKind parse(String name) {
        return switch (name) {
            case "text" -> TextKind.TEXT;
            case "query" -> TextKind.QUERY;
            case "document" -> TextKind.DOCUMENT;
            default ->
                throw new IllegalArgumentException("kind: expected text, query or document, got " + Quoted.of(name));
        };
    }

    @Override
    SgptEmbedder self() {
        return this;
    }

    @Override
    public StructType transformSchema(StructType schema) {
        Columns.text(schema, uid(), required(inputCol));
        title(schema);
        return Columns.plus(
                schema, uid(), required(outputCol()), DataTypes.createArrayType(DataTypes.FloatType, false));
    }

    /// Place of the column of titles, -1 if there is none.
    private int title(StructType schema) {
        return isDefined(titleCol) ? Columns.text(schema, uid(), getOrDefault(titleCol)) : -1;
    }

    @Override
    MapPartitionsFunction<Row, Row> function(StructType schema, LongAccumulator cut) {
        return new Rows(
                new PartitionEmbedder(settings(), parse(getOrDefault(kind)), cuts()),
                Columns.text(schema, uid(), required(inputCol)),
                title(schema),
                cut);
    }

    private record Rows(PartitionEmbedder embedder, int column, int title, LongAccumulator cut)
            implements MapPartitionsFunction<Row, Row> {
        @Override
        public Iterator<Row> call(Iterator<Row> rows) {
            PartitionEmbedder here =
                    new PartitionEmbedder(TaskSettings.here(embedder.settings()), embedder.kind(), embedder.truncate());
            return TaskResults.inTask(
                    here.embed(
                            rows,
                            this::text,
                            (row, vector) -> Columns.plus(
                                    row, vector.map(ArraySeq::unsafeWrapArray).orElse(null))),
                    cut);
        }

        private Optional<String> text(Row row) {
            Optional<String> text = Optional.ofNullable(row.getString(column));
            return title < 0
                    ? text
                    : text.map(t -> new Document("", Optional.ofNullable(row.getString(title)), t).joined());
        }
    }
}
