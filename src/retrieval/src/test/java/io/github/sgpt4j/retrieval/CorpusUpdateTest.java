package io.github.sgpt4j.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CorpusUpdateTest {
    private static final Path MODEL = Path.of("../engine/src/test/resources/goldens/models/gptneo-be");

    @TempDir
    private Path folder;

    private BiEncoder encoder;
    private SemanticIndex index;

    @BeforeEach
    void openIndex() throws IOException {
        encoder = BiEncoder.open(MODEL);
        index = SemanticIndex.open(folder, encoder);
    }

    @AfterEach
    void closeIndex() throws IOException {
        index.close();
        encoder.close();
    }

    @Test
    void embedsOnlyWhatIsNewOrChanged() throws IOException {
        List<Document> documents = documents(700);
        assertEquals(new UpdateReport(700, 700, 0, 0, 0, 700), update(documents, false));
        assertEquals(new UpdateReport(700, 0, 0, 700, 0, 0), update(documents, false));
        documents.set(5, Document.of("id5", "altered"));
        documents.set(6, new Document("id6", Optional.of(""), documents.get(6).text()));
        documents.add(Document.of("id700", "more"));
        assertEquals(new UpdateReport(701, 1, 2, 698, 0, 3), update(documents, false));
        assertEquals(701, index.size());
        assertEquals(
                List.of("id5"),
                index.search("altered", SearchOptions.DEFAULT.withMode(SearchMode.BM25)).stream()
                        .map(hit -> hit.document().id())
                        .toList());
    }

    @Test
    void takesVectorsOfEqualTextsFromTheIndex() throws IOException {
        update(documents(300), false);
        List<Document> renamed = documents(300).stream()
                .map(document -> Document.of("other-" + document.id(), document.text()))
                .toList();
        assertEquals(new UpdateReport(300, 300, 0, 0, 0, 0), update(renamed, false));
        List<Document> equal = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            equal.add(Document.of("equal" + i, "the same again"));
        }
        assertEquals(1, update(equal, false).embedded());
        List<Hit> hits = index.search(
                "the same again", SearchOptions.DEFAULT.withLimit(50).withExact(true));
        assertEquals(
                50,
                hits.stream()
                        .filter(hit -> hit.document().id().startsWith("equal"))
                        .count());
    }

    @Test
    void removesWhatTheCollectionLacksOnlyWhenAsked() throws IOException {
        update(documents(300), false);
        assertEquals(0, update(documents(290), false).removed());
        assertEquals(300, index.size());
        UpdateReport report = update(documents(400).subList(200, 400), true);
        assertEquals(new UpdateReport(200, 100, 0, 100, 200, 100), report);
        assertEquals(200, index.size());
        assertEquals(200, update(List.of(), true).removed());
        assertEquals(0, index.size());
    }

    @Test
    void keepsWhatWasCommittedWhenTheCollectionFails() throws IOException {
        Iterator<Document> all = documents(1000).iterator();
        Iterator<Document> failing = new Iterator<>() {
            private int count;

            @Override
            public boolean hasNext() {
                return all.hasNext();
            }

            @Override
            public Document next() {
                if (++count > 600) {
                    throw new IllegalStateException("broken line");
                }
                return all.next();
            }
        };
        assertThrows(IllegalStateException.class, () -> index.update(failing, true, UpdateListener.NONE));
        assertEquals(256, index.size());
        assertEquals(256, update(documents(1000), true).unchanged());
        assertEquals(1000, index.size());
    }

    @Test
    void ofEqualIdsTheLastCounts() throws IOException {
        UpdateReport report =
                update(List.of(Document.of("a", "first"), Document.of("b", "x"), Document.of("a", "second")), false);
        assertEquals(new UpdateReport(3, 2, 0, 0, 0, 2), report);
        assertEquals("second", index.search("second", 1).getFirst().document().text());
        index.add(List.of(Document.of("a", "third")));
        index.add(List.of(Document.of("a", "fourth")));
        index.commit();
        assertEquals(2, index.size());
    }

    @Test
    void tellsHowFarItIs() throws IOException {
        List<String> events = new ArrayList<>();
        index.update(documents(300).iterator(), false, new UpdateListener() {
            private long last;

            @Override
            public void batchRead() {
                events.add("read");
                last = 0;
            }

            @Override
            public void embedded(long done, long total) {
                assertTrue(done > last && done <= total);
                last = done;
            }

            @Override
            public void committed(UpdateReport soFar) {
                events.add("committed " + soFar.read());
            }
        });
        assertEquals(List.of("read", "committed 256", "read", "committed 300"), events);
    }

    @Test
    void makesBatchesOfSomeSeconds() {
        BatchSize size = new BatchSize();
        assertEquals(256, size.texts());
        size.observe(256, 1000, 0.1);
        assertEquals(1024, size.texts());
        size.observe(1024, 1000, 256);
        assertEquals(60, size.texts());
        size.observe(60, 1000, 60);
        assertEquals(32, size.texts());
        size.observe(0, 1000, 60);
        assertEquals(32, size.texts());
        for (int i = 0; i < 9; i++) {
            size.observe(size.texts(), 1000, 1e-3);
        }
        assertEquals(16384, size.texts());
    }

    private UpdateReport update(List<Document> documents, boolean removeMissing) throws IOException {
        return index.update(documents.iterator(), removeMissing, UpdateListener.NONE);
    }

    private static List<Document> documents(int count) {
        List<Document> documents = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            documents.add(Document.of("id" + i, "text number " + i));
        }
        return documents;
    }
}
