package io.github.sgpt4j.training.data;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/// MS MARCO's texts by id: lines of a number, a tab and a text. Texts stay in the file; in memory are 20
/// bytes per line, 24 if the ids do not ascend.
final class IdTexts implements Closeable {
    private final LineFile lines;
    private final int[] ids;
    private final int[] order;
    private final IntList hashes;

    /// @param ids ascending
    /// @param order the line of each id; empty if it is the position of the id
    private IdTexts(LineFile lines, int[] ids, int[] order, IntList hashes) {
        this.lines = lines;
        this.ids = ids;
        this.order = order;
        this.hashes = hashes;
    }

    static IdTexts open(Path file) {
        Reading reading = new Reading();
        LineFile lines = LineFile.open(file, reading);
        try {
            return of(lines, reading);
        } catch (FormatException e) {
            try (lines) {
                throw e;
            } catch (IOException closing) {
                e.addSuppressed(closing);
                throw e;
            }
        }
    }

    private static IdTexts of(LineFile lines, Reading reading) {
        int[] ids = reading.ids.slice(0, reading.ids.size());
        if (reading.ascending) {
            return new IdTexts(lines, ids, new int[0], reading.hashes);
        }
        long[] packed = IntStream.range(0, ids.length)
                .mapToLong(i -> (long) ids[i] << 32 | i)
                .sorted()
                .toArray();
        int[] sorted =
                Arrays.stream(packed).mapToInt(pair -> (int) (pair >> 32)).toArray();
        int[] order = Arrays.stream(packed).mapToInt(pair -> (int) pair).toArray();
        for (int i = 1; i < sorted.length; i++) {
            if (sorted[i] == sorted[i - 1]) {
                throw twice("%s: line %d".formatted(lines.file(), order[i] + 1), sorted[i]);
            }
        }
        return new IdTexts(lines, sorted, order, reading.hashes);
    }

    private static FormatException twice(String where, int id) {
        return new FormatException("%s: expected id %d once, got it twice".formatted(where, id));
    }

    /// Every line counts, so that the n-th is line n of the file.
    private static final class Reading implements LineFile.Visitor {
        private final IntList ids = new IntList();
        private final IntList hashes = new IntList();
        private boolean ascending = true;

        @Override
        public boolean visit(Supplier<String> where, String line) {
            int tab = line.indexOf('\t');
            if (tab < 0 || line.indexOf('\t', tab + 1) >= 0) {
                throw new FormatException("%s: expected an id and a text separated by a tab, got %s"
                        .formatted(where.get(), tab < 0 ? "no tab" : "more tabs"));
            }
            int id = Ids.parse(where, line.substring(0, tab));
            if (ids.size() > 0) {
                int last = ids.get(ids.size() - 1);
                if (last == id) {
                    throw twice(where.get(), id);
                }
                ascending &= last < id;
            }
            ids.add(id);
            hashes.add(Texts.stripped(where, line.substring(tab + 1)).hashCode());
            return true;
        }
    }

    DataFile content() {
        return lines.content();
    }

    /// Where a text is, for the other methods.
    ///
    /// @param where file and line that mention the id
    /// @throws FormatException if there is none of this id
    int find(String where, int id) {
        int index = Arrays.binarySearch(ids, id);
        if (index < 0) {
            throw new FormatException("%s: expected the id of a line of %s, got %d".formatted(where, lines.file(), id));
        }
        return order.length == 0 ? index : order[index];
    }

    /// Equal for equal texts.
    int hash(int index) {
        return hashes.get(index);
    }

    /// The stripped text.
    String text(int index) {
        String line = lines.line(index);
        return TextRecord.strip(line.substring(line.indexOf('\t') + 1));
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }
}
