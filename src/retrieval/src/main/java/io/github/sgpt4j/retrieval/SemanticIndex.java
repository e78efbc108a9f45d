package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.filter.Filter;
import io.github.sgpt4j.retrieval.filter.FilterNotices;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.UnaryOperator;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.ReferenceManager;
import org.apache.lucene.store.Directory;

/// Documents on disk, searched by meaning (embeddings of a [BiEncoder] in an HNSW graph), by words
/// (BM25), or both, and re-ranked by a [CrossEncoder] if one is given. The index is Lucene's.
///
/// On the whole machine, one object at a time may have an index open for writing; any number may read
/// it meanwhile and see what was committed. A commit is all or nothing, even when the process is
/// killed. An index remembers its model and how it compares embeddings ([BiEncoder#similarity]), and
/// accepts no other. Safe to share between threads; encoders are borrowed and must outlive the index.
///
/// A thread may be interrupted at any time. This breaks nothing, and the interrupt stays pending. An
/// interrupted search ends with a [CancelledException]. So do [#add(Collection)] and [#update] while
/// they embed or wait for another thread's call: nothing of that call, or of the update's current
/// batch, is in the index. Once they write, they finish; so does every other method.
public final class SemanticIndex implements AutoCloseable {
    private final Path path;
    private final List<Directory> directories;
    private final IndexMetadata metadata;
    private final VectorSpace space;
    private final Optional<BiEncoder> encoder;
    private final Optional<WriterThread> writer;
    private final Analyzer analyzer;
    private final ReferenceManager<IndexSearcher> searchers;

    /// Whether searches do not see yet what was added or removed. Guarded by [#changing].
    private boolean pending;

    /// Held while the index is changed.
    private final ReentrantLock changing = new ReentrantLock();

    private SemanticIndex(IndexOpening opening) throws IOException {
        path = opening.path();
        directories = opening.directories();
        metadata = opening.metadata();
        space = new VectorSpace(metadata.similarity());
        encoder = opening.encoder();
        writer = opening.writer();
        analyzer = opening.analyzer();
        searchers = Searchers.of(path, directories, reader -> metadata.requireVectors(path, reader));
    }

    /// Opens an index for writing and searching, and creates it if it does not exist, with the default
    /// options.
    ///
    /// @param encoder embeds documents and queries
    /// @throws IOException if the index cannot be read or written
    /// @throws IndexInUseException if something else is writing it
    /// @throws io.github.sgpt4j.error.FormatException if it is broken, or was made with another model
    ///     or similarity
    /// @throws io.github.sgpt4j.error.UnsupportedModelException if the similarity is
    ///     [Similarity#MANHATTAN], which the graph does not support
    public static SemanticIndex open(Path path, BiEncoder encoder) throws IOException {
        return open(path, encoder, Optional.empty(), UnaryOperator.identity());
    }

    /// Opens an index for writing and searching, and creates it if it does not exist.
    ///
    /// @param encoder embeds documents and queries
    /// @param options changes some of the options: those of an index that exists, which must stay as they
    ///     are, or the default ones of a new index; called more than once
    /// @throws IOException if the index cannot be read or written
    /// @throws IndexInUseException if something else is writing it
    /// @throws IllegalArgumentException if the options do not fit the model
    /// @throws io.github.sgpt4j.error.FormatException if it is broken, or was made with another model
    ///     or other options
    public static SemanticIndex open(Path path, BiEncoder encoder, UnaryOperator<IndexOptions> options)
            throws IOException {
        return of(() -> IndexOpening.toWrite(path, encoder, options, UnaryOperator.identity()));
    }

    /// Opens an index for writing and searching, and creates it if it does not exist.
    ///
    /// @param encoder embeds documents and queries
    /// @param options what the index was or will be made with
    /// @throws IOException if the index cannot be read or written
    /// @throws IllegalArgumentException if the options do not fit the model
    /// @throws IndexInUseException if something else is writing it
    /// @throws io.github.sgpt4j.error.FormatException if it is broken, or was made with another model
    ///     or other options
    public static SemanticIndex open(Path path, BiEncoder encoder, IndexOptions options) throws IOException {
        return open(path, encoder, Optional.of(options), UnaryOperator.identity());
    }

    /// @param files wraps a directory that is written to
    static SemanticIndex open(
            Path path, BiEncoder encoder, Optional<IndexOptions> options, UnaryOperator<Directory> files)
            throws IOException {
        return of(() -> IndexOpening.toWrite(path, encoder, own -> options.orElse(own), files));
    }

    /// Opens an index for searching, whether or not something is writing it; or a folder of shards, indexes
    /// in `part-NNNNN` that one job has written (`_SUCCESS`), which are searched together as one index. The
    /// shards must be made with one model and one set of options, and an id that is in several of them is
    /// found several times.
    ///
    /// @param encoder embeds queries
    /// @throws IOException if the index cannot be read
    /// @throws io.github.sgpt4j.error.FormatException if there is none, it is broken, or it was made
    ///     with another model
    public static SemanticIndex openReadOnly(Path path, BiEncoder encoder) throws IOException {
        return of(() -> IndexOpening.toRead(path, Optional.of(encoder)));
    }

    /// Opens an index for keyword search, without a model.
    ///
    /// @throws IOException if the index cannot be read
    /// @throws io.github.sgpt4j.error.FormatException if there is none, or it is broken
    public static SemanticIndex openReadOnly(Path path) throws IOException {
        return of(() -> IndexOpening.toRead(path, Optional.empty()));
    }

    private static SemanticIndex of(IndexFiles.Reading<IndexOpening> parts) throws IOException {
        return WriterThread.aside(() -> of(parts.read()));
    }

    private static SemanticIndex of(IndexOpening opening) throws IOException {
        try {
            return new SemanticIndex(opening);
        } catch (IOException | RuntimeException | Error e) {
            opening.close();
            throw e;
        }
    }

    /// The model that the index was made with.
    public ModelIdentity model() {
        return metadata.model();
    }

    /// Names the index among all others, whatever is changed in it; copies have the same. Empty for a folder of
    /// shards, and for an index of an earlier version.
    ///
    /// @throws IOException if the index cannot be read
    public Optional<String> id() throws IOException {
        return reading(searcher -> searcher.getIndexReader() instanceof DirectoryReader reader
                ? Optional.ofNullable(reader.getIndexCommit().getUserData().get(IndexMetadata.ID))
                : Optional.empty());
    }

    /// How the index compares embeddings.
    public Similarity similarity() {
        return metadata.similarity();
    }

    /// What the index was made with.
    public IndexOptions options() {
        return metadata.options();
    }

    /// Number of documents that a search sees.
    ///
    /// @throws IOException if the index cannot be read
    public int size() throws IOException {
        return reading(searcher -> Rows.count(searcher.getIndexReader()));
    }

    /// Number of passages of these documents; as many as documents if none is split.
    ///
    /// @throws IOException if the index cannot be read
    public int passages() throws IOException {
        return reading(searcher -> searcher.getIndexReader().numDocs());
    }

    /// Adds documents, or replaces those with the same ids; if an id occurs several times, the last
    /// document counts. Texts that the index already contains are not embedded again. Searches see the
    /// documents after [#commit].
    ///
    /// @throws IOException if the index cannot be written
    /// @throws io.github.sgpt4j.error.FormatException if an id is longer than 32,766 bytes of UTF-8, or an
    ///     id, title or text is not Unicode text (has half a surrogate pair); then nothing was added
    /// @throws CancelledException if the thread is interrupted before all texts are embedded; then
    ///     nothing was added
    /// @throws IllegalStateException if the index is open for reading only
    public UpdateReport add(Collection<Document> documents) throws IOException {
        return embedding(() -> {
            DocumentWriter to = documentWriter();
            boolean current = !pending;
            pending = true;
            UpdateReport report = reading(searcher ->
                    to.write(documents, new Lookup(searcher.getIndexReader()), current, UpdateListener.NONE));
            return report.plus(new UpdateReport(documents.size(), 0, 0, 0, 0, 0));
        });
    }

    /// Adds documents with embeddings that were computed elsewhere, by the same model used in the same
    /// way, and so of whole documents, which are not split; otherwise as [#add(Collection)].
    ///
    /// @param vectors `[documents][dimension]`, of any length
    /// @throws IOException if the index cannot be written
    /// @throws IllegalArgumentException if the vectors do not fit documents or model, or are not finite
    /// @throws IllegalStateException if the index is open for reading only
    public void add(List<Document> documents, float[][] vectors) throws IOException {
        DocumentWriter to = documentWriter();
        if (documents.size() != vectors.length) {
            throw new IllegalArgumentException(
                    "vectors: expected %d, one per document, got %d".formatted(documents.size(), vectors.length));
        }
        for (float[] vector : vectors) {
            VectorIndex.requireVector(vector, model().dimension());
        }
        changing(() -> {
            pending = true;
            to.write(documents, vectors);
            return to;
        });
    }

    /// Removes documents by id; ids that the index does not contain are ignored. Searches see it after
    /// [#commit].
    ///
    /// @throws IOException if the index cannot be written
    /// @throws IllegalStateException if the index is open for reading only
    public void remove(Collection<String> ids) throws IOException {
        Term[] terms = IndexFiles.checkIds(ids).stream().map(Fields::idTerm).toArray(Term[]::new);
        removing(w -> w.deleteDocuments(terms));
    }

    /// Removes the documents that a filter accepts, those added before and not committed yet included.
    /// Searches see it after [#commit].
    ///
    /// @throws IOException if the index cannot be written
    /// @throws IllegalStateException if the index is open for reading only
    public void remove(Filter filter) throws IOException {
        removing(w -> w.deleteDocuments(FilterQuery.rows(filter)));
    }

    /// Removes all documents, those added before and not committed yet included. Searches see it after
    /// [#commit].
    ///
    /// @throws IOException if the index cannot be written
    /// @throws IllegalStateException if the index is open for reading only
    public void removeAll() throws IOException {
        removing(IndexWriter::deleteAll);
    }

    private void removing(WriterThread.Writing<Long> removal) throws IOException {
        changing(() -> {
            pending = true;
            return requireWriter().call(removal);
        });
    }

    /// The documents of some ids, as they were added; ids that the index does not contain are left out.
    ///
    /// @return in the order of the ids
    /// @throws IOException if the index cannot be read
    /// @throws CancelledException if the thread is interrupted
    public List<Document> documents(Collection<String> ids) throws IOException {
        List<String> possible = IndexFiles.checkIds(ids);
        return reading(searcher -> new StoredDocuments(searcher).documents(possible));
    }

    /// Documents that a filter accepts, as they were added.
    ///
    /// @param limit at most this many, at least 1
    /// @return in no particular order; the same for the same state of the index
    /// @throws IOException if the index cannot be read
    /// @throws CancelledException if the thread is interrupted
    public List<Document> documents(Filter filter, int limit) throws IOException {
        if (limit < 1) {
            throw new IllegalArgumentException("limit: expected at least 1, got " + limit);
        }
        return reading(searcher -> new StoredDocuments(searcher).documents(filter, limit));
    }

    /// Those of some names of metadata that no document has, so that a filter with them may be mistaken.
    ///
    /// @throws IOException if the index cannot be read
    public Set<String> absentMetadata(Set<String> names) throws IOException {
        return reading(searcher -> new StoredDocuments(searcher).absent(names));
    }

    /// How many documents have each name of metadata, in alphabetical order.
    ///
    /// @throws IOException if the index cannot be read
    /// @throws CancelledException if the thread is interrupted
    public SortedMap<String, Integer> metadataNames() throws IOException {
        return reading(searcher -> new StoredDocuments(searcher).names());
    }

    /// What in a filter fits no document, so that it may be mistaken: names that none has, and values of
    /// another kind than all have, such as the number 12 for the string `"12"`.
    ///
    /// @return sentences
    /// @throws IOException if the index cannot be read
    /// @throws CancelledException if the thread is interrupted
    public List<String> notices(Filter filter) throws IOException {
        return reading(searcher -> FilterNotices.of(filter, new StoredDocuments(searcher)::kinds));
    }

    /// Writes everything added and removed to disk durably, and shows it to searches.
    ///
    /// @throws IOException if the index cannot be written
    /// @throws IllegalStateException if the index is open for reading only
    public void commit() throws IOException {
        changing(() -> {
            long number = requireWriter().call(IndexWriter::commit);
            refresh();
            pending = false;
            return number;
        });
    }

    /// Brings the index up to date with a collection of any size, in batches of some seconds, each
    /// committed. New and changed documents are embedded; unchanged ones (same id, title, text and
    /// metadata) are skipped. A text that the index already contains is not embedded again. When the
    /// process is killed, the current batch is lost, and the next update continues from there.
    ///
    /// @param collection read one by one; an exception it throws ends the update
    /// @param removeMissing whether to remove documents that the collection does not contain, once it
    ///     was read to its end
    /// @throws IOException if the index cannot be written
    /// @throws CancelledException if the thread is interrupted; earlier batches stay
    /// @throws IllegalStateException if the index is open for reading only
    public UpdateReport update(Iterator<Document> collection, boolean removeMissing, UpdateListener listener)
            throws IOException {
        return update(collection, removeMissing, new BatchSize(), listener);
    }

    UpdateReport update(Iterator<Document> collection, boolean removeMissing, BatchSize size, UpdateListener listener)
            throws IOException {
        return embedding(() -> {
            DocumentWriter to = documentWriter();
            if (pending) {
                // The update compares the collection with what searches see.
                commit();
            }
            return new CorpusUpdate(this, to, size, listener).run(collection, removeMissing);
        });
    }

    /// Merges the index's parts into one, which makes searches faster and takes a while; also drops
    /// removed documents.
    ///
    /// @throws IOException if the index cannot be written
    /// @throws IllegalStateException if the index is open for reading only
    public void optimize() throws IOException {
        changing(() -> {
            requireWriter().call(w -> {
                w.forceMerge(1);
                return w;
            });
            commit();
            return this;
        });
    }

    /// Runs a change to its end while no other thread changes the index.
    private <T> T changing(IndexFiles.Reading<T> change) throws IOException {
        changing.lock();
        try {
            return change.read();
        } finally {
            changing.unlock();
        }
    }

    /// As [#changing], but an interrupt ends the wait for other threads. If there is no wait, the
    /// change itself decides whether an interrupt ends it.
    private <T> T embedding(IndexFiles.Reading<T> change) throws IOException {
        if (!changing.tryLock()) {
            try {
                changing.lockInterruptibly();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CancelledException(
                        path + ": adding documents was cancelled: the calling thread was interrupted");
            }
        }
        try {
            return change.read();
        } finally {
            changing.unlock();
        }
    }

    /// Shows searches what another process has committed since.
    ///
    /// @throws IOException if the index cannot be read
    public void refresh() throws IOException {
        if (writer.isPresent()) {
            writer.get().run(this::refreshSearchers);
        } else {
            WriterThread.aside(this::refreshSearchers);
        }
    }

    private ReferenceManager<IndexSearcher> refreshSearchers() throws IOException {
        return IndexFiles.whileOpen(path, () -> {
            // Waits even if another thread is refreshing already: it may have begun before the commit
            // that this one must see.
            searchers.maybeRefreshBlocking();
            return searchers;
        });
    }

    /// The embeddings of documents as the index keeps them: scaled to length 1 if they are compared by the
    /// cosine, otherwise as they were added; of a document with several passages that of the first.
    ///
    /// @return `[dimension]` by id, without documents that the index does not contain, or that have no
    ///     direction to be compared by
    /// @throws IOException if the index cannot be read
    public Map<String, float[]> vectors(Collection<String> ids) throws IOException {
        List<String> possible = IndexFiles.checkIds(ids);
        return reading(searcher -> new Lookup(searcher.getIndexReader()).vectors(possible));
    }

    /// Searches with the default options except the number of documents: the nearest by meaning.
    ///
    /// @param limit at most this many, at least 1
    /// @throws IOException if the index cannot be read
    /// @throws CancelledException if the thread is interrupted
    public List<Hit> search(String query, int limit) throws IOException {
        return search(query, SearchOptions.DEFAULT.withLimit(limit));
    }

    /// Searches without re-ranking.
    ///
    /// @return documents, best first; equal scores in the order of their ids
    /// @throws IOException if the index cannot be read
    /// @throws CancelledException if the thread is interrupted
    /// @throws IllegalArgumentException if the options ask for re-ranking
    /// @throws IllegalStateException if the index is closed, or was opened without a model that the search
    ///     needs
    public List<Hit> search(String query, SearchOptions options) throws IOException {
        return search(List.of(query), options, Optional.empty()).getFirst();
    }

    /// Searches by meaning with a query embedding that was computed elsewhere, by the same model used
    /// in the same way.
    ///
    /// @param vector `[dimension]`, of any length
    /// @return documents, best first; equal scores in the order of their ids
    /// @throws IOException if the index cannot be read
    /// @throws CancelledException if the thread is interrupted
    /// @throws IllegalArgumentException if the vector does not fit the model or is not finite, or if
    ///     the options ask for keyword search or re-ranking, which need a text
    public List<Hit> search(float[] vector, SearchOptions options) throws IOException {
        VectorIndex.requireVector(vector, model().dimension());
        if (options.mode() != SearchMode.DENSE || options.rerank() > 0) {
            throw new IllegalArgumentException(
                    "search by vector: expected mode dense without re-ranking, got " + options);
        }
        float[] prepared = space.prepare(vector);
        return List.copyOf(
                reading(searcher -> new FirstStage(searcher, analyzer, space, options).search("", prepared)));
    }

    /// Searches by meaning, words, or both, with a query embedding that was computed elsewhere, by the
    /// same model used in the same way.
    ///
    /// @param query searched for by words
    /// @param vector its embedding, `[dimension]`, of any length; ignored by a search by words only
    /// @return documents, best first; equal scores in the order of their ids
    /// @throws IOException if the index cannot be read
    /// @throws CancelledException if the thread is interrupted
    /// @throws IllegalArgumentException if the vector is needed and does not fit the model or is not
    ///     finite, or if the options ask for re-ranking
    /// @throws IllegalStateException if the index is closed
    public List<Hit> search(String query, float[] vector, SearchOptions options) throws IOException {
        if (options.rerank() > 0) {
            throw new IllegalArgumentException("search by vector: expected no re-ranking, got " + options);
        }
        float[] prepared = options.mode() == SearchMode.BM25
                ? new float[0]
                : space.prepare(VectorIndex.requireVector(vector, model().dimension()));
        return List.copyOf(
                reading(searcher -> new FirstStage(searcher, analyzer, space, options).search(query, prepared)));
    }

    /// Searches for several queries, which are embedded together.
    ///
    /// @param reranker scores the first documents of each query; these come first, in the order of its
    ///     scores
    /// @return for each query in order: documents, best first; equal scores in the order of their ids
    /// @throws IOException if the index cannot be read
    /// @throws CancelledException if the thread is interrupted
    /// @throws IllegalArgumentException if the options ask for re-ranking and there is no re-ranker
    /// @throws IllegalStateException if the index is closed, or was opened without a model that the search
    ///     needs
    public List<List<Hit>> search(List<String> queries, SearchOptions options, Optional<CrossEncoder> reranker)
            throws IOException {
        if (options.rerank() > 0 && reranker.isEmpty()) {
            throw new IllegalArgumentException("re-ranking: expected a cross-encoder, got none");
        }
        Interrupts.check("search");
        List<float[]> vectors =
                options.mode() == SearchMode.BM25 ? Collections.nCopies(queries.size(), new float[0]) : embed(queries);
        List<List<Hit>> results = new ArrayList<>();
        for (int i = 0; i < queries.size(); i++) {
            String query = queries.get(i);
            float[] vector = vectors.get(i);
            List<Hit> hits =
                    reading(searcher -> new FirstStage(searcher, analyzer, space, options).search(query, vector));
            if (options.rerank() > 0) {
                Interrupts.check("search");
                hits = Reranking.reorder(reranker.orElseThrow(), query, hits, options.rerank());
            }
            results.add(List.copyOf(hits.subList(0, Math.min(options.limit(), hits.size()))));
        }
        return results;
    }

    private List<float[]> embed(List<String> queries) {
        BiEncoder with = encoder.orElseThrow(() ->
                new IllegalStateException(path + ": opened without a model, so it can be searched by words only"));
        List<float[]> vectors = new ArrayList<>();
        for (float[] vector : with.embed(queries, TextKind.QUERY)) {
            vectors.add(space.prepare(vector));
        }
        return vectors;
    }

    /// Something done with one state of the index.
    @FunctionalInterface
    interface Reading<T> {
        T with(IndexSearcher searcher) throws IOException;
    }

    <T> T reading(Reading<T> reading) throws IOException {
        return IndexFiles.whileOpen(path, () -> {
            IndexSearcher searcher = searchers.acquire();
            try {
                return reading.with(searcher);
            } finally {
                searchers.release(searcher);
            }
        });
    }

    private DocumentWriter documentWriter() {
        return new DocumentWriter(requireWriter(), encoder.orElseThrow(), space, metadata.passages());
    }

    private WriterThread requireWriter() {
        return writer.orElseThrow(() -> new IllegalStateException(path + ": the index is open for reading only"));
    }

    /// Commits what was added, and closes.
    ///
    /// @throws IOException if the index cannot be written, or if added documents are lost because an
    ///     earlier failure ended writing
    @Override
    public void close() throws IOException {
        changing(() -> {
            try {
                searchers.close();
            } finally {
                IndexOpening.close(writer, analyzer, directories);
            }
            return this;
        });
    }
}
