package io.github.sgpt4j.training.data;

import io.github.sgpt4j.error.FormatException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/// MS MARCO with hard negatives, a folder of
///
/// - `collection.tsv`: passages, a number, a tab and a text each;
/// - `queries.train.tsv`: queries, likewise;
/// - `hard-negatives.jsonl`: for each query, its positives and the passages that retrieval systems found
///   ([HardNegatives]);
/// - `ce-scores.jsonl`: for each query, a cross-encoder's scores of these passages ([PassageScores]).
///
/// Each may be a `.gz`. A row is a query with a positive and enough negatives ([NegativeChoice]), in the
/// order of `hard-negatives.jsonl`. The retrieval systems are those of the first query with a positive.
/// Positives take turns in their order, negatives in a random one that the seed determines.
///
/// Passages are read when they are asked for, so a fast disk or enough memory for the system's cache
/// helps. In Java's memory are 20 to 30 bytes per passage and query, 4 to 6 per chosen passage: for the
/// whole of MS MARCO (8.8 million passages, 800,000 queries, 500,000 rows of 15 to 65 negatives) 300 to
/// 450 MB, and about 200 MB more while the files are opened. The scores are read once from start to end.
final class MsMarcoSource implements TripleSource {
    private static final String SUFFIX = ".gz";

    private final Path folder;
    private final IdTexts passages;
    private final IdTexts queries;
    private final MsMarcoRows rows;
    private final int negatives;
    private final long seed;
    private final List<DataFile> files;

    private MsMarcoSource(
            Path folder,
            IdTexts passages,
            IdTexts queries,
            MsMarcoRows rows,
            DataOptions options,
            List<DataFile> files) {
        this.folder = folder;
        this.passages = passages;
        this.queries = queries;
        this.rows = rows;
        this.negatives = options.negatives().orElse(1);
        this.seed = options.seed();
        this.files = files;
    }

    static MsMarcoSource open(Path folder, DataOptions options) {
        if (!Files.isDirectory(folder)) {
            throw new FormatException("%s: expected a folder, %s"
                    .formatted(folder, Files.exists(folder) ? "got a file" : "found nothing there"));
        }
        Path collection = file(folder, "collection.tsv");
        Path queryFile = file(folder, "queries.train.tsv");
        Path hardNegatives = file(folder, "hard-negatives.jsonl");
        Path scores = file(folder, "ce-scores.jsonl");
        Deque<Closeable> opened = new ArrayDeque<>();
        try {
            IdTexts passages = IdTexts.open(collection);
            opened.push(passages);
            IdTexts queries = IdTexts.open(queryFile);
            opened.push(queries);
            MsMarcoRows rows = new MsMarcoReading(passages, queries, options).read(hardNegatives, scores);
            List<DataFile> files = new ArrayList<>(List.of(passages.content(), queries.content()));
            files.addAll(rows.files());
            return new MsMarcoSource(folder, passages, queries, rows, options, List.copyOf(files));
        } catch (RuntimeException e) {
            for (Closeable file : opened) {
                try {
                    file.close();
                } catch (IOException closing) {
                    e.addSuppressed(closing);
                }
            }
            throw e;
        }
    }

    private static Path file(Path folder, String name) {
        Path plain = folder.resolve(name);
        Path packed = folder.resolve(name + SUFFIX);
        if (!Files.exists(plain) && !Files.exists(packed)) {
            throw new FormatException(
                    "%s: expected %s or %s%s in the folder, found neither".formatted(folder, name, name, SUFFIX));
        }
        return Files.exists(plain) ? plain : packed;
    }

    @Override
    public String name() {
        return folder.toString();
    }

    @Override
    public int rows() {
        return rows.count();
    }

    @Override
    public int negatives() {
        return negatives;
    }

    @Override
    public Triple row(int row, long pass) {
        int[] positives = rows.positives(row);
        int[] found = rows.negatives(row);
        int[] order = new RandomOrder(seed, RandomPurpose.NEGATIVES, row).permutation(found.length);
        List<String> used = new ArrayList<>(negatives);
        for (int i = 0; i < negatives; i++) {
            used.add(passages.text(found[order[Row.turn(pass, negatives, i, found.length)]]));
        }
        int positive = positives[Row.turn(pass, 1, 0, positives.length)];
        return new Triple(queries.text(rows.query(row)), passages.text(positive), used);
    }

    @Override
    public List<DataFile> files() {
        return files;
    }

    @Override
    public List<String> notices() {
        return rows.notices();
    }

    @Override
    public void close() throws IOException {
        try (queries;
                passages) {
            // Both are closed, even if one fails.
        }
    }

    /// The rows, for tests.
    MsMarcoRows chosen() {
        return rows;
    }
}
