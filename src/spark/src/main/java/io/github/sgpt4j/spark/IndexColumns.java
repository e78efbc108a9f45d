package io.github.sgpt4j.spark;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.corpus.Metadata;
import io.github.sgpt4j.spark.index.IndexedRow;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/// The columns of a data set that [SgptIndexer] reads.
///
/// @param title empty for none
/// @param embedding empty for none
/// @param metadata columns that are kept for filters
record IndexColumns(String id, String text, String title, String embedding, List<String> metadata)
        implements Serializable {
    private static final String WHO = "indexing";
    private static final String TITLE = "title";
    private static final String EMBEDDING = "embedding";
    private static final Set<DataType> VALUES = Set.of(
            DataTypes.StringType,
            DataTypes.BooleanType,
            DataTypes.ByteType,
            DataTypes.ShortType,
            DataTypes.IntegerType,
            DataTypes.LongType,
            DataTypes.FloatType,
            DataTypes.DoubleType);

    /// @param title if absent, `title` if there is such a column
    /// @param embedding if absent, `embedding` if there is such a column
    /// @throws IllegalArgumentException if a column is missing or of another type
    static IndexColumns of(
            StructType schema,
            String id,
            String text,
            Optional<String> title,
            Optional<String> embedding,
            List<String> metadata) {
        Columns.find(schema, WHO, id);
        Columns.text(schema, WHO, text);
        String titles = title.orElse(Columns.contains(schema, TITLE) ? TITLE : "");
        if (!titles.isEmpty()) {
            Columns.text(schema, WHO, titles);
        }
        String vectors = embedding.orElse(Columns.contains(schema, EMBEDDING) ? EMBEDDING : "");
        if (!vectors.isEmpty()) {
            requireVectors(Columns.find(schema, WHO, vectors));
        }
        metadata.forEach(name -> requireValue(Columns.find(schema, WHO, name)));
        return new IndexColumns(id, text, titles, vectors, metadata);
    }

    private static void requireValue(StructField field) {
        DataType type = field.dataType() instanceof ArrayType array ? array.elementType() : field.dataType();
        if (!VALUES.contains(type)) {
            throw Columns.wrongType(WHO, field, "string, boolean, a number or an array of one of them, for metadata");
        }
    }

    private static void requireVectors(StructField field) {
        if (!(field.dataType() instanceof ArrayType array)
                || !array.elementType().equals(DataTypes.FloatType)) {
            throw Columns.wrongType(WHO, field, "array<float>");
        }
    }

    /// These columns of a data set, in the order that [#row] reads them.
    Dataset<Row> select(Dataset<?> dataset) {
        List<Column> columns = new ArrayList<>();
        columns.add(dataset.col(quoted(id)).cast(DataTypes.StringType));
        columns.add(dataset.col(quoted(text)));
        if (!title.isEmpty()) {
            columns.add(dataset.col(quoted(title)));
        }
        if (!embedding.isEmpty()) {
            columns.add(dataset.col(quoted(embedding)));
        }
        metadata.forEach(name -> columns.add(dataset.col(quoted(name))));
        return dataset.select(columns.toArray(Column[]::new));
    }

    private static String quoted(String name) {
        return "`" + name.replace("`", "``") + "`";
    }

    /// @param row of [#select]
    /// @throws FormatException if id or text is null, or the embedding has a null
    IndexedRow row(Row row) {
        @Nullable String key = row.getString(0);
        if (key == null) {
            throw new FormatException("column \"%s\": expected an id in every row, got null".formatted(id));
        }
        @Nullable String body = row.getString(1);
        if (body == null) {
            throw new FormatException(
                    "document \"%s\": expected a text in column \"%s\", got null".formatted(key, text));
        }
        Optional<String> heading = title.isEmpty() ? Optional.empty() : Optional.ofNullable(row.getString(2));
        int place = title.isEmpty() ? 2 : 3;
        boolean given = !embedding.isEmpty() && !row.isNullAt(place);
        Metadata described = metadata(key, row, embedding.isEmpty() ? place : place + 1);
        return new IndexedRow(
                new Document(key, heading, body, described),
                given ? Optional.of(vector(key, row, place)) : Optional.empty());
    }

    /// @param place of the first column of metadata
    private Metadata metadata(String key, Row row, int place) {
        Map<String, Object> values = new LinkedHashMap<>();
        for (int i = 0; i < metadata.size(); i++) {
            boolean array = row.schema().apply(place + i).dataType() instanceof ArrayType;
            @Nullable Object value = array && !row.isNullAt(place + i) ? row.getList(place + i) : row.get(place + i);
            // A list without values says as little as a null.
            if (value != null && !(value instanceof List<?> list && list.isEmpty())) {
                values.put(metadata.get(i), value);
            }
        }
        try {
            return Metadata.of(values);
        } catch (IllegalArgumentException e) {
            throw new FormatException("document \"%s\": %s".formatted(key, e.getMessage()), e);
        }
    }

    private float[] vector(String key, Row row, int place) {
        List<@Nullable Float> values = row.getList(place);
        float[] vector = new float[values.size()];
        int i = 0;
        for (@Nullable Float value : values) {
            if (value == null) {
                throw new FormatException("document \"%s\": column \"%s\": expected numbers, got null at index %d"
                        .formatted(key, embedding, i));
            }
            vector[i] = value;
            i++;
        }
        return vector;
    }
}
