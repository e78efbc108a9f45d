package io.github.sgpt4j.training.data;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.Unreadable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/// Chooses the rows of [MsMarcoSource].
///
/// The file of scores is the largest, so it is read once, in its own order; the line of
/// `hard-negatives.jsonl` that belongs to each is fetched.
final class MsMarcoReading {
    private final IdTexts passages;
    private final IdTexts queries;
    private final DataOptions options;

    /// The line of each query that has a positive.
    private final Map<Integer, Integer> lineOfQuery = new HashMap<>();

    private Optional<List<String>> systems = Optional.empty();
    private long withoutPositive;

    MsMarcoReading(IdTexts passages, IdTexts queries, DataOptions options) {
        this.passages = passages;
        this.queries = queries;
        this.options = options;
    }

    /// @throws FormatException at the first problem
    MsMarcoRows read(Path hardNegatives, Path scores) {
        try (LineFile lines = LineFile.open(hardNegatives, this::see)) {
            NegativeChoice choice =
                    new NegativeChoice(systems.orElse(List.of()), options.negativesPerSystem(), options.margin());
            Chosen chosen = new Chosen(lines.count());
            DataFile scored = LineFile.read(scores, (where, line) -> {
                choose(PassageScores.parse(where.get(), line), lines, choice, chosen);
                return true;
            });
            for (Map.Entry<Integer, Integer> entry : lineOfQuery.entrySet()) {
                if (!chosen.has(entry.getValue())) {
                    throw new FormatException("%s: expected the scores of query %d of %s, found none"
                            .formatted(scores, entry.getKey(), hardNegatives));
                }
            }
            return rows(hardNegatives, lines.count(), chosen, List.of(lines.content(), scored));
        } catch (IOException e) {
            throw Unreadable.of(hardNegatives, e);
        }
    }

    private boolean see(Supplier<String> place, String line) {
        if (line.isBlank()) {
            return false;
        }
        HardNegatives row = HardNegatives.parse(place.get(), line);
        if (row.positives().isEmpty()) {
            withoutPositive++;
            return false;
        }
        if (systems.isEmpty()) {
            systems = Optional.of(List.copyOf(row.negatives().keySet()));
        }
        if (lineOfQuery.put(row.query(), lineOfQuery.size()) != null) {
            throw new FormatException("%s: expected query %d once, got it twice".formatted(place.get(), row.query()));
        }
        return true;
    }

    private void choose(PassageScores scores, LineFile lines, NegativeChoice choice, Chosen chosen) {
        Integer line = lineOfQuery.get(scores.query());
        if (line == null) {
            return;
        }
        if (chosen.has(line)) {
            throw new FormatException(
                    "%s: expected query %d once, got it twice".formatted(scores.where(), scores.query()));
        }
        HardNegatives row = HardNegatives.parse(lines.file().toString(), lines.line(line));
        chosen.put(line, row, choice.of(row, scores));
    }

    private MsMarcoRows rows(Path file, int lines, Chosen chosen, List<DataFile> files) {
        int wanted = options.negatives().orElse(1);
        IntList rowQueries = new IntList();
        IntList starts = new IntList();
        IntList positives = new IntList();
        IntList texts = new IntList();
        Contradictions contradictions = new Contradictions();
        long tooFew = 0;
        starts.add(0);
        for (int line = 0; line < lines; line++) {
            int[] own = chosen.positives(line);
            int[] others = chosen.negatives(line);
            if (others.length < wanted) {
                tooFew++;
                continue;
            }
            String where = "%s: query %d".formatted(file, chosen.queries[line]);
            rowQueries.add(queries.find(where, chosen.queries[line]));
            positives.add(own.length);
            add(own, where, texts);
            add(others, where, texts);
            starts.add(texts.size());
            int from = starts.get(starts.size() - 2);
            if (contradicts(texts, from, from + own.length)) {
                contradictions.add(where);
            }
        }
        if (rowQueries.size() == 0) {
            throw new FormatException("%s: expected queries with a positive and enough negatives, %d, found none"
                    .formatted(file, wanted));
        }
        return new MsMarcoRows(rowQueries, starts, positives, texts, notices(contradictions, tooFew, wanted), files);
    }

    private void add(int[] ids, String where, IntList texts) {
        for (int id : ids) {
            texts.add(passages.find(where, id));
        }
    }

    /// @param from first positive
    /// @param to first negative; the negatives end the list
    private boolean contradicts(IntList texts, int from, int to) {
        for (int i = from; i < to; i++) {
            for (int j = to; j < texts.size(); j++) {
                if (passages.hash(texts.get(i)) == passages.hash(texts.get(j))
                        && passages.text(texts.get(i)).equals(passages.text(texts.get(j)))) {
                    return true;
                }
            }
        }
        return false;
    }

    private List<String> notices(Contradictions contradictions, long tooFew, int wanted) {
        List<String> notices = new ArrayList<>();
        if (withoutPositive > 0) {
            notices.add("queries left out without a positive: %,d".formatted(withoutPositive));
        }
        if (tooFew > 0) {
            notices.add("queries left out without enough negatives, %d: %,d".formatted(wanted, tooFew));
        }
        notices.addAll(contradictions.notices());
        return List.copyOf(notices);
    }

    /// The ids chosen for each line, in the order in which scores came.
    private static final class Chosen {
        private final int[] queries;
        private final int[] starts;
        private final int[] positives;
        private final int[] ends;
        private final IntList ids = new IntList();

        Chosen(int lines) {
            queries = new int[lines];
            starts = new int[lines];
            positives = new int[lines];
            ends = new int[lines];
        }

        /// Every line has a positive, so none ends at 0.
        boolean has(int line) {
            return ends[line] > 0;
        }

        void put(int line, HardNegatives row, Set<Integer> negatives) {
            queries[line] = row.query();
            starts[line] = ids.size();
            positives[line] = row.positives().size();
            row.positives().forEach(ids::add);
            negatives.forEach(ids::add);
            ends[line] = ids.size();
        }

        int[] positives(int line) {
            return ids.slice(starts[line], starts[line] + positives[line]);
        }

        int[] negatives(int line) {
            return ids.slice(starts[line] + positives[line], ends[line]);
        }
    }
}
