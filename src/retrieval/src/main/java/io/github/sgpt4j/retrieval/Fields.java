package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.corpus.Metadata;
import io.github.sgpt4j.retrieval.passage.TextRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.lucene.document.BinaryDocValuesField;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.document.NumericDocValuesField;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.index.IndexableField;
import org.apache.lucene.index.Term;
import org.apache.lucene.util.BytesRef;

/// How a document is stored in an index: id and content hash, both searchable and as columns; title,
/// text and metadata, stored; the words; the terms of the metadata, and their hash as a column; and the
/// embedding, as a [VectorSpace] keeps it. A document without metadata has no such fields. Under cosine
/// similarity a document without tokens, whose embedding is zero, has no direction and so no vector.
///
/// A document with several passages also has their places, stored, and the embedding is that of the first. The
/// others are rows of their own, right after it ([Rows]): the id again, by which all are removed together; the
/// number of the passage as a column, from 1; and the embedding.
final class Fields {
    static final String ID = "id";
    static final String HASH = "hash";
    static final String VECTOR = "vector";
    static final String METADATA_TERMS = "metadata.terms";
    static final String METADATA_HASH = "metadata.hash";

    /// The number of a passage, from 1; a document, which is also its own passage 0, has none.
    static final String PASSAGE = "passage";

    private static final String PASSAGES = "passages";
    private static final String TITLE = "title";
    private static final String TEXT = "text";
    private static final String METADATA = "metadata";

    /// The stored fields that [#document] and [#ranges] need.
    static final Set<String> STORED = Set.of(TITLE, TEXT, METADATA, PASSAGES);

    /// Those that tell the text and its passages.
    static final Set<String> SPLIT = Set.of(TEXT, PASSAGES);

    private Fields() {}

    static Term idTerm(String id) {
        return new Term(ID, id);
    }

    /// The rows of a document.
    ///
    /// @param document checked by [IndexFiles#check]
    static List<List<IndexableField>> rows(Document document, BytesRef hash, VectorSpace space, EmbeddedText text) {
        List<List<IndexableField>> rows = new ArrayList<>();
        List<IndexableField> first = of(document, hash, space, text.vectors().getFirst());
        rows.add(first);
        if (text.isSplit()) {
            first.add(new StoredField(PASSAGES, PassageCodec.encode(text.ranges())));
        }
        BytesRef id = new BytesRef(document.id());
        for (int i = 1; i < text.vectors().size(); i++) {
            List<IndexableField> row = new ArrayList<>();
            row.add(new StringField(ID, id, Field.Store.NO));
            row.add(new BinaryDocValuesField(ID, id));
            row.add(new NumericDocValuesField(PASSAGE, i));
            addVector(row, space, text.vectors().get(i));
            rows.add(row);
        }
        return rows;
    }

    /// The row of a document that is one passage.
    ///
    /// @param document checked by [IndexFiles#check]
    /// @param vector as [VectorSpace#prepare] made it
    static List<IndexableField> of(Document document, BytesRef hash, VectorSpace space, float[] vector) {
        List<IndexableField> fields = new ArrayList<>();
        BytesRef id = new BytesRef(document.id());
        fields.add(new StringField(ID, id, Field.Store.NO));
        fields.add(new BinaryDocValuesField(ID, id));
        fields.add(new StringField(HASH, hash, Field.Store.NO));
        fields.add(new BinaryDocValuesField(HASH, hash));
        document.title().ifPresent(title -> fields.add(new StoredField(TITLE, title)));
        fields.add(new StoredField(TEXT, document.text()));
        fields.add(Words.field(document.joined()));
        if (!document.metadata().isEmpty()) {
            fields.add(new StoredField(METADATA, MetadataCodec.encode(document.metadata())));
            fields.add(new BinaryDocValuesField(METADATA_HASH, ContentHash.of(document.metadata())));
            MetadataTerms.of(document.metadata()).forEach(term -> fields.add(metadataTerm(term)));
        }
        addVector(fields, space, vector);
        return fields;
    }

    private static void addVector(List<IndexableField> fields, VectorSpace space, float[] vector) {
        if (vector.length > 0) {
            fields.add(new KnnFloatVectorField(VECTOR, vector, space.function()));
        }
    }

    /// The places of the passages in the text, at least one.
    ///
    /// @throws DamagedDocumentException if they are not what [#rows] stores
    static List<TextRange> ranges(String id, org.apache.lucene.document.Document stored)
            throws DamagedDocumentException {
        int length = String.valueOf(stored.get(TEXT)).length();
        BytesRef ranges = stored.getBinaryValue(PASSAGES);
        return ranges == null ? List.of(new TextRange(0, length)) : PassageCodec.decode(id, ranges, length);
    }

    static IndexableField metadataTerm(BytesRef term) {
        return new StringField(METADATA_TERMS, term, Field.Store.NO);
    }

    /// @throws DamagedDocumentException if the metadata are not what [#of] stores
    static Document document(String id, org.apache.lucene.document.Document stored) throws DamagedDocumentException {
        BytesRef metadata = stored.getBinaryValue(METADATA);
        return new Document(
                id,
                Optional.ofNullable(stored.get(TITLE)),
                String.valueOf(stored.get(TEXT)),
                metadata == null ? Metadata.EMPTY : MetadataCodec.decode(id, metadata));
    }
}
