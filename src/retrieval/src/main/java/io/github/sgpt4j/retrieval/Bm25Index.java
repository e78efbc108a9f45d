package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.StringField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.StoredFields;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.store.Directory;

/// Keyword search: the first stage that BEIR's evaluations re-rank, Pyserini's "flat" BM25 baseline.
/// Title and text are one field with Lucene's English analysis; k1 = 0.9, b = 0.4; queries are bags of
/// words. Texts are not stored. Safe to share between threads. To search by meaning as well, see
/// [SemanticIndex].
public final class Bm25Index implements AutoCloseable {
    private static final String ID = "id";
    private static final double BUFFER_MEGABYTES = 64;
    private static final int BATCH_DOCUMENTS = 64;
    private static final int BATCH_CHARACTERS = 1 << 20;

    private final Path path;
    private final Directory directory;
    private final DirectoryReader reader;
    private final IndexSearcher searcher;
    private final Analyzer analyzer = Words.analyzer();

    private Bm25Index(Path path, Directory directory) throws IOException {
        this.path = path;
        this.directory = directory;
        reader = DirectoryReader.open(directory);
        searcher = Words.searcher(reader);
    }

    /// Builds an index and opens it. An existing index is replaced, all at once at the end.
    ///
    /// @param path its directory, created if needed
    /// @param documents read one by one; an exception they throw ends the build
    /// @throws IOException if the index cannot be written
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted before everything
    ///     was read; an existing index stays
    public static Bm25Index build(Path path, Iterator<Document> documents) throws IOException {
        try (Directory directory = WriterThread.aside(() -> IndexFiles.open(path));
                Analyzer analyzer = Words.analyzer();
                WriterThread writer = WriterThread.open(path, directory, config(analyzer))) {
            while (documents.hasNext()) {
                Interrupts.check("indexing");
                List<List<Field>> batch = batch(documents);
                writer.call(w -> {
                    for (List<Field> document : batch) {
                        w.addDocument(document);
                    }
                    return w;
                });
            }
            writer.call(IndexWriter::commit);
        }
        return open(path);
    }

    /// Few enough to bound memory, and enough that handing them to the writer's thread takes no time.
    private static List<List<Field>> batch(Iterator<Document> documents) {
        List<List<Field>> batch = new ArrayList<>();
        long characters = 0;
        while (batch.size() < BATCH_DOCUMENTS && characters < BATCH_CHARACTERS && documents.hasNext()) {
            Document document = documents.next();
            String text = document.joined();
            characters += text.length();
            batch.add(List.of(
                    new StringField(ID, IndexFiles.checkId(document.id()), Field.Store.YES), Words.field(text)));
        }
        return batch;
    }

    private static IndexWriterConfig config(Analyzer analyzer) {
        return new IndexWriterConfig(analyzer)
                .setSimilarity(Words.SIMILARITY)
                .setOpenMode(IndexWriterConfig.OpenMode.CREATE)
                .setRAMBufferSizeMB(BUFFER_MEGABYTES)
                .setMergeScheduler(new QuietMerges())
                .setCommitOnClose(false);
    }

    /// Opens an index that [#build] made.
    ///
    /// @throws IOException if it cannot be read
    /// @throws io.github.sgpt4j.error.FormatException if there is no index, or it is broken
    public static Bm25Index open(Path path) throws IOException {
        return WriterThread.aside(() -> read(path));
    }

    private static Bm25Index read(Path path) throws IOException {
        Directory directory = IndexFiles.openExisting(path);
        try {
            return IndexFiles.checked(path, () -> new Bm25Index(path, directory));
        } catch (IOException | RuntimeException | Error e) {
            directory.close();
            throw e;
        }
    }

    /// Number of documents.
    public int size() {
        return reader.numDocs();
    }

    /// The best documents for a query, best first.
    ///
    /// @param k at most this many, at least 1
    /// @throws IOException if the index cannot be read
    /// @throws IllegalStateException if the index is closed
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted
    public List<ScoredId> search(String query, int k) throws IOException {
        Interrupts.check("search");
        return IndexFiles.whileOpen(path, () -> {
            // Held, so that the files stay open until this search ends.
            reader.incRef();
            try {
                return find(query, k);
            } finally {
                reader.decRef();
            }
        });
    }

    private List<ScoredId> find(String query, int k) throws IOException {
        TopDocs found = searcher.search(Words.query(analyzer, query, reader), k);
        StoredFields stored = searcher.storedFields();
        List<ScoredId> results = new ArrayList<>();
        for (ScoreDoc hit : found.scoreDocs) {
            Interrupts.check("search");
            results.add(new ScoredId(stored.document(hit.doc).get(ID), hit.score));
        }
        results.sort(ScoredId.BEST_FIRST);
        return results;
    }

    @Override
    public void close() throws IOException {
        analyzer.close();
        try {
            reader.close();
        } finally {
            directory.close();
        }
    }
}
