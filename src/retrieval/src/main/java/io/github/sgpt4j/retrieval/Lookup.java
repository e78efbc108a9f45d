package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.passage.TextRange;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.lucene.index.BinaryDocValues;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.KnnVectorValues;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.PostingsEnum;
import org.apache.lucene.index.Terms;
import org.apache.lucene.index.TermsEnum;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.BytesRef;

/// Finds documents by id or content in one state of an index. Not thread-safe.
final class Lookup {
    private final List<Leaf> byId;
    private final List<Leaf> byHash;

    /// A document of the index.
    ///
    /// @param number its number in this state of the index
    /// @param hash of its content
    /// @param metadataHash of its metadata; empty if it has none
    record Place(int number, BytesRef hash, BytesRef metadataHash) {}

    private record Leaf(LeafReaderContext context, TermsEnum terms) {}

    Lookup(IndexReader reader) throws IOException {
        byId = leaves(reader, Fields.ID);
        byHash = leaves(reader, Fields.HASH);
    }

    private static List<Leaf> leaves(IndexReader reader, String field) throws IOException {
        List<Leaf> leaves = new ArrayList<>();
        for (LeafReaderContext context : reader.leaves()) {
            Terms terms = context.reader().terms(field);
            if (terms != null) {
                leaves.add(new Leaf(context, terms.iterator()));
            }
        }
        return leaves;
    }

    /// The document of an id.
    Optional<Place> find(String id) throws IOException {
        BytesRef term = new BytesRef(id);
        for (Leaf leaf : byId) {
            int document = document(leaf, term);
            if (document != DocIdSetIterator.NO_MORE_DOCS) {
                LeafReader reader = leaf.context.reader();
                return Optional.of(new Place(
                        leaf.context.docBase + document,
                        column(reader, Fields.HASH, document),
                        column(reader, Fields.METADATA_HASH, document)));
            }
        }
        return Optional.empty();
    }

    private static BytesRef column(LeafReader reader, String field, int document) throws IOException {
        BinaryDocValues values = reader.getBinaryDocValues(field);
        return values != null && values.advanceExact(document)
                ? BytesRef.deepCopyOf(values.binaryValue())
                : new BytesRef();
    }

    /// The vectors of the passages of a document with this content, empty arrays for those without tokens; an
    /// empty `Optional` if there is no such document.
    ///
    /// @param text of the document
    Optional<EmbeddedText> embedded(BytesRef hash, String text) throws IOException {
        for (Leaf leaf : byHash) {
            int document = document(leaf, hash);
            if (document != DocIdSetIterator.NO_MORE_DOCS) {
                return Optional.of(embedded(leaf.context.reader(), document, text));
            }
        }
        return Optional.empty();
    }

    private static EmbeddedText embedded(LeafReader reader, int document, String text) throws IOException {
        int end = Rows.of(reader).end(document);
        if (end == document + 1) {
            return EmbeddedText.whole(text, vector(reader, document));
        }
        List<TextRange> ranges = Fields.ranges("", reader.storedFields().document(document, Fields.SPLIT));
        List<float[]> vectors = new ArrayList<>();
        for (int row = document; row < end; row++) {
            vectors.add(vector(reader, row));
        }
        StoredDocuments.requirePassages(column(reader, Fields.ID, document).utf8ToString(), ranges, end - document);
        return new EmbeddedText(ranges, vectors);
    }

    /// The vectors of documents, of their first passages, by their ids, without those that the index does not contain
    /// or has no
    /// vector of.
    Map<String, float[]> vectors(Collection<String> ids) throws IOException {
        Map<String, float[]> vectors = new LinkedHashMap<>();
        for (String id : ids) {
            BytesRef term = new BytesRef(id);
            for (Leaf leaf : byId) {
                int document = document(leaf, term);
                if (document != DocIdSetIterator.NO_MORE_DOCS) {
                    float[] vector = vector(leaf.context.reader(), document);
                    if (vector.length > 0) {
                        vectors.put(id, vector);
                    }
                }
            }
        }
        return vectors;
    }

    private static float[] vector(LeafReader reader, int document) throws IOException {
        FloatVectorValues vectors = reader.getFloatVectorValues(Fields.VECTOR);
        if (vectors == null) {
            return new float[0];
        }
        KnnVectorValues.DocIndexIterator iterator = vectors.iterator();
        return iterator.advance(document) == document
                ? vectors.vectorValue(iterator.index()).clone()
                : new float[0];
    }

    /// The first live document with a term. Of a document with several passages that is its own row.
    private static int document(Leaf leaf, BytesRef term) throws IOException {
        if (!leaf.terms.seekExact(term)) {
            return DocIdSetIterator.NO_MORE_DOCS;
        }
        Bits live = leaf.context.reader().getLiveDocs();
        PostingsEnum postings = leaf.terms.postings(null, PostingsEnum.NONE);
        int document = postings.nextDoc();
        while (document != DocIdSetIterator.NO_MORE_DOCS && live != null && !live.get(document)) {
            document = postings.nextDoc();
        }
        return document;
    }
}
