package io.github.sgpt4j.cli.serve;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.cli.console.LuceneLog;
import io.github.sgpt4j.cli.input.Corpus;
import io.github.sgpt4j.cli.model.DemoVectors;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.server.SgptServer;
import io.github.sgpt4j.server.search.MemoryCollection;
import io.github.sgpt4j.server.search.SearchCollection;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/// The demo corpus as documents to search. Its embeddings are cached; without a cache they take some seconds.
final class DemoCollection {
    private static final String NAME = "demo corpus";

    /// The first requests come before it, so that the server answers soon after its start.
    private static final Duration PAUSE = Duration.ofSeconds(1);

    private DemoCollection() {}

    /// Gives a server the demo corpus as soon as it is read, in the background.
    ///
    /// @param encoder the built-in model
    /// @param say told if it cannot be searched
    static void open(SgptServer server, BiEncoder encoder, Dtype dtype, Consumer<String> say) {
        Thread.ofPlatform().daemon().name("sgpt-demo").start(() -> {
            boolean given = false;
            try {
                Thread.sleep(PAUSE);
                LuceneLog.silence();
                List<Document> documents = Corpus.demo();
                float[][] vectors = new DemoVectors(dtype)
                        .get(() -> encoder.embedDocuments(
                                documents.stream().map(Document::joined).toList()));
                give(server, MemoryCollection.of(NAME, documents, vectors, encoder));
                given = true;
            } catch (IOException | SgptException e) {
                say.accept("the demo corpus cannot be searched: " + e.getMessage());
            } catch (IllegalStateException | InterruptedException e) {
                // The server is ending.
                return;
            } finally {
                if (!given) {
                    server.searchNothing();
                }
            }
        });
    }

    /// Lets a server search documents, or closes them if it is ending.
    static void give(SgptServer server, SearchCollection collection) throws IOException {
        try {
            server.search(collection);
        } catch (IllegalStateException e) {
            collection.close();
            throw e;
        }
    }
}
