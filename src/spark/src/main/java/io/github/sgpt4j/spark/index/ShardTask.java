package io.github.sgpt4j.spark.index;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.files.FileEntries;
import io.github.sgpt4j.retrieval.IndexOptions;
import io.github.sgpt4j.retrieval.SemanticIndex;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.spark.partition.EngineSettings;
import io.github.sgpt4j.spark.partition.Engines;
import io.github.sgpt4j.spark.partition.PartitionEmbedder;
import io.github.sgpt4j.spark.partition.PartitionResults;
import io.github.sgpt4j.spark.partition.TokenCounts;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;

/// Writes the rows of one partition as an index: in a local folder first, which is removed in any case,
/// then to the folder of the attempt.
///
/// @param settings of the engine
/// @param options of the index
/// @param optimize whether its parts are merged into one
/// @param truncate whether texts that are too long are cut; otherwise they are an error
/// @param attempt folder of this attempt
public record ShardTask(
        EngineSettings settings,
        IndexOptions options,
        boolean optimize,
        boolean truncate,
        org.apache.hadoop.fs.Path attempt) {
    /// Documents added to the index at a time.
    private static final int BATCH = 1024;

    /// An embedding of the same model, computed as another type, is nearer than this.
    private static final float MIN_COSINE = 0.95f;

    /// @param id of the index
    private record Written(long documents, String id) {}

    private record Embedded(Document document, float[] vector) {}

    /// @param rows at least one
    /// @param cut told of texts that were cut
    /// @throws FormatException if a given embedding is not the model's
    public ShardReport write(
            int partition, Iterator<IndexedRow> rows, Configuration configuration, Consumer<TokenCounts> cut)
            throws IOException {
        Path work = Files.createTempDirectory("sgpt4j-shard-");
        FileSystem files = OutputFiles.of(attempt, configuration);
        boolean done = false;
        try (Engines.Lease engine = Engines.shared().use(settings)) {
            files.mkdirs(attempt);
            Path local = work.resolve("index");
            Written written = index(local, engine.biEncoder(), rows, files, cut);
            long bytes = OutputFiles.copy(local, files, new org.apache.hadoop.fs.Path(attempt, ShardOutput.INDEX));
            String model = engine.biEncoder().fingerprint();
            done = true;
            return new ShardReport(partition, attempt.toString(), written.documents, bytes, model, written.id);
        } finally {
            // Spark throws checked exceptions that it does not declare.
            if (!done) {
                files.delete(attempt, true);
            }
            FileEntries.remove(work);
        }
    }

    private Written index(
            Path local, BiEncoder encoder, Iterator<IndexedRow> rows, FileSystem files, Consumer<TokenCounts> cut)
            throws IOException {
        try (SemanticIndex index = SemanticIndex.open(local, encoder, options);
                OutputStream ids = new BufferedOutputStream(files.create(DuplicateIds.file(attempt), false));
                PartitionResults<Embedded> results = embed(new Checked(rows, encoder))) {
            List<Embedded> batch = new ArrayList<>();
            while (results.hasNext()) {
                Embedded next = results.next();
                DuplicateIds.write(ids, next.document.id());
                batch.add(next);
                if (batch.size() == BATCH || !results.hasNext()) {
                    add(index, batch);
                    batch.clear();
                }
            }
            index.commit();
            if (optimize) {
                index.optimize();
            }
            cut.accept(results.counts());
            return new Written(index.size(), index.id().orElseThrow());
        }
    }

    private static void add(SemanticIndex index, List<Embedded> batch) throws IOException {
        index.add(
                batch.stream().map(Embedded::document).toList(),
                batch.stream().map(Embedded::vector).toArray(float[][]::new));
    }

    /// Embeds the rows that have no embedding yet.
    private PartitionResults<Embedded> embed(Iterator<IndexedRow> rows) {
        return new PartitionEmbedder(settings, TextKind.DOCUMENT, truncate)
                .embed(
                        rows,
                        row -> row.vector().isPresent()
                                ? Optional.empty()
                                : Optional.of(row.document().joined()),
                        (row, computed) -> new Embedded(
                                row.document(), row.vector().or(() -> computed).orElseThrow()));
    }

    /// Compares the first given embedding that is not zero with the model's.
    private static final class Checked implements Iterator<IndexedRow> {
        private final Iterator<IndexedRow> rows;
        private final BiEncoder encoder;
        private boolean checked;

        Checked(Iterator<IndexedRow> rows, BiEncoder encoder) {
            this.rows = rows;
            this.encoder = encoder;
        }

        @Override
        public boolean hasNext() {
            return rows.hasNext();
        }

        @Override
        public IndexedRow next() {
            IndexedRow row = rows.next();
            if (!checked && row.vector().isPresent()) {
                check(row.document(), row.vector().get());
            }
            return row;
        }

        private void check(Document document, float[] given) {
            if (given.length != encoder.dimension()) {
                throw new FormatException("document \"%s\": expected an embedding of dimension %d, got %d"
                        .formatted(document.id(), encoder.dimension(), given.length));
            }
            float[] own = encoder.embedDocument(document.joined());
            float cosine = Similarity.COSINE.of(given, own);
            boolean directed = Similarity.DOT.of(given, given) > 0 && Similarity.DOT.of(own, own) > 0;
            if (directed && !(cosine >= MIN_COSINE)) {
                throw new FormatException(
                        ("document \"%s\": its embedding was not made by model %s from title and text: expected a cosine"
                                        + " of at least %s with the model's own, got %s")
                                .formatted(document.id(), encoder.model().directory(), MIN_COSINE, cosine));
            }
            checked = directed;
        }
    }
}
