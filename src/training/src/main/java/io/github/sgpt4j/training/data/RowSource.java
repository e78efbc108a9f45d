package io.github.sgpt4j.training.data;

import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.function.Supplier;

/// Rows of one file: JSON Lines ([JsonRows]) if its name ends in `.jsonl`, fields separated by tabs
/// ([TsvRows]) if it ends in `.tsv`; either may end in `.gz`. Blank lines are skipped.
///
/// All rows must have as many negatives as are used. If no number was asked for, the first row decides
/// whether there are any. Takes 12 bytes of memory per row.
final class RowSource implements TripleSource {
    private final LineFile lines;
    private final RowFormat format;
    private final int negatives;
    private final List<String> notices;

    private RowSource(LineFile lines, RowFormat format, int negatives, List<String> notices) {
        this.lines = lines;
        this.format = format;
        this.negatives = negatives;
        this.notices = notices;
    }

    static RowSource open(Path file, DataOptions options) {
        RowFormat format = format(file);
        Check check = new Check(format, options.negatives());
        LineFile lines = LineFile.open(file, check);
        return new RowSource(lines, format, check.negatives(), check.contradictions.notices());
    }

    private static RowFormat format(Path file) {
        String name = LineFile.plainName(file).toLowerCase(Locale.ROOT);
        if (name.endsWith(".jsonl")) {
            return new JsonRows();
        }
        if (name.endsWith(".tsv")) {
            return new TsvRows();
        }
        throw new FormatException("%s: expected a name ending in .jsonl, .tsv, .jsonl.gz or .tsv.gz".formatted(file));
    }

    /// Checks every row while the file is opened.
    private static final class Check implements LineFile.Visitor {
        private final RowFormat format;
        private final OptionalInt wanted;
        private final Contradictions contradictions = new Contradictions();
        private OptionalInt decided = OptionalInt.empty();
        private String firstRow = "";

        Check(RowFormat format, OptionalInt wanted) {
            this.format = format;
            this.wanted = wanted;
        }

        int negatives() {
            return wanted.orElse(decided.orElse(0));
        }

        @Override
        public boolean visit(Supplier<String> place, String line) {
            if (line.isBlank()) {
                return false;
            }
            String where = place.get();
            Row row = format.parse(where, line);
            if (decided.isEmpty()) {
                decided = OptionalInt.of(Math.min(1, row.negatives().size()));
                firstRow = where;
            }
            if (row.negatives().size() < negatives()) {
                throw new FormatException("%s: expected negatives, at least %d, got %d"
                        .formatted(where, negatives(), row.negatives().size()));
            }
            if (wanted.isEmpty() && negatives() == 0 && !row.negatives().isEmpty()) {
                throw new FormatException("%s: expected no negatives as in the first row (%s), got %d"
                        .formatted(where, firstRow, row.negatives().size()));
            }
            if (row.contradictsItself()) {
                contradictions.add(where);
            }
            return true;
        }
    }

    @Override
    public String name() {
        return lines.file().toString();
    }

    @Override
    public int rows() {
        return lines.count();
    }

    @Override
    public int negatives() {
        return negatives;
    }

    @Override
    public Triple row(int row, long pass) {
        return format.parse(name(), lines.line(row)).triple(negatives, pass);
    }

    @Override
    public List<DataFile> files() {
        return List.of(lines.content());
    }

    @Override
    public List<String> notices() {
        return notices;
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }
}
