package io.github.sgpt4j.server.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.SearchMode;
import io.github.sgpt4j.retrieval.SearchOptions;
import io.github.sgpt4j.retrieval.SemanticIndex;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IndexCollectionTest {
    @TempDir
    private Path folder;

    @Test
    void findsWhatOthersCommitWhileItIsOpen() throws IOException {
        try (BiEncoder encoder = NanoModel.open();
                SemanticIndex writer = SemanticIndex.open(folder, encoder)) {
            writer.add(List.of(Document.of("a", "an owl")));
            writer.commit();
            try (IndexCollection collection = IndexCollection.open(folder, Optional.of(encoder), Duration.ZERO);
                    IndexCollection late = IndexCollection.open(folder, Optional.of(encoder), Duration.ofDays(1))) {
                assertEquals(List.of("a"), ids(collection));
                writer.add(List.of(Document.of("b", "owls")));
                assertEquals(List.of("a"), ids(collection));
                writer.commit();
                assertEquals(List.of("a", "b"), ids(collection));
                assertEquals(2, collection.size());
                // Looks no more often than it was told.
                assertEquals(List.of("a"), ids(late));
            }
        }
    }

    private static List<String> ids(IndexCollection collection) throws IOException {
        return collection.search("owl", new float[0], SearchOptions.DEFAULT.withMode(SearchMode.BM25)).stream()
                .map(hit -> hit.document().id())
                .sorted()
                .toList();
    }

    @Test
    void isNamedAfterItsFolderAndKnowsItsModes() throws IOException {
        try (BiEncoder encoder = NanoModel.open()) {
            Path path = folder.resolve("shelf");
            SemanticIndex.open(path, encoder).close();
            try (IndexCollection with = IndexCollection.open(path, Optional.of(encoder));
                    IndexCollection without = IndexCollection.open(path, Optional.empty())) {
                assertEquals("shelf", with.name());
                assertEquals(List.of(SearchMode.BM25, SearchMode.DENSE, SearchMode.HYBRID), with.modes());
                assertEquals(List.of(SearchMode.BM25), without.modes());
            }
            Path absent = folder.resolve("absent");
            assertThrows(FormatException.class, () -> IndexCollection.open(absent, Optional.of(encoder)));
        }
    }
}
