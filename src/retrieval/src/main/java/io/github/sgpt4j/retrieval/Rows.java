package io.github.sgpt4j.retrieval;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.NumericDocValues;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.FixedBitSet;
import org.jspecify.annotations.Nullable;

/// Which rows of one part of an index belong to which document. A document is a row, Lucene's "document",
/// with the vector of its first passage; the rows of its other passages follow at once, in their order. They
/// are written, merged and removed together. A part without such rows costs nothing here.
final class Rows {
    /// By parts that are open.
    private static final Map<IndexReader.CacheKey, Rows> KNOWN = new ConcurrentHashMap<>();

    private final int size;

    /// The rows that are documents; null if all are.
    private final @Nullable FixedBitSet documents;

    private Rows(int size, @Nullable FixedBitSet documents) {
        this.size = size;
        this.documents = documents;
    }

    /// Of a part, removed rows included.
    static Rows of(LeafReader part) throws IOException {
        if (part.getFieldInfos().fieldInfo(Fields.PASSAGE) == null) {
            return new Rows(part.maxDoc(), null);
        }
        IndexReader.CacheHelper open = part.getCoreCacheHelper();
        Rows known = open == null ? null : KNOWN.get(open.getKey());
        if (known != null) {
            return known;
        }
        Rows rows = read(part);
        if (open != null && KNOWN.putIfAbsent(open.getKey(), rows) == null) {
            open.addClosedListener(KNOWN::remove);
        }
        return rows;
    }

    private static Rows read(LeafReader part) throws IOException {
        FixedBitSet documents = new FixedBitSet(Math.max(1, part.maxDoc()));
        documents.set(0, part.maxDoc());
        NumericDocValues passages = part.getNumericDocValues(Fields.PASSAGE);
        if (passages != null) {
            for (int row = passages.nextDoc(); row != DocIdSetIterator.NO_MORE_DOCS; row = passages.nextDoc()) {
                documents.clear(row);
            }
        }
        // The first row is a document even where a damaged index says otherwise.
        documents.set(0);
        return new Rows(part.maxDoc(), documents);
    }

    /// Number of documents of an index that are not removed.
    static int count(IndexReader reader) throws IOException {
        int count = 0;
        for (LeafReaderContext leaf : reader.leaves()) {
            count += of(leaf.reader()).count(leaf.reader());
        }
        return count;
    }

    private int count(LeafReader part) {
        if (documents == null) {
            return part.numDocs();
        }
        Bits live = part.getLiveDocs();
        if (live == null) {
            return documents.cardinality();
        }
        int count = 0;
        for (int row = 0; row < size; row = end(row)) {
            count += live.get(row) ? 1 : 0;
        }
        return count;
    }

    /// Whether each row is a document.
    boolean areDocuments() {
        return documents == null;
    }

    /// Whether a row is a document, and not one of its other passages.
    boolean isDocument(int row) {
        return documents == null || documents.get(row);
    }

    /// The document that a row belongs to.
    int document(int row) {
        return documents == null ? row : documents.prevSetBit(row);
    }

    /// The row after the last passage of a document.
    int end(int document) {
        if (documents == null || document + 1 >= size) {
            return document + 1;
        }
        int next = documents.nextSetBit(document + 1);
        return Math.min(next, size);
    }

    /// Leaves only documents in a set of rows.
    void keepDocuments(FixedBitSet rows) {
        if (documents != null) {
            rows.and(documents);
        }
    }

    /// Adds the other passages of the documents in a set.
    void addPassages(FixedBitSet rows) {
        if (documents == null || rows.length() == 0) {
            return;
        }
        for (int row = rows.nextSetBit(0); row != DocIdSetIterator.NO_MORE_DOCS; ) {
            int end = end(row);
            rows.set(row, end);
            row = end < size ? rows.nextSetBit(end) : DocIdSetIterator.NO_MORE_DOCS;
        }
    }
}
