package io.github.sgpt4j.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.corpus.Metadata;
import io.github.sgpt4j.retrieval.filter.Filter;
import io.github.sgpt4j.retrieval.filter.FilterNotices;
import io.github.sgpt4j.retrieval.filter.RandomFilters;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class FilteredSearchTest {
    private static final int DOCUMENTS = 400;
    private static final int FILTERS = 150;
    private static final String QUERY = "bread and spiders";

    private static BiEncoder encoder;

    @TempDir
    private Path folder;

    @BeforeAll
    static void open() {
        encoder = BiEncoder.open(SmallIndex.MODEL);
    }

    @AfterAll
    static void close() {
        encoder.close();
    }

    private static float[][] vectors(int count) {
        float[][] vectors = new float[count][];
        for (int i = 0; i < count; i++) {
            // Some have no direction.
            vectors[i] = i % 50 == 7 ? new float[encoder.dimension()] : SmallIndex.vector(encoder.dimension(), i);
        }
        return vectors;
    }

    private static List<Document> documents(Random random) {
        List<Document> documents = new ArrayList<>();
        for (int i = 0; i < DOCUMENTS; i++) {
            String text = (i % 3 == 0 ? "bread " : "flour ") + (i % 5 == 0 ? "spider " : "") + i;
            documents.add(Document.of("id" + i, text).withMetadata(RandomFilters.metadata(random)));
        }
        return documents;
    }

    /// Searches without a filter for everything, and leaves out what does not match.
    private static List<Hit> matching(SemanticIndex index, float[] query, SearchOptions options, Filter filter)
            throws IOException {
        SearchOptions all = options.withLimit(DOCUMENTS).withExact(true);
        return index.search(QUERY, query, all).stream()
                .filter(hit -> filter.matches(hit.document().metadata()))
                .limit(options.limit())
                .toList();
    }

    private static List<Hit> fused(SemanticIndex index, float[] query, SearchOptions options, Filter filter)
            throws IOException {
        List<Hit> dense = matching(index, query, options.withMode(SearchMode.DENSE), filter);
        List<Hit> words = matching(index, query, options.withMode(SearchMode.BM25), filter);
        Map<String, Hit> similar = byId(dense);
        Map<String, Hit> worded = byId(words);
        List<Hit> fused = new ArrayList<>();
        for (ScoredId hit : Fusion.hybrid(scored(dense), scored(words), Similarity.COSINE)) {
            Optional<Hit> a = Optional.ofNullable(similar.get(hit.id()));
            Optional<Hit> b = Optional.ofNullable(worded.get(hit.id()));
            fused.add(new Hit(
                    a.or(() -> b).orElseThrow().document(),
                    hit.score(),
                    a.flatMap(Hit::similarity),
                    b.flatMap(Hit::bm25),
                    Optional.empty()));
        }
        return fused;
    }

    private static Map<String, Hit> byId(List<Hit> hits) {
        return hits.stream().collect(Collectors.toMap(hit -> hit.document().id(), hit -> hit));
    }

    /// Without the documents in the message, which are long.
    private static void assertSame(List<Hit> expected, List<Hit> found, String message) {
        assertEquals(scored(expected), scored(found), message);
        for (int i = 0; i < expected.size(); i++) {
            Hit a = expected.get(i);
            Hit b = found.get(i);
            assertEquals(a.similarity(), b.similarity(), message);
            assertEquals(a.bm25(), b.bm25(), message);
            assertTrue(a.document().equals(b.document()), message);
        }
    }

    @ParameterizedTest
    @EnumSource(VectorStorage.class)
    void everyModeFindsExactlyWhatMatches(VectorStorage storage) throws IOException {
        long seed = Long.getLong("sgpt4j.test.seed", System.nanoTime());
        Random random = new Random(seed);
        List<Document> documents = documents(random);
        float[][] vectors = vectors(DOCUMENTS);
        IndexOptions small = IndexOptions.DEFAULT.withStorage(storage).withConnections(4);
        try (SemanticIndex disk = SemanticIndex.open(folder, encoder, small);
                MemoryIndex memory = new MemoryIndex(encoder.dimension(), encoder.similarity(), documents, vectors)) {
            for (int from = 0; from < DOCUMENTS; from += DOCUMENTS / 2) {
                float[][] half = Arrays.copyOfRange(vectors, from, from + DOCUMENTS / 2);
                disk.add(documents.subList(from, from + DOCUMENTS / 2), half);
                disk.commit();
            }
            float[] query = SmallIndex.vector(encoder.dimension(), -1);
            int found = 0;
            for (int i = 0; i < FILTERS; i++) {
                Filter filter = RandomFilters.filter(random, 3);
                String message = "seed %d, filter %d".formatted(seed, i);
                for (SearchMode mode : SearchMode.values()) {
                    // Equal scores are cut off in another order than they are listed in.
                    int limit = mode == SearchMode.DENSE ? 1 + random.nextInt(60) : DOCUMENTS;
                    SearchOptions options = SearchOptions.DEFAULT.withMode(mode).withLimit(limit);
                    List<Hit> expected = mode == SearchMode.HYBRID
                            ? fused(disk, query, options, filter)
                            : matching(disk, query, options, filter);
                    SearchOptions filtered = options.withFilter(filter);
                    assertSame(expected, memory.search(QUERY, query, filtered), message);
                    assertSame(expected, disk.search(QUERY, query, filtered.withExact(true)), message);
                    List<Hit> graph = disk.search(QUERY, query, filtered);
                    assertEquals(expected.size(), graph.size(), message);
                    graph.forEach(
                            hit -> assertTrue(filter.matches(hit.document().metadata()), message));
                    SearchOptions few = filtered.withLimit(5).withExact(true);
                    assertSame(memory.search(QUERY, query, few), disk.search(QUERY, query, few), message);
                    found += graph.size();
                }
            }
            assertTrue(found > FILTERS, "found " + found);
        }
    }

    private static List<ScoredId> scored(List<Hit> hits) {
        return hits.stream()
                .map(hit -> new ScoredId(hit.document().id(), hit.score()))
                .toList();
    }

    @Test
    void fewAmongManyAreAllFoundThroughTheGraph() throws IOException {
        List<Document> documents = new ArrayList<>();
        int count = 3000;
        for (int i = 0; i < count; i++) {
            documents.add(Document.of(Integer.toString(i), "text " + i)
                    .withMetadata(Metadata.of(Map.of("group", i % 100, "half", i % 2 == 0, "row", i))));
        }
        try (SemanticIndex index = SemanticIndex.open(folder, encoder, IndexOptions.DEFAULT.withConnections(2))) {
            index.add(documents, vectors(count));
            index.commit();
            float[] query = SmallIndex.vector(encoder.dimension(), -2);
            for (String where :
                    List.of("group = 3", "row >= 2990", "row = 1", "half = true", "row < 0", "not row = 5")) {
                Filter filter = Filter.parse(where);
                int withVector = (int) documents.stream()
                        .filter(d -> filter.matches(d.metadata()) && Integer.parseInt(d.id()) % 50 != 7)
                        .count();
                for (int limit : new int[] {1, 10, 500, 2 * count}) {
                    SearchOptions options = SearchOptions.DEFAULT
                            .withLimit(limit)
                            .withCandidates(1)
                            .withFilter(filter);
                    assertEquals(
                            Math.min(limit, withVector),
                            index.search(query, options).size(),
                            where + limit);
                }
            }
        }
    }

    @Test
    void aLongQueryOfWordsLeavesRoomForAFilter() throws IOException {
        StringBuilder query = new StringBuilder("bread");
        for (int i = 1; i < Words.MAX_TERMS; i++) {
            query.append(" w").append(i);
        }
        List<Document> documents = new ArrayList<>();
        for (int i = 0; i < Words.MAX_TERMS + 10; i++) {
            documents.add(Document.of("" + i, "bread w" + i).withMetadata(Metadata.of(Map.of("n", i))));
        }
        try (SemanticIndex index = SemanticIndex.open(folder, encoder)) {
            index.add(documents, vectors(documents.size()));
            index.commit();
            List<Object> many = new ArrayList<>();
            for (int i = 0; i < 2 * Words.MAX_TERMS; i++) {
                many.add(2 * i);
            }
            SearchOptions options =
                    SearchOptions.DEFAULT.withMode(SearchMode.BM25).withLimit(2000);
            assertEquals(
                    documents.size() / 2,
                    index.search(query.toString(), options.withFilter(Filter.in("n", many)))
                            .size());
        }
    }

    @Test
    void removesAndLooksUp() throws IOException {
        try (SemanticIndex index = SemanticIndex.open(folder, encoder)) {
            List<Document> documents = documents(new Random(5));
            Filter filter = Filter.parse("lang = 'en' or year >= 1 or n in (true)");
            Set<String> matching = documents.stream()
                    .filter(d -> filter.matches(d.metadata()))
                    .map(Document::id)
                    .collect(Collectors.toCollection(TreeSet::new));
            index.add(documents, vectors(DOCUMENTS));
            index.commit();
            assertEquals(matching, ids(index.documents(filter, Integer.MAX_VALUE)));
            assertEquals(3, index.documents(filter, 3).size());
            assertEquals(
                    List.of(documents.get(9), documents.get(2)),
                    index.documents(List.of("id9", "absent", "id2", "id9")));
            assertEquals(Set.of("absent", "langu"), index.absentMetadata(Set.of("absent", "lang", "langu")));
            Document late = Document.of("late", "x").withMetadata(Metadata.of(Map.of("year", 7)));
            index.add(List.of(late), vectors(1));
            index.remove(filter);
            index.commit();
            assertEquals(DOCUMENTS - matching.size(), index.size());
            assertEquals(List.of(), index.documents(filter, 5));
            index.removeAll();
            index.commit();
            assertEquals(0, index.size());
            assertEquals(Set.of("lang"), index.absentMetadata(Set.of("lang")));
            index.add(List.of(late), vectors(1));
        }
        try (SemanticIndex index = SemanticIndex.open(folder, encoder)) {
            assertEquals(1, index.size());
            assertEquals(encoder.similarity(), index.similarity());
        }
    }

    private static Set<String> ids(List<Document> documents) {
        return documents.stream().map(Document::id).collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void changedMetadataAreWrittenWithoutEmbedding() throws IOException {
        List<Document> documents = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            documents.add(Document.of("id" + i, "text " + i));
        }
        try (SemanticIndex index = SemanticIndex.open(folder, encoder)) {
            assertEquals(new UpdateReport(20, 20, 0, 0, 0, 20), update(index, documents));
            documents.replaceAll(d -> d.id().endsWith("3") ? d.withMetadata(Metadata.of(Map.of("n", 1L))) : d);
            assertEquals(new UpdateReport(20, 0, 2, 18, 0, 0), update(index, documents));
            assertEquals(new UpdateReport(20, 0, 0, 20, 0, 0), update(index, documents));
            documents.set(3, documents.get(3).withMetadata(Metadata.of(Map.of("n", 1.0))));
            assertEquals(new UpdateReport(20, 0, 1, 19, 0, 0), update(index, documents));
            assertEquals(List.of(documents.get(3)), index.documents(List.of("id3")));
            assertEquals(Set.of("id3", "id13"), ids(index.documents(Filter.equal("n", 1), 10)));
            documents.replaceAll(d -> d.withMetadata(Metadata.EMPTY));
            assertEquals(new UpdateReport(20, 0, 2, 18, 0, 0), update(index, documents));
            assertEquals(List.of(), index.documents(Filter.equal("n", 1), 10));
        }
    }

    private static UpdateReport update(SemanticIndex index, List<Document> documents) throws IOException {
        return index.update(documents.iterator(), false, UpdateListener.NONE);
    }

    @Test
    void reRanksOnlyWhatMatches() throws IOException {
        try (Model model = Model.open(NanoModel.directory());
                BiEncoder nano = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
                CrossEncoder reranker = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT);
                SemanticIndex index = SemanticIndex.open(folder, nano)) {
            List<Document> documents = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                documents.add(Document.of("id" + i, "bread of kind " + i)
                        .withMetadata(Metadata.of(Map.of("even", i % 2 == 0))));
            }
            index.add(documents);
            index.commit();
            List<Hit> hits = index.search(
                            List.of("bread"),
                            SearchOptions.DEFAULT.withRerank(4).withFilter(Filter.equal("even", true)),
                            Optional.of(reranker))
                    .getFirst();
            assertEquals(6, hits.size());
            assertEquals(
                    4, hits.stream().filter(h -> h.rerankScore().isPresent()).count());
            hits.forEach(hit ->
                    assertEquals(Optional.of(true), hit.document().metadata().get("even")));
        }
    }

    /// In order: documents that are there; a removed one is the only with a number as `gone`.
    private static final List<Document> TYPED = List.of(
            Document.of("1", "bread")
                    .withMetadata(Metadata.of(Map.of("price", "12", "tags", List.of("a"), "mixed", 1))),
            Document.of("2", "flour").withMetadata(Metadata.of(Map.of("year", 2020, "free", true, "mixed", "x"))));

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    price = "12" and year >= 2019.5 and free = true and mixed = 1 and mixed = 'x' |
                    price = 12 or price = "12"            |
                    price = 12                            | metadata "price": expected a string, as documents have, got a number in the filter; strings stand in quotes
                    not year in ('2020', '2021')          | metadata "year": expected a number, as documents have, got a string in the filter; numbers stand without quotes
                    tags > 1                              | metadata "tags": expected a string, as documents have, got a number in the filter; strings stand in quotes
                    free = 'true'                         | metadata "free": expected a boolean, as documents have, got a string in the filter; true and false stand without quotes
                    mixed = true                          | metadata "mixed": expected a number or a string, as documents have, got a boolean in the filter; numbers stand without quotes, strings stand in quotes
                    yaer = 1 and `b c` = 2 and gone = 1   | no document has metadata named "b c", "gone", "yaer"
                    """)
    void whatFitsNoDocumentIsNoticed(String where, String expected) throws IOException {
        List<String> notices = expected == null ? List.of() : List.of(expected);
        Filter filter = Filter.parse(where);
        try (SemanticIndex index = SemanticIndex.open(folder.resolve("typed"), encoder);
                MemoryIndex memory =
                        new MemoryIndex(encoder.dimension(), encoder.similarity(), TYPED, vectors(TYPED.size()))) {
            index.add(TYPED);
            index.add(List.of(Document.of("3", "removed").withMetadata(Metadata.of(Map.of("gone", 1, "price", 12)))));
            index.commit();
            index.remove(List.of("3"));
            index.commit();
            assertEquals(notices, index.notices(filter));
            assertEquals(notices, memory.notices(filter));
        }
    }

    @Test
    void documentsWithANameAreCounted() throws IOException {
        try (SemanticIndex index = SemanticIndex.open(folder.resolve("names"), encoder)) {
            assertEquals(Map.of(), index.metadataNames());
            index.add(TYPED);
            index.add(List.of(Document.of("3", "removed").withMetadata(Metadata.of(Map.of("gone", 1, "price", 12)))));
            index.commit();
            assertEquals(
                    Map.of("free", 1, "gone", 1, "mixed", 2, "price", 2, "tags", 1, "year", 1), index.metadataNames());
            index.remove(List.of("3"));
            index.commit();
            assertEquals(Map.of("free", 1, "mixed", 2, "price", 1, "tags", 1, "year", 1), index.metadataNames());
        }
    }

    @Test
    void bothNoticesOfAFilterAreGiven() {
        Filter filter = Filter.parse("yaer = 1 and price = 12");
        List<String> notices =
                FilterNotices.of(filter, TYPED.stream().map(Document::metadata).toList());
        assertEquals(2, notices.size(), notices::toString);
        assertEquals("no document has metadata named \"yaer\"", notices.getFirst());
    }
}
