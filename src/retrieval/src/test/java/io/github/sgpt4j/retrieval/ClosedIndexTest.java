package io.github.sgpt4j.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/// Every call on a closed index fails with the same message.
class ClosedIndexTest {
    private static final List<Document> DOCUMENTS = List.of(Document.of("a", "spiders"), Document.of("b", "bread"));

    @TempDir
    private Path folder;

    @Test
    void aSemanticIndexTellsThatItIsClosed() throws IOException {
        try (BiEncoder encoder = BiEncoder.open(SmallIndex.MODEL)) {
            SemanticIndex index = SemanticIndex.open(folder, encoder);
            index.add(DOCUMENTS);
            index.commit();
            index.close();
            SearchOptions options = SearchOptions.DEFAULT;
            assertClosed(() -> index.search("spiders", 1));
            assertClosed(() -> index.search("spiders", options.withMode(SearchMode.BM25)));
            assertClosed(() -> index.search(List.of("spiders", "bread"), options, Optional.empty()));
            assertClosed(() -> index.search(new float[index.model().dimension()], options));
            assertClosed(index::size);
            assertClosed(index::refresh);
            assertClosed(() -> index.add(DOCUMENTS));
            assertClosed(index::commit);
        }
    }

    @Test
    void anIndexOpenForReadingTellsThatItIsClosed() throws IOException {
        try (BiEncoder encoder = BiEncoder.open(SmallIndex.MODEL)) {
            SmallIndex.make(folder, encoder, VectorStorage.FLOAT32);
        }
        SemanticIndex index = SemanticIndex.openReadOnly(folder);
        index.close();
        assertClosed(() -> index.search("spiders", SearchOptions.DEFAULT.withMode(SearchMode.BM25)));
        assertClosed(index::size);
        assertClosed(index::refresh);
    }

    @Test
    void aBm25IndexTellsThatItIsClosed() throws IOException {
        Bm25Index index = Bm25Index.build(folder, DOCUMENTS.iterator());
        assertEquals("a", index.search("spiders", 1).getFirst().id());
        index.close();
        assertClosed(() -> index.search("spiders", 1));
    }

    private void assertClosed(Executable call) {
        IllegalStateException failure = assertThrows(IllegalStateException.class, call);
        assertEquals(IllegalStateException.class, failure.getClass());
        assertEquals(folder + ": the index is closed", failure.getMessage());
    }
}
