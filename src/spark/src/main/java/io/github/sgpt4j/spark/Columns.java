package io.github.sgpt4j.spark;

import java.util.Arrays;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/// Columns that are asked for by name.
final class Columns {
    private Columns() {}

    /// The place of a column of text.
    ///
    /// @param who asks, for messages
    /// @throws IllegalArgumentException if there is none, or it has another type
    static int text(StructType schema, String who, String name) {
        StructField field = find(schema, who, name);
        if (!(field.dataType() instanceof StringType)) {
            throw wrongType(who, field, "string");
        }
        return schema.fieldIndex(name);
    }

    /// The column of a name.
    ///
    /// @throws IllegalArgumentException if there is none
    static StructField find(StructType schema, String who, String name) {
        return Arrays.stream(schema.fields())
                .filter(field -> field.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("%s: expected column \"%s\", found %s"
                        .formatted(who, name, Arrays.toString(schema.fieldNames()))));
    }

    static boolean contains(StructType schema, String name) {
        return Arrays.asList(schema.fieldNames()).contains(name);
    }

    static IllegalArgumentException wrongType(String who, StructField field, String expected) {
        return new IllegalArgumentException("%s: column \"%s\": expected type %s, got %s"
                .formatted(who, field.name(), expected, field.dataType().simpleString()));
    }

    /// A schema with one more column, whose values may be null.
    ///
    /// @throws IllegalArgumentException if there is a column of that name
    static StructType plus(StructType schema, String who, String name, DataType type) {
        if (contains(schema, name)) {
            throw new IllegalArgumentException(
                    "%s: expected no column \"%s\" yet, where the results go; set another outputCol"
                            .formatted(who, name));
        }
        return schema.add(DataTypes.createStructField(name, type, true));
    }

    /// A row with one more value.
    static Row plus(Row row, @Nullable Object value) {
        @Nullable Object[] values = new Object[row.length() + 1];
        for (int i = 0; i < row.length(); i++) {
            values[i] = row.get(i);
        }
        values[row.length()] = value;
        return RowFactory.create(values);
    }
}
