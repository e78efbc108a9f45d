package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.lucene.util.BytesRef;

/// Writes documents to an index. Only texts that are new to the index are embedded.
///
/// @param writer borrowed
/// @param encoder borrowed
/// @param space of the index
record DocumentWriter(WriterThread writer, BiEncoder encoder, VectorSpace space) {
    /// Whether a document differs from what the index holds.
    private enum Change {
        NEW,
        CHANGED,
        NONE
    }

    /// A document to write.
    private record Task(Document document, BytesRef hash) {}

    /// Documents to write, and the vectors already known for them.
    private static final class Plan {
        private final List<Task> tasks = new ArrayList<>();
        private final Map<BytesRef, float[]> vectors = new LinkedHashMap<>();
        private final Map<BytesRef, String> toEmbed = new LinkedHashMap<>();
        private long replaced;
        private long unchanged;
    }

    /// Adds documents, or replaces those with the same ids. If an id occurs several times, the last
    /// document counts.
    ///
    /// @param known what the index holds
    /// @param current whether that is all that was added and removed; if not, documents that are in it are
    ///     written again
    /// @return what was done, without the number of documents read
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted before all texts
    ///     are embedded; then nothing was written
    UpdateReport write(Collection<Document> documents, Lookup known, boolean current, UpdateListener listener)
            throws IOException {
        Map<String, Document> byId = new LinkedHashMap<>();
        documents.forEach(document -> byId.put(IndexFiles.check(document).id(), document));
        Plan plan = new Plan();
        for (Document document : byId.values()) {
            plan(document, known, current, plan);
        }
        embed(plan, listener);
        writer.call(w -> {
            for (Task task : plan.tasks) {
                float[] vector = plan.vectors.getOrDefault(task.hash, new float[0]);
                w.updateDocument(Fields.idTerm(task.document.id()), Fields.of(task.document, task.hash, space, vector));
            }
            return w;
        });
        long written = plan.tasks.size();
        return new UpdateReport(0, written - plan.replaced, plan.replaced, plan.unchanged, 0, plan.toEmbed.size());
    }

    /// Adds documents with their embeddings, or replaces those with the same ids.
    void write(List<Document> documents, float[][] vectors) throws IOException {
        // Checked before anything is written: all are added, or none.
        documents.forEach(IndexFiles::check);
        writer.call(w -> {
            for (int i = 0; i < vectors.length; i++) {
                Document document = documents.get(i);
                w.updateDocument(
                        Fields.idTerm(document.id()),
                        Fields.of(document, ContentHash.of(document), space, space.prepare(vectors[i])));
            }
            return w;
        });
    }

    private static void plan(Document document, Lookup known, boolean current, Plan plan) throws IOException {
        BytesRef hash = ContentHash.of(document);
        Change change = change(known.find(document.id()), document, hash);
        switch (change == Change.NONE && !current ? Change.CHANGED : change) {
            case NONE -> {
                plan.unchanged++;
                return;
            }
            case CHANGED -> plan.replaced++;
            case NEW -> {}
        }
        plan.tasks.add(new Task(document, hash));
        if (!plan.vectors.containsKey(hash) && !plan.toEmbed.containsKey(hash)) {
            Optional<float[]> vector = known.vector(hash);
            if (vector.isPresent()) {
                plan.vectors.put(hash, vector.get());
            } else {
                plan.toEmbed.put(hash, document.joined());
            }
        }
    }

    private static Change change(Optional<Lookup.Place> place, Document document, BytesRef hash) {
        if (place.isEmpty()) {
            return Change.NEW;
        }
        boolean equal =
                place.get().hash().equals(hash) && ContentHash.isOf(place.get().metadataHash(), document.metadata());
        return equal ? Change.NONE : Change.CHANGED;
    }

    private void embed(Plan plan, UpdateListener listener) {
        List<String> texts = List.copyOf(plan.toEmbed.values());
        if (texts.isEmpty()) {
            return;
        }
        Interrupts.check("embedding documents");
        float[][] vectors = encoder.embed(texts, TextKind.DOCUMENT, listener::embedded);
        int i = 0;
        for (BytesRef hash : plan.toEmbed.keySet()) {
            plan.vectors.put(hash, space.prepare(vectors[i]));
            i++;
        }
    }
}
