package io.github.sgpt4j.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.IndexReport.Check;
import io.github.sgpt4j.retrieval.IndexReport.Kind;
import io.github.sgpt4j.retrieval.IndexReport.Outcome;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.corpus.Metadata;
import io.github.sgpt4j.retrieval.filter.Filter;
import io.github.sgpt4j.retrieval.filter.RandomFilters;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.apache.lucene.document.BinaryDocValuesField;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.IndexableField;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.util.BytesRef;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetadataStorageTest {
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

    @Test
    void bytesGiveTheSameMetadata() throws IOException {
        Random random = new Random(1);
        for (int i = 0; i < 500; i++) {
            Metadata metadata = RandomFilters.metadata(random);
            Metadata decoded = MetadataCodec.decode("x", MetadataCodec.encode(metadata));
            assertEquals(
                    List.copyOf(metadata.asMap().entrySet()),
                    List.copyOf(decoded.asMap().entrySet()));
        }
    }

    @Test
    void otherBytesAreRefusedInBoundedMemory() throws IOException {
        Random random = new Random(2);
        int refused = 0;
        for (int i = 0; i < 20_000; i++) {
            BytesRef bytes = MetadataCodec.encode(Metadata.of(Map.of("k", List.of("a", "b"), "n", 7, "d", 0.5)));
            byte[] damaged = Arrays.copyOf(bytes.bytes, random.nextInt(bytes.length + 3));
            if (damaged.length > 0) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            }
            try {
                MetadataCodec.decode("x", new BytesRef(damaged));
            } catch (DamagedDocumentException e) {
                refused++;
                assertTrue(e.getMessage().startsWith("document x: its metadata are not what is written: "));
            }
        }
        assertTrue(refused > 10_000, "refused " + refused);
        assertRefused(new byte[] {-1, -1, -1, -1, 7});
        assertRefused(new byte[] {1, 1, 'k', 's', -1, -1, -1, -1, 7});
        assertRefused(new byte[] {1, 1, 'k', '[', -1, -1, -1, -1, 7});
        assertRefused(new byte[] {2, 1, 'k', 't', 1, 'k', 't'});
        assertRefused(new byte[] {1, 1, 'k', '[', 1, '[', 1, 't'});
        assertRefused(new byte[] {1, 1, -1, 't'});
    }

    private static void assertRefused(byte[] bytes) {
        assertThrows(DamagedDocumentException.class, () -> MetadataCodec.decode("x", new BytesRef(bytes)));
    }

    private static List<IndexableField> fields(String id, Metadata metadata) {
        float[] vector = new float[encoder.dimension()];
        vector[0] = 1;
        Document document = Document.of(id, "bread").withMetadata(metadata);
        return new ArrayList<>(
                Fields.of(document, ContentHash.of(document), new VectorSpace(Similarity.COSINE), vector));
    }

    private Path written(List<List<IndexableField>> documents) throws IOException {
        IndexMetadata about = new IndexMetadata(ModelIdentity.of(encoder), Similarity.COSINE, IndexOptions.DEFAULT);
        IndexWriterConfig config = new IndexWriterConfig().setCodec(VectorCodec.of(IndexOptions.DEFAULT));
        try (FSDirectory directory = FSDirectory.open(folder);
                IndexWriter writer = new IndexWriter(directory, config)) {
            writer.deleteAll();
            for (List<IndexableField> fields : documents) {
                writer.addDocument(fields);
            }
            writer.setLiveCommitData(about.toUserData().entrySet());
            writer.commit();
        }
        return folder;
    }

    private Check verified(List<IndexableField> fields) throws IOException {
        List<IndexableField> right = fields("a", Metadata.of(Map.of("n", 1, "s", List.of("x", "y"))));
        IndexReport report =
                IndexVerifier.verify(written(List.of(right, fields)), Optional.empty(), VerifyListener.NONE);
        return report.checks().stream()
                .filter(check -> check.kind() == Kind.DOCUMENT_METADATA)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void verifyingFindsWhatFiltersWouldGetWrong() throws IOException {
        Metadata metadata = Metadata.of(Map.of("n", 2));
        assertEquals(
                new Check(Kind.DOCUMENT_METADATA, Outcome.OK, "2 documents have some, as they were written"),
                verified(fields("b", metadata)));
        assertEquals(
                "1 documents have some, as they were written",
                verified(fields("b", Metadata.EMPTY)).message());
        List<IndexableField> more = fields("b", metadata);
        more.add(Fields.metadataTerm(MetadataTerms.of("n", 3L)));
        assertWrong("document b: filters see other metadata than it has", more);
        List<IndexableField> none = fields("b", metadata);
        none.removeIf(field -> field.name().equals(Fields.METADATA_TERMS));
        assertWrong("document b: filters see other metadata than it has", none);
        List<IndexableField> other = fields("b", metadata);
        other.removeIf(field -> field.name().equals(Fields.METADATA_HASH));
        assertWrong("document b: its metadata differ from what was written", other);
        assertWrong("document b: its metadata are not what is written: ", damaged());
    }

    private static List<IndexableField> damaged() {
        List<IndexableField> fields = fields("b", Metadata.EMPTY);
        fields.add(new StoredField("metadata", new BytesRef(new byte[] {9, 9, 9})));
        return fields;
    }

    private void assertWrong(String message, List<IndexableField> fields) throws IOException {
        Check check = verified(fields);
        assertEquals(Outcome.WRONG, check.outcome());
        assertTrue(check.message().startsWith(message), check.message());
    }

    @Test
    void searchingADamagedDocumentNamesIndexAndDocument() throws IOException {
        written(List.of(damaged()));
        try (SemanticIndex index = SemanticIndex.openReadOnly(folder)) {
            String message = assertThrows(
                            FormatException.class,
                            () -> index.search("bread", SearchOptions.DEFAULT.withMode(SearchMode.BM25)))
                    .getMessage();
            assertTrue(message.startsWith(folder + ": broken index: document b: its metadata are not"), message);
        }
    }

    @Test
    void anIndexWithoutMetadataIsFilteredAsIfEmpty() throws IOException {
        written(List.of(fields("a", Metadata.EMPTY)));
        try (SemanticIndex index = SemanticIndex.openReadOnly(folder)) {
            SearchOptions words = SearchOptions.DEFAULT.withMode(SearchMode.BM25);
            for (String where : List.of("n = 1", "n > 1", "n in (1)", "n <= 'x'")) {
                assertEquals(List.of(), index.search("bread", words.withFilter(Filter.parse(where))), where);
                assertEquals(
                        1,
                        index.search("bread", words.withFilter(Filter.not(Filter.parse(where))))
                                .size());
            }
            assertEquals(
                    Metadata.EMPTY,
                    index.search("bread", words).getFirst().document().metadata());
        }
    }

    @Test
    void termsAreInTheOrderOfNumbers() {
        double[] doubles = {
            -Double.MAX_VALUE, -0x1p63, -1.5, -Double.MIN_VALUE, 0, Double.MIN_VALUE, 0x1p53, 0x1p62, 0x1p63, 1e300
        };
        List<Object> numbers = new ArrayList<>();
        for (double x : doubles) {
            numbers.add(x);
            for (int i = -600; i <= 600; i += 100) {
                numbers.add((long) x + i);
            }
        }
        for (Object a : numbers) {
            for (Object b : numbers) {
                int order = Integer.signum(MetadataTerms.of("n", a).compareTo(MetadataTerms.of("n", b)));
                assertEquals(exact(a).compareTo(exact(b)), order, a + " " + b);
            }
        }
    }

    private static BigDecimal exact(Object number) {
        return number instanceof Long whole ? BigDecimal.valueOf(whole) : new BigDecimal((Double) number);
    }

    @Test
    void theOrderOfNamesIsNoChange(@TempDir Path place) throws IOException {
        Map<String, Object> one = new LinkedHashMap<>();
        one.put("year", 2021);
        one.put("lang", "en");
        Map<String, Object> other = new LinkedHashMap<>();
        other.put("lang", "en");
        other.put("year", 2021);
        Document document = Document.of("a", "bread");
        try (SemanticIndex index = SemanticIndex.open(place, encoder)) {
            index.add(List.of(document.withMetadata(Metadata.of(one))));
            index.commit();
            UpdateReport report = index.add(List.of(document.withMetadata(Metadata.of(other))));
            assertEquals(1, report.unchanged());
            other.put("lang", "de");
            assertEquals(
                    1,
                    index.add(List.of(document.withMetadata(Metadata.of(other))))
                            .replaced());
        }
    }

    /// Before, the hash was that of the names in their order.
    @Test
    void indexesOfEarlierVersionsStayAsTheyAre() throws IOException {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("year", 2021);
        values.put("lang", "en");
        Metadata metadata = Metadata.of(values);
        BytesRef before =
                new BytesRef(Arrays.copyOf(ContentHash.sha256().digest(MetadataCodec.encode(metadata).bytes), 16));
        List<IndexableField> fields = fields("b", metadata);
        fields.removeIf(field -> field.name().equals(Fields.METADATA_HASH));
        fields.add(new BinaryDocValuesField(Fields.METADATA_HASH, before));
        assertEquals(Outcome.OK, verified(fields).outcome());
        try (SemanticIndex index = SemanticIndex.open(folder, encoder)) {
            assertEquals(
                    1,
                    index.add(List.of(Document.of("b", "bread").withMetadata(metadata)))
                            .unchanged());
        }
    }
}
