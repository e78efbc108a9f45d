package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.retrieval.corpus.Document;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/// A corpus's documents one by one; reports progress after each chunk.
final class ChunkedDocuments implements Iterator<Document> {
    private final CorpusChunks chunks;
    private Iterator<Document> current = List.<Document>of().iterator();

    ChunkedDocuments(CorpusChunks chunks) {
        this.chunks = chunks;
    }

    @Override
    public boolean hasNext() {
        if (!current.hasNext()) {
            chunks.progress().update(1, 1);
            current = chunks.next().iterator();
        }
        return current.hasNext();
    }

    @Override
    public Document next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        return current.next();
    }
}
