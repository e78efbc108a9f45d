package io.github.sgpt4j.training.data;

import io.github.sgpt4j.error.FormatException;
import java.util.ArrayList;
import java.util.List;

/// Rows of a file of fields separated by tabs: query, positive, negatives. There is no header and no
/// quoting.
final class TsvRows implements RowFormat {
    @Override
    public Row parse(String where, String line) {
        String[] fields = line.split("\t", -1);
        if (fields.length < 2) {
            throw new FormatException(where + ": expected a query and a positive separated by a tab, got no tab");
        }
        List<String> texts = new ArrayList<>(fields.length);
        for (String field : fields) {
            texts.add(Texts.stripped(() -> "%s: field %d".formatted(where, texts.size() + 1), field));
        }
        return new Row(texts.getFirst(), List.of(texts.get(1)), List.copyOf(texts.subList(2, texts.size())));
    }
}
