package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.apache.lucene.index.BinaryDocValues;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.Term;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.FixedBitSet;

/// Brings an index up to date with a collection, in batches, each of which is committed.
final class CorpusUpdate {
    private static final double NANOS = 1e9;

    /// Most documents removed at a time.
    private static final int MAX_TERMS = 10_000;

    private final SemanticIndex index;
    private final DocumentWriter documents;
    private final UpdateListener listener;
    private final BatchSize size;
    private UpdateReport report = UpdateReport.NONE;

    CorpusUpdate(SemanticIndex index, DocumentWriter documents, BatchSize size, UpdateListener listener) {
        this.index = index;
        this.documents = documents;
        this.size = size;
        this.listener = listener;
    }

    /// @param removeMissing whether to remove documents that the collection lacks
    UpdateReport run(Iterator<Document> collection, boolean removeMissing) throws IOException {
        return removeMissing
                ? index.reading(searcher -> runAndRemove(collection, searcher.getIndexReader()))
                : run(collection, Optional.empty());
    }

    private UpdateReport runAndRemove(Iterator<Document> collection, IndexReader before) throws IOException {
        Seen seen = new Seen(new Lookup(before), new FixedBitSet(Math.max(1, before.maxDoc())));
        run(collection, Optional.of(seen));
        Interrupts.check("update");
        long removed = removeUnseen(before, seen.numbers);
        if (removed > 0) {
            commit(new UpdateReport(0, 0, 0, 0, removed, 0));
        }
        return report;
    }

    private UpdateReport run(Iterator<Document> collection, Optional<Seen> seen) throws IOException {
        while (collection.hasNext()) {
            Interrupts.check("update");
            long start = System.nanoTime();
            List<Document> batch = new ArrayList<>();
            long characters = read(collection, batch);
            listener.batchRead();
            if (seen.isPresent()) {
                for (Document document : batch) {
                    seen.get().mark(document.id());
                }
            }
            UpdateReport done = index.reading(
                    searcher -> documents.write(batch, new Lookup(searcher.getIndexReader()), true, listener));
            commit(done.plus(new UpdateReport(batch.size(), 0, 0, 0, 0, 0)));
            size.observe(
                    Math.min(done.embedded(), done.added() + done.replaced()),
                    characters,
                    (System.nanoTime() - start) / NANOS);
        }
        return report;
    }

    /// Reads a batch.
    ///
    /// @return its characters
    private long read(Iterator<Document> collection, List<Document> batch) {
        long characters = 0;
        while (batch.size() < size.texts() && characters < size.characters() && collection.hasNext()) {
            Document document = collection.next();
            characters += document.text().length()
                    + document.title().orElse("").length()
                    + document.metadata().characters();
            batch.add(document);
        }
        return characters;
    }

    private void commit(UpdateReport done) throws IOException {
        report = report.plus(done);
        index.commit();
        listener.committed(report);
    }

    /// The documents of the index that the collection contains.
    private record Seen(Lookup known, FixedBitSet numbers) {
        void mark(String id) throws IOException {
            known.find(id).ifPresent(place -> numbers.set(place.number()));
        }
    }

    private long removeUnseen(IndexReader before, FixedBitSet seen) throws IOException {
        long removed = 0;
        List<Term> unseen = new ArrayList<>();
        for (LeafReaderContext leaf : before.leaves()) {
            Bits live = leaf.reader().getLiveDocs();
            BinaryDocValues ids = leaf.reader().getBinaryDocValues(Fields.ID);
            Rows rows = Rows.of(leaf.reader());
            for (int i = 0; i < leaf.reader().maxDoc(); i = rows.end(i)) {
                boolean alive = live == null || live.get(i);
                if (alive && !seen.get(leaf.docBase + i) && ids != null && ids.advanceExact(i)) {
                    unseen.add(Fields.idTerm(ids.binaryValue().utf8ToString()));
                    removed++;
                }
                if (unseen.size() == MAX_TERMS) {
                    remove(unseen);
                }
            }
        }
        remove(unseen);
        return removed;
    }

    private void remove(List<Term> terms) throws IOException {
        documents.writer().call(w -> w.deleteDocuments(terms.toArray(new Term[0])));
        terms.clear();
    }
}
