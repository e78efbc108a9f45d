package io.github.sgpt4j.retrieval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.ProgressListener;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.corpus.Metadata;
import io.github.sgpt4j.retrieval.filter.Filter;
import io.github.sgpt4j.retrieval.passage.PassageOptions;
import io.github.sgpt4j.retrieval.passage.TextRange;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.lucene.document.NumericDocValuesField;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PassageIndexTest {
    private static final PassageOptions PASSAGES = new PassageOptions(32, 8);
    private static final String FACT = "Spiders spin webs of silk and have eight legs.";
    private static final String FILLER = "The committee approved the budget for the next year. "
            + "A new bridge will be built across the river. Trains are late because of the snow. ";

    private static Model model;
    private static BiEncoder encoder;

    @TempDir
    Path folder;

    @BeforeAll
    static void openModel() {
        model = Model.open(NanoModel.directory());
        encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
    }

    @AfterAll
    static void closeModel() {
        encoder.close();
        model.close();
    }

    private static IndexOptions small(IndexOptions own) {
        return own.withPassages(PASSAGES).withConnections(4);
    }

    private static Document fact(String id) {
        return new Document(id, Optional.of("Report"), FILLER.repeat(6) + FACT);
    }

    /// A text again and again, each time with another number, since equal passages of a document are kept once.
    private static String numbered(String text, int times) {
        return IntStream.range(0, times).mapToObj(i -> text + i + ". ").collect(Collectors.joining());
    }

    /// Long and short documents, every third of which is of another kind.
    private static List<Document> documents() {
        List<Document> documents = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            String text =
                    i % 4 == 0 ? "The weather report number " + i : numbered(FILLER + "Number " + i + " of ", 1 + i);
            documents.add(Document.of("d" + i, text).withMetadata(Metadata.of(Map.of("kind", i % 3))));
        }
        documents.add(fact("fact").withMetadata(Metadata.of(Map.of("kind", 9))));
        return documents;
    }

    private SemanticIndex open(Path path) throws IOException {
        return SemanticIndex.open(path, encoder, PassageIndexTest::small);
    }

    private SemanticIndex filled(Path path) throws IOException {
        SemanticIndex index = open(path);
        index.add(documents());
        index.commit();
        return index;
    }

    private static List<Hit> search(SemanticIndex index, SearchOptions options) throws IOException {
        return index.search("spiders have eight legs", options);
    }

    private static List<String> ids(List<Hit> hits) {
        return hits.stream().map(hit -> hit.document().id()).toList();
    }

    private static final List<SearchOptions> EVERY_WAY = List.of(
            SearchOptions.DEFAULT,
            SearchOptions.DEFAULT.withExact(true),
            SearchOptions.DEFAULT.withBestPassages(3),
            SearchOptions.DEFAULT.withMode(SearchMode.BM25),
            SearchOptions.DEFAULT.withMode(SearchMode.HYBRID));

    @Test
    void aFactAtTheEndOfALongDocumentIsFoundAndShown() throws IOException {
        try (SemanticIndex index = filled(folder)) {
            for (SearchOptions options : EVERY_WAY) {
                Hit first = search(index, options).getFirst();
                assertEquals("fact", first.document().id(), options::toString);
                assertTrue(first.passage().text().contains(FACT), first.passage()::text);
                assertEquals(
                        first.passage().text(),
                        first.passage().range().of(first.document().text()));
                assertTrue(first.passageText().startsWith("Report ")
                        && first.passageText().length() < 250);
            }
            IndexOptions off = index.options().withPassages(PassageOptions.OFF);
            try (SemanticIndex whole = SemanticIndex.open(folder.resolve("whole"), encoder, off)) {
                whole.add(documents());
                whole.commit();
                Hit found = search(whole, SearchOptions.DEFAULT.withMode(SearchMode.BM25))
                        .getFirst();
                assertEquals(found.document().text(), found.passage().text());
                assertEquals(whole.size(), whole.passages());
            }
        }
    }

    @Test
    void everyModeFindsEachDocumentOnceAsInMemory() throws IOException {
        try (SemanticIndex index = filled(folder);
                MemoryIndex memory = MemoryIndex.of(encoder, documents(), PASSAGES, ProgressListener.NONE)) {
            float[] query = encoder.embedQuery("spiders have eight legs");
            assertEquals(documents().size(), index.size());
            assertTrue(index.passages() > 3 * index.size());
            assertEquals(memory.passages(), index.passages());
            for (SearchOptions options : EVERY_WAY) {
                SearchOptions all = options.withLimit(100);
                List<Hit> hits = search(index, all);
                assertEquals(hits.size(), new HashSet<>(ids(hits)).size());
                assertEquals(memory.search("spiders have eight legs", query, all), hits, options::toString);
            }
            assertEquals(
                    documents().size(),
                    search(index, SearchOptions.DEFAULT.withLimit(100)).size());
        }
    }

    @Test
    void theScoreIsThatOfTheBestPassagesEmbeddedAlone() throws IOException {
        try (SemanticIndex index = filled(folder)) {
            float[] query = encoder.embedQuery("spiders have eight legs");
            Hit hit = search(index, SearchOptions.DEFAULT).getFirst();
            float alone = encoder.similarity(query, encoder.embedDocument(hit.passageText()));
            assertEquals(alone, hit.similarity().orElseThrow(), 1e-5f);
            float mean = search(index, SearchOptions.DEFAULT.withBestPassages(2))
                    .getFirst()
                    .score();
            assertTrue(mean < hit.score());
        }
        assertEquals(Optional.of(2f), new PassageScores(new float[] {1, 3, Float.NaN, 0}).pooled(2));
        assertEquals(Optional.of(3f), new PassageScores(new float[] {1, 3, Float.NaN, 0}).pooled(1));
        assertEquals(Optional.empty(), new PassageScores(new float[] {Float.NaN}).pooled(2));
    }

    @Test
    void aDocumentOfAThousandPassagesTakesOnePlace() throws IOException {
        Document huge =
                Document.of("huge", numbered(FACT + " Number ", 3000)).withMetadata(Metadata.of(Map.of("kind", 0)));
        try (SemanticIndex index = filled(folder)) {
            index.add(List.of(huge));
            index.commit();
            assertTrue(index.passages() > 1000);
            for (SearchOptions options : List.of(
                    SearchOptions.DEFAULT.withCandidates(5),
                    SearchOptions.DEFAULT.withCandidates(5).withExact(true))) {
                List<String> found = ids(search(index, options.withLimit(5)));
                assertEquals("huge", found.getFirst());
                assertEquals(5, new HashSet<>(found).size());
                List<String> kind = ids(search(index, options.withLimit(4).withFilter(Filter.equal("kind", 0))));
                assertEquals(4, new HashSet<>(kind).size());
                assertEquals("huge", kind.getFirst());
                Filter notNine = Filter.not(Filter.equal("kind", 9));
                assertFalse(ids(search(index, options.withLimit(13).withFilter(notNine)))
                        .contains("fact"));
            }
            assertEquals(5, index.documents(Filter.equal("kind", 0), 100).size());
            assertEquals(
                    13,
                    index.documents(Filter.not(Filter.equal("kind", 9)), 100).size());
        }
    }

    @Test
    void aChangeOrRemovalConcernsAllPassagesOfADocument() throws IOException {
        try (SemanticIndex index = filled(folder)) {
            int before = index.passages();
            UpdateReport same = index.update(documents().iterator(), false, UpdateListener.NONE);
            assertEquals(documents().size(), same.unchanged());
            assertEquals(0, same.embedded());
            Document changed = Document.of("d11", "short now");
            UpdateReport report = index.update(List.of(changed).iterator(), false, UpdateListener.NONE);
            assertEquals(new UpdateReport(1, 0, 1, 0, 0, 1, 1, 0), report);
            int left = index.passages();
            assertTrue(left < before - 10);
            UpdateReport moved = index.add(List.of(new Document("copy", Optional.of("Report"), fact("").text())));
            assertEquals(0, moved.embedded());
            index.commit();
            int ofFact = index.passages() - left;
            assertEquals(moved.passages(), ofFact);
            index.remove(List.of("copy"));
            index.remove(Filter.equal("kind", 9));
            index.commit();
            assertEquals(left - ofFact, index.passages());
            assertEquals(documents().size() - 1, index.size());
            List<Document> few = documents().subList(0, 3);
            assertEquals(
                    9, index.update(few.iterator(), true, UpdateListener.NONE).removed());
            assertEquals(3, index.size());
            index.optimize();
            assertEquals(1 + 4 * 2, index.passages(), 8);
        }
        assertTrue(IndexVerifier.verify(folder, Optional.empty(), VerifyListener.NONE)
                .isSound());
    }

    @Test
    void theSettingIsRememberedAndCannotBeChanged() throws IOException {
        filled(folder).close();
        try (SemanticIndex again = SemanticIndex.open(folder, encoder)) {
            assertEquals(Optional.of(PASSAGES), again.options().passages());
        }
        String message = assertThrows(
                        FormatException.class,
                        () -> SemanticIndex.open(folder, encoder, own -> own.withPassages(PassageOptions.OFF)))
                .getMessage();
        assertTrue(
                message.contains("passages of 32 tokens, overlapping by 8, and cannot be changed to")
                        && message.endsWith(
                                "no passages; leave these options out to keep it as it is, or make another index"),
                message);
        assertThrows(
                IllegalArgumentException.class,
                () -> SemanticIndex.open(
                        folder.resolve("none"), encoder, own -> own.withPassages(PassageOptions.of(300))));
        assertFalse(Files.exists(folder.resolve("none")));
        try (SemanticIndex usual = SemanticIndex.open(folder.resolve("usual"), encoder)) {
            assertEquals(
                    Optional.of(new PassageOptions(256, 32)), usual.options().passages());
        }
    }

    @Test
    void anIndexWithoutPassagesStaysOne() throws IOException {
        Map<String, String> old =
                new IndexMetadata(ModelIdentity.of(encoder), encoder.similarity(), IndexOptions.DEFAULT).toUserData();
        assertEquals("1", old.get("sgpt4j.format"));
        try (Directory directory = FSDirectory.open(folder);
                IndexWriter writer = new IndexWriter(
                        directory, new IndexWriterConfig().setCodec(VectorCodec.of(IndexOptions.DEFAULT)))) {
            writer.setLiveCommitData(old.entrySet());
            writer.commit();
        }
        try (SemanticIndex index = SemanticIndex.open(folder, encoder)) {
            assertEquals(Optional.of(PassageOptions.OFF), index.options().passages());
            index.add(List.of(fact("1")));
            index.commit();
            assertEquals(1, index.passages());
        }
        assertThrows(FormatException.class, () -> open(folder));
    }

    @Test
    void shardsAreSearchedAndMergedWithTheirPassages() throws IOException {
        Path shards = folder.resolve("shards");
        for (int i = 0; i < 2; i++) {
            try (SemanticIndex index = open(shards.resolve("part-0000" + i))) {
                index.add(documents().subList(i * 6, i == 0 ? 6 : documents().size()));
            }
        }
        Files.writeString(shards.resolve("_SUCCESS"), "{\"format\":1,\"shards\":2}");
        Path merged = folder.resolve("merged");
        assertEquals(documents().size(), ShardMerge.merge(shards, merged, true));
        try (SemanticIndex one = filled(folder.resolve("one"));
                SemanticIndex of = SemanticIndex.openReadOnly(shards, encoder);
                SemanticIndex whole = SemanticIndex.openReadOnly(merged, encoder)) {
            assertEquals(one.passages(), of.passages());
            for (SearchOptions options : EVERY_WAY) {
                assertEquals(search(one, options), search(of, options), options::toString);
                assertEquals(search(one, options), search(whole, options), options::toString);
            }
        }
        for (Path path : List.of(shards, merged)) {
            assertTrue(
                    IndexVerifier.verify(path, Optional.empty(), VerifyListener.NONE)
                            .isSound(),
                    path::toString);
        }
    }

    @Test
    void passagesThatDoNotBelongToTheirDocumentAreFoundByACheck() throws IOException {
        filled(folder).close();
        assertEquals(IndexReport.Outcome.OK, check(IndexReport.Kind.IDS).outcome());
        String texts = check(IndexReport.Kind.TEXTS).message();
        assertTrue(texts.matches("13 in [0-9]+ passages, as they were embedded"), texts);
        try (Directory directory = FSDirectory.open(folder);
                IndexWriter writer = new IndexWriter(
                        directory, new IndexWriterConfig().setCodec(VectorCodec.of(IndexOptions.DEFAULT)))) {
            BiEncoder own = encoder;
            Document document = fact("odd");
            EmbeddedText text = new EmbeddedText(
                    List.of(new TextRange(0, 5), new TextRange(5, 9)),
                    List.of(own.embedDocument("a"), own.embedDocument("b")));
            var rows = Fields.rows(document, ContentHash.of(document), new VectorSpace(own.similarity()), text);
            // The row of the second passage says that it is the third.
            rows.get(1)
                    .replaceAll(field ->
                            field.name().equals(Fields.PASSAGE) ? new NumericDocValuesField(Fields.PASSAGE, 2) : field);
            writer.addDocuments(rows);
            writer.commit();
        }
        IndexReport.Check ids = check(IndexReport.Kind.IDS);
        assertEquals("document odd: expected its passage 1, found passage 2 of document odd", ids.message());
        assertEquals(IndexReport.Outcome.WRONG, ids.outcome());
    }

    private IndexReport.Check check(IndexReport.Kind kind) throws IOException {
        return IndexVerifier.verify(folder, Optional.empty(), VerifyListener.NONE).checks().stream()
                .filter(check -> check.kind() == kind)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void aDocumentWithoutThePlacesOfItsPassagesIsRefused() throws IOException {
        filled(folder).close();
        try (Directory directory = FSDirectory.open(folder);
                IndexWriter writer = new IndexWriter(
                        directory, new IndexWriterConfig().setCodec(VectorCodec.of(IndexOptions.DEFAULT)))) {
            Document document = fact("odd");
            VectorSpace space = new VectorSpace(encoder.similarity());
            float[] vector = space.prepare(encoder.embedDocument(FACT));
            EmbeddedText text =
                    new EmbeddedText(List.of(new TextRange(0, 5), new TextRange(5, 9)), List.of(vector, vector));
            var rows = Fields.rows(document, ContentHash.of(document), space, text);
            rows.getFirst().removeIf(field -> field.name().equals("passages"));
            writer.addDocuments(rows);
            writer.commit();
        }
        try (SemanticIndex index = SemanticIndex.openReadOnly(folder, encoder)) {
            String message = assertThrows(FormatException.class, () -> search(index, SearchOptions.DEFAULT))
                    .getMessage();
            assertTrue(message.contains("expected the places of 2 passages, found 1"), message);
        }
    }

    @Test
    void placesOfPassagesSurviveAndDamageIsRefused() throws IOException {
        List<TextRange> ranges = List.of(new TextRange(0, 7), new TextRange(3, 900), new TextRange(880, 4000));
        var bytes = PassageCodec.encode(ranges);
        assertEquals(ranges, PassageCodec.decode("1", bytes, 4000));
        assertThrows(DamagedDocumentException.class, () -> PassageCodec.decode("1", bytes, 3999));
        for (int i = 0; i < bytes.length; i++) {
            var cut = bytes.clone();
            cut.length = i;
            assertThrows(DamagedDocumentException.class, () -> PassageCodec.decode("1", cut, 4000));
        }
    }

    @Test
    void searchesSeeAllPassagesOfADocumentOrNone() throws Exception {
        try (SemanticIndex index = filled(folder);
                ExecutorService threads = Executors.newFixedThreadPool(2)) {
            List<Future<?>> searches = new ArrayList<>();
            for (int thread = 0; thread < 2; thread++) {
                searches.add(threads.submit(() -> {
                    for (int i = 0; i < 200; i++) {
                        for (Hit hit : search(index, SearchOptions.DEFAULT.withExact(i % 2 == 0))) {
                            assertTrue(hit.passage().range().end()
                                    <= hit.document().text().length());
                        }
                    }
                    return null;
                }));
            }
            for (int i = 0; i < 12; i++) {
                index.add(List.of(Document.of("d5", FILLER.repeat(1 + i % 3)), fact("new" + i)));
                index.commit();
            }
            for (Future<?> each : searches) {
                each.get();
            }
        }
    }

    @Test
    void wordsOfAQueryAreFoundInAText() {
        QueryWords words = QueryWords.of("the spiders' legs");
        String text = "A Spider has legs; the leg of a spider.";
        assertEquals(
                List.of("Spider", "legs", "leg", "spider"),
                words.in(text).stream().map(range -> range.of(text)).toList());
        assertEquals(List.of(), QueryWords.of("the of").in(text));
        assertArrayEquals(
                new double[] {0.5, 0.5 + 0.5, 0},
                words.scores(
                        "spider. spider legs. bread",
                        List.of(new TextRange(0, 7), new TextRange(8, 20), new TextRange(21, 26))));
    }

    /// Many equal vectors can cut a graph into parts, one of which a search would not leave.
    @Test
    void equalTextsHideNoOthers() throws IOException {
        List<Document> documents = new ArrayList<>();
        for (int i = 0; i < 63; i++) {
            documents.add(Document.of("equal" + i, "aaaaaaaa"));
        }
        for (int i = 0; i < 3; i++) {
            documents.add(Document.of(
                    "log" + i, "INFO heartbeat ok from node %d.\n".formatted(i).repeat(400)));
        }
        documents.addAll(documents());
        try (SemanticIndex index = open(folder.resolve("equal"))) {
            index.add(documents);
            index.commit();
            assertTrue(index.passages() < documents.size() + 200, "passages " + index.passages());
            for (int k : new int[] {1, 6, 40}) {
                SearchOptions options = SearchOptions.DEFAULT.withLimit(k);
                assertEquals(ids(search(index, options.withExact(true))), ids(search(index, options)));
            }
            assertEquals(
                    "fact",
                    search(index, SearchOptions.DEFAULT).getFirst().document().id());
        }
    }
}
