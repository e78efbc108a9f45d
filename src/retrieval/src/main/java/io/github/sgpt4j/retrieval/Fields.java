package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.corpus.Metadata;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.lucene.document.BinaryDocValuesField;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.index.IndexableField;
import org.apache.lucene.index.Term;
import org.apache.lucene.util.BytesRef;

/// How a document is stored in an index: id and content hash, both searchable and as columns; title,
/// text and metadata, stored; the words; the terms of the metadata, and their hash as a column; and the
/// embedding, as a [VectorSpace] keeps it. A document without metadata has no such fields. Under cosine
/// similarity a document without tokens, whose embedding is zero, has no direction and so no vector.
final class Fields {
    static final String ID = "id";
    static final String HASH = "hash";
    static final String VECTOR = "vector";
    static final String METADATA_TERMS = "metadata.terms";
    static final String METADATA_HASH = "metadata.hash";

    private static final String TITLE = "title";
    private static final String TEXT = "text";
    private static final String METADATA = "metadata";

    /// The stored fields that [#document] needs.
    static final Set<String> STORED = Set.of(TITLE, TEXT, METADATA);

    private Fields() {}

    static Term idTerm(String id) {
        return new Term(ID, id);
    }

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
        if (vector.length > 0) {
            fields.add(new KnnFloatVectorField(VECTOR, vector, space.function()));
        }
        return fields;
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
