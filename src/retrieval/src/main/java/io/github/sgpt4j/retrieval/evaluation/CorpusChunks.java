package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.ProgressListener;
import io.github.sgpt4j.retrieval.corpus.CorpusReader;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// Reads a corpus in chunks of documents, and reports progress in bytes of the file.
final class CorpusChunks implements AutoCloseable {
    private static final int DOCUMENTS = 1024;
    private static final long CHARACTERS = 8L << 20;

    private final CorpusReader reader;
    private final EvaluationListener listener;
    private final String task;
    private final long total;
    private long from;

    CorpusChunks(BeirDataset dataset, EvaluationListener listener, String task) throws IOException {
        reader = dataset.corpus();
        this.listener = listener;
        this.task = task;
        total = reader.size().orElse(0);
        listener.update(task, 0, total);
    }

    /// The next documents; empty at the end.
    ///
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted
    List<Document> next() {
        Interrupts.check("evaluation");
        from = reader.position();
        List<Document> chunk = new ArrayList<>();
        long characters = 0;
        while (chunk.size() < DOCUMENTS && characters < CHARACTERS && reader.hasNext()) {
            Document document = reader.next();
            characters += document.text().length();
            chunk.add(document);
        }
        return chunk;
    }

    /// Reports progress on the chunk returned last.
    ProgressListener progress() {
        long to = reader.position();
        return (done, of) ->
                listener.update(task, from + Math.round((double) (to - from) * done / Math.max(1, of)), total);
    }

    @Override
    public void close() throws IOException {
        listener.update(task, total, total);
        reader.close();
    }
}
