package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.IndexReport.Check;
import io.github.sgpt4j.retrieval.IndexReport.Kind;
import io.github.sgpt4j.retrieval.IndexReport.Outcome;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.lucene.codecs.StoredFieldsReader;
import org.apache.lucene.index.BinaryDocValues;
import org.apache.lucene.index.CodecReader;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.KnnVectorValues;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.util.Bits;

/// Checks every document of an index: its id leads to it, its text is the one that was embedded, its
/// metadata are those that filters see, its passages are in its text and follow it, and their vectors are
/// valid. Holds one document at a time.
final class ContentCheck {
    /// For the squared length of a vector of length 1 in 32-bit numbers.
    private static final double TOLERANCE = 1e-4;

    private final Path path;
    private final IndexMetadata metadata;
    private final IndexReader reader;
    private final VerifyListener listener;
    private final Lookup lookup;
    private final int total;
    private final Map<Kind, String> wrong = new EnumMap<>(Kind.class);
    private long documents;
    private long passages;
    private long withVector;
    private long withMetadata;

    ContentCheck(Path path, IndexMetadata metadata, IndexReader reader, VerifyListener listener) throws IOException {
        this.path = path;
        this.metadata = metadata;
        this.reader = reader;
        this.listener = listener;
        lookup = new Lookup(reader);
        total = Rows.count(reader);
    }

    /// @return checks of ids, texts, metadata and vectors
    List<Check> run() throws IOException {
        try {
            metadata.requireVectors(path, reader);
        } catch (FormatException e) {
            wrong.put(Kind.VECTORS, IndexDamage.what(path, e));
        }
        for (LeafReaderContext leaf : reader.leaves()) {
            check((CodecReader) leaf.reader(), leaf.docBase);
        }
        long without = passages - withVector;
        String rows = passages == documents ? "documents" : "passages";
        if (without > 0 && metadata.similarity() != Similarity.COSINE) {
            wrong.putIfAbsent(Kind.VECTORS, "%,d of %,d %s have no vector".formatted(without, passages, rows));
        }
        return Stream.of(
                        check(Kind.IDS, "%,d, each leads to its document".formatted(documents)),
                        check(
                                Kind.TEXTS,
                                "%,d%s, as they were embedded"
                                        .formatted(
                                                documents,
                                                passages == documents ? "" : " in %,d passages".formatted(passages))),
                        check(
                                Kind.DOCUMENT_METADATA,
                                "%,d documents have some, as they were written".formatted(withMetadata)),
                        check(
                                Kind.VECTORS,
                                "%,d of dimension %d%s"
                                        .formatted(
                                                withVector,
                                                metadata.model().dimension(),
                                                without == 0
                                                        ? ""
                                                        : "; %,d %s have no vector, as if without tokens"
                                                                .formatted(without, rows))))
                .toList();
    }

    private Check check(Kind kind, String allWell) {
        String problem = wrong.get(kind);
        return problem == null ? new Check(kind, Outcome.OK, allWell) : new Check(kind, Outcome.WRONG, problem);
    }

    private void check(CodecReader part, int base) throws IOException {
        Bits live = part.getLiveDocs();
        BinaryDocValues ids = part.getBinaryDocValues(Fields.ID);
        StoredFieldsReader stored = part.getFieldsReader().getMergeInstance();
        FloatVectorValues vectors = wrong.containsKey(Kind.VECTORS) ? null : part.getFloatVectorValues(Fields.VECTOR);
        KnnVectorValues.DocIndexIterator places = vectors == null ? null : vectors.iterator();
        MetadataCheck inPart = new MetadataCheck(part);
        Rows rows = Rows.of(part);
        PassageCheck passageCheck = new PassageCheck(part, rows);
        for (int i = 0; i < part.maxDoc(); i = rows.end(i)) {
            Optional<String> together = passageCheck.alive(i);
            if (together.isPresent()) {
                wrong.putIfAbsent(Kind.IDS, "document number %,d: %s".formatted(base + i, together.get()));
            }
            if (live != null && !live.get(i)) {
                continue;
            }
            documents++;
            passages += rows.end(i) - i;
            if (ids == null || !ids.advanceExact(i)) {
                wrong.putIfAbsent(Kind.IDS, "document number %,d has no id".formatted(base + i));
                continue;
            }
            String id = ids.binaryValue().utf8ToString();
            Optional<Lookup.Place> place = lookup.find(id);
            if (place.isEmpty() || place.get().number() != base + i) {
                wrong.putIfAbsent(
                        Kind.IDS,
                        "id %s leads to %s".formatted(id, place.isEmpty() ? "no document" : "another document"));
            } else {
                contents(id, stored.document(i, Fields.STORED), place.get(), inPart, i, rows.end(i) - i);
            }
            passageCheck.numbered(i, id).ifPresent(problem -> wrong.putIfAbsent(Kind.IDS, problem));
            for (int row = i; vectors != null && places != null && row < rows.end(i); row++) {
                int at = places.docID() < row ? places.advance(row) : places.docID();
                if (at == row) {
                    withVector++;
                    vector(id, vectors.vectorValue(places.index()));
                }
            }
            listener.update("documents", documents, total);
        }
    }

    private void contents(
            String id,
            org.apache.lucene.document.Document stored,
            Lookup.Place place,
            MetadataCheck inPart,
            int number,
            int rows) {
        Document document;
        try {
            document = Fields.document(id, stored);
        } catch (DamagedDocumentException e) {
            wrong.putIfAbsent(Kind.DOCUMENT_METADATA, String.valueOf(e.getMessage()));
            return;
        }
        try {
            StoredDocuments.requirePassages(id, Fields.ranges(id, stored), rows);
        } catch (DamagedDocumentException e) {
            wrong.putIfAbsent(Kind.TEXTS, String.valueOf(e.getMessage()));
        }
        if (!ContentHash.of(document).equals(place.hash())) {
            wrong.putIfAbsent(Kind.TEXTS, "document %s: title or text differs from what was embedded".formatted(id));
        }
        withMetadata += document.metadata().isEmpty() ? 0 : 1;
        inPart.check(number, document.metadata(), place.metadataHash())
                .ifPresent(
                        problem -> wrong.putIfAbsent(Kind.DOCUMENT_METADATA, "document %s: %s".formatted(id, problem)));
    }

    private void vector(String id, float[] vector) {
        double square = 0;
        for (float x : vector) {
            square += (double) x * x;
        }
        if (!Double.isFinite(square)) {
            wrong.putIfAbsent(Kind.VECTORS, "document %s: expected finite numbers".formatted(id));
        } else if (metadata.similarity() == Similarity.COSINE && Math.abs(square - 1) > TOLERANCE) {
            wrong.putIfAbsent(
                    Kind.VECTORS, "document %s: expected length 1, got %s".formatted(id, (float) Math.sqrt(square)));
        }
    }
}
