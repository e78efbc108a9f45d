package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.Embedding;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import io.github.sgpt4j.retrieval.passage.PassageOptions;
import io.github.sgpt4j.retrieval.passage.PassageSplitter;
import io.github.sgpt4j.retrieval.passage.SplitText;
import io.github.sgpt4j.retrieval.passage.TokenCounter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.lucene.util.BytesRef;

/// Writes documents to an index. Only texts that are new to the index are embedded.
///
/// @param writer borrowed
/// @param encoder borrowed
/// @param space of the index
/// @param passages how long documents are split
record DocumentWriter(WriterThread writer, BiEncoder encoder, VectorSpace space, PassageOptions passages) {
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
        private final Supplier<PassageSplitter> splitters;
        private Optional<PassageSplitter> splitter = Optional.empty();
        private final Map<BytesRef, EmbeddedText> texts = new LinkedHashMap<>();
        private final Map<BytesRef, SplitText> toEmbed = new LinkedHashMap<>();
        private long replaced;
        private long unchanged;
        private long embedded;
        private long cut;

        /// @param splitters makes one when the first document is to be split: a call that embeds nothing needs no
        ///     tokenizer, and so is not ended by an interrupt
        Plan(Supplier<PassageSplitter> splitters) {
            this.splitters = splitters;
        }

        SplitText split(Document document) {
            Interrupts.check("splitting documents");
            if (splitter.isEmpty()) {
                splitter = Optional.of(splitters.get());
            }
            return splitter.get().split(document).distinct();
        }
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
        Plan plan = new Plan(() -> new PassageSplitter(passages, TokenCounter.of(encoder)));
        for (Document document : byId.values()) {
            plan(document, known, current, plan);
        }
        embed(plan, listener);
        long rows = writer.call(w -> {
            long count = 0;
            for (Task task : plan.tasks) {
                EmbeddedText text = Objects.requireNonNull(plan.texts.get(task.hash));
                // All rows at once: they stay together, and no search sees only some of them.
                w.updateDocuments(
                        Fields.idTerm(task.document.id()), Fields.rows(task.document, task.hash, space, text));
                count += text.vectors().size();
            }
            return count;
        });
        long written = plan.tasks.size();
        return new UpdateReport(
                0, written - plan.replaced, plan.replaced, plan.unchanged, 0, plan.embedded, rows, plan.cut);
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

    private void plan(Document document, Lookup known, boolean current, Plan plan) throws IOException {
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
        if (!plan.texts.containsKey(hash) && !plan.toEmbed.containsKey(hash)) {
            Optional<EmbeddedText> text = known.embedded(hash, document.text());
            if (text.isPresent()) {
                plan.texts.put(hash, text.get());
            } else {
                plan.toEmbed.put(hash, passages.isOff() ? SplitText.whole(document) : plan.split(document));
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
        List<String> texts = new ArrayList<>();
        plan.toEmbed.values().forEach(split -> texts.addAll(split.texts()));
        if (texts.isEmpty()) {
            return;
        }
        Interrupts.check("embedding documents");
        long documents = plan.toEmbed.size();
        List<Embedding> embeddings = encoder.embeddings(
                texts,
                TextKind.DOCUMENT,
                (done, total) -> listener.embedded(done * documents / Math.max(1, total), documents));
        int next = 0;
        for (Map.Entry<BytesRef, SplitText> entry : plan.toEmbed.entrySet()) {
            SplitText split = entry.getValue();
            List<float[]> vectors = new ArrayList<>();
            for (int i = 0; i < split.texts().size(); i++) {
                Embedding embedding = embeddings.get(next);
                vectors.add(space.prepare(embedding.vector()));
                plan.cut += embedding.uncutTokens() > embedding.tokens() ? 1 : 0;
                next++;
            }
            plan.cut += split.titleCut() ? 1 : 0;
            plan.texts.put(entry.getKey(), new EmbeddedText(split.ranges(), vectors));
        }
        plan.embedded = texts.size();
    }
}
