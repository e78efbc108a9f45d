package io.github.sgpt4j.documents.format;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.MappingIterator;
import io.github.sgpt4j.documents.decoding.BoundedStream;
import io.github.sgpt4j.documents.decoding.FileProblem;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The rows of a table, each a document by [RecordFields]. The first row names the columns if one of its
/// cells is a known name, or all of them look like names: none is empty, a number, long, or there twice.
/// Columns without names are called `column 1` and so on. A column that is asked for as metadata gives
/// numbers where its cells are written as such (not `007`), else strings.
final class TableRows implements Contents {
    private static final Pattern WHOLE = Pattern.compile("-?(0|[1-9][0-9]{0,17})");
    private static final Pattern DECIMAL = Pattern.compile("-?(0|[1-9][0-9]{0,17})\\.[0-9]{1,17}");
    private static final int MAX_NAME = 64;
    private static final int MAX_LISTED = 5;

    private final FileSource source;
    private final BoundedStream in;
    private final MappingIterator<String[]> rows;
    private List<String> names = List.of();
    private RecordFields fields = new RecordFields(Optional.empty(), Optional.empty());
    private String @Nullable [] ahead;
    private boolean started;
    private long count;

    /// @param in of the source, renewed for each row
    /// @param rows closed with this
    TableRows(FileSource source, BoundedStream in, MappingIterator<String[]> rows) {
        this.source = source;
        this.in = in;
        this.rows = rows;
    }

    @Override
    public Optional<Content> next() throws IOException {
        if (!started) {
            start();
        }
        String[] cells = ahead == null ? read() : ahead;
        ahead = null;
        return cells == null ? Optional.empty() : Optional.of(content(cells));
    }

    private void start() throws IOException {
        started = true;
        String[] first = read();
        if (first == null) {
            return;
        }
        List<String> cells = Arrays.stream(first).map(String::strip).toList();
        if (areNames(cells)) {
            names = cells;
        } else {
            ahead = first;
        }
        fields = RecordFields.of(names(first.length));
        if (names.isEmpty()) {
            source.told().accept("the first row has no names of columns: all columns are read");
        } else if (RecordFields.areKnown(names)) {
            fields.sentence().ifPresent(source.told());
        } else {
            String listed = String.join(", ", names.subList(0, Math.min(names.size(), MAX_LISTED)));
            source.told()
                    .accept("the first row is taken for names of columns (%s%s), and all columns are read"
                            .formatted(listed, names.size() > MAX_LISTED ? ", …" : ""));
        }
    }

    private static boolean areNames(List<String> cells) {
        boolean distinct = new HashSet<>(cells).size() == cells.size();
        boolean words = cells.stream()
                .noneMatch(cell -> cell.isEmpty()
                        || cell.length() > MAX_NAME
                        || value(cell) instanceof Number
                        || cell.indexOf('\n') >= 0);
        return RecordFields.areKnown(cells) || cells.size() > 1 && distinct && words;
    }

    private List<String> names(int length) {
        List<String> all = new ArrayList<>(names);
        while (all.size() < length) {
            all.add("column " + (all.size() + 1));
        }
        return all;
    }

    private String @Nullable [] read() throws IOException {
        in.renew();
        try {
            return rows.hasNextValue() ? rows.nextValue() : null;
        } catch (JsonProcessingException e) {
            throw TableReader.problem(count + 1, e);
        }
    }

    private Content content(String[] cells) throws FileProblem {
        count++;
        List<String> all = names(cells.length);
        Map<String, String> record = new LinkedHashMap<>();
        for (int i = 0; i < cells.length; i++) {
            record.putIfAbsent(all.get(i), cells[i]);
        }
        Map<String, Object> metadata = new LinkedHashMap<>();
        RecordFields.id(names).ifPresent(name -> metadata.put("id", record.getOrDefault(name, "")));
        for (String name : source.limits().metadataFields()) {
            String cell = record.getOrDefault(name, "").strip();
            if (!cell.isEmpty()) {
                metadata.put(name, value(cell));
            }
        }
        try {
            return new Content(
                    OptionalLong.of(count),
                    fields.title(record),
                    fields.text(record, source.limits().maxCharacters()),
                    metadata);
        } catch (FileProblem e) {
            throw new FileProblem("row %d: %s".formatted(count, e.getMessage()), e);
        }
    }

    private static Object value(String cell) {
        if (WHOLE.matcher(cell).matches()) {
            return Long.parseLong(cell);
        }
        return DECIMAL.matcher(cell).matches() ? Double.parseDouble(cell) : cell;
    }

    @Override
    public void close() throws IOException {
        rows.close();
    }
}
