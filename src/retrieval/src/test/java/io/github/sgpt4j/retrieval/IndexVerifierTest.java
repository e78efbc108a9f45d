package io.github.sgpt4j.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.IndexReport.Check;
import io.github.sgpt4j.retrieval.IndexReport.Kind;
import io.github.sgpt4j.retrieval.IndexReport.Outcome;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.IndexableField;
import org.apache.lucene.store.FSDirectory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What a check of an intact or a damaged index finds.
class IndexVerifierTest {
    private static BiEncoder encoder;

    @TempDir
    private Path folder;

    @BeforeAll
    static void openModel() throws IOException {
        encoder = BiEncoder.open(SmallIndex.MODEL);
    }

    @AfterAll
    static void closeModel() {
        encoder.close();
    }

    private static IndexReport verify(Path path) throws IOException {
        return IndexVerifier.verify(path, Optional.empty(), VerifyListener.NONE);
    }

    private static Check check(IndexReport report, Kind kind) {
        return report.checks().get(kind.ordinal());
    }

    private static void assertWrong(IndexReport report, Kind kind, String message) {
        assertFalse(report.isSound());
        assertEquals(Outcome.WRONG, check(report, kind).outcome(), report.toString());
        assertTrue(check(report, kind).message().contains(message), report.toString());
    }

    @ParameterizedTest
    @EnumSource
    void aWholeIndexIsSound(VectorStorage storage) throws IOException {
        SmallIndex.make(folder, encoder, storage);
        List<Path> before = SmallIndex.files(folder);
        Map<String, Long> told = new HashMap<>();
        IndexReport report =
                IndexVerifier.verify(folder, Optional.of(ModelIdentity.of(encoder)), (task, done, total) -> {
                    assertTrue(done <= total, task);
                    assertTrue(told.merge(task, done, Math::max) == done, task);
                });
        assertTrue(report.isSound(), report.toString());
        assertEquals(
                List.of(Kind.values()).subList(0, Kind.SHARDS.ordinal()),
                report.checks().stream().map(Check::kind).toList());
        report.checks().forEach(check -> assertEquals(Outcome.OK, check.outcome(), report.toString()));
        assertEquals(
                "segments_4: 3 parts, 13 passages", check(report, Kind.COMMIT).message());
        assertEquals("13 of dimension 64", check(report, Kind.VECTORS).message());
        assertEquals(Optional.of(ModelIdentity.of(encoder)), report.model());
        assertEquals(Optional.of(Similarity.COSINE), report.similarity());
        assertEquals(Optional.of(storage), report.options().map(IndexOptions::storage));
        assertEquals(new TreeSet<>(List.of("bytes", "parts", "documents")), new TreeSet<>(told.keySet()));
        assertEquals(13, told.get("documents"));
        assertEquals(before, SmallIndex.files(folder));
    }

    @Test
    void anotherModelIsNamed() throws IOException {
        SmallIndex.make(folder, encoder, VectorStorage.INT8);
        assertEquals(Outcome.SKIPPED, check(verify(folder), Kind.MODEL).outcome());
        assertTrue(verify(folder).isSound());
        ModelIdentity other = new ModelIdentity("other", "00", 64, "mean");
        IndexReport report = IndexVerifier.verify(folder, Optional.of(other), VerifyListener.NONE);
        assertWrong(report, Kind.MODEL, "cannot be used with model other (dimension 64, pooling mean");
    }

    @Test
    void modelsThatLookAlikeAreToldApart() {
        ModelIdentity made = new ModelIdentity("a", "00", 64, "mean");
        String alike = made.mismatch(new ModelIdentity("a", "01", 64, "mean"));
        assertTrue(
                alike.contains("their weights or their settings (prompts, brackets, length, scaling) differ"), alike);
        assertTrue(alike.endsWith("use the same model with the same settings, or " + IndexDamage.remedy()), alike);
        for (ModelIdentity other : List.of(
                new ModelIdentity("b", "01", 64, "mean"),
                new ModelIdentity("a", "01", 32, "mean"),
                new ModelIdentity("a", "01", 64, "cls"))) {
            String mismatch = made.mismatch(other);
            assertFalse(mismatch.contains("look alike"), mismatch);
            assertTrue(mismatch.contains(other.toString()), mismatch);
        }
    }

    @Test
    void everyDamagedFileIsNamedAtOnce() throws IOException {
        SmallIndex.make(folder, encoder, VectorStorage.FLOAT32);
        for (Path file : SmallIndex.files(folder)) {
            byte[] bytes = Files.readAllBytes(file);
            String name = file.getFileName().toString();
            for (int length : new int[] {0, bytes.length / 2, bytes.length}) {
                byte[] damaged = Arrays.copyOf(bytes, length);
                if (length > 0) {
                    damaged[length / 2] ^= 4;
                }
                Files.write(file, damaged);
                IndexReport report = verify(folder);
                // The file that lists the parts, and the files about each part, are read before all
                // others.
                boolean listed = name.startsWith("segments") || name.endsWith(".si");
                assertWrong(report, listed ? Kind.COMMIT : Kind.CHECKSUMS, listed ? "file " : "file " + name + ": ");
                assertEquals(Outcome.SKIPPED, check(report, Kind.TEXTS).outcome());
            }
            Files.write(file, bytes);
        }
        Files.write(folder.resolve("_1.cfs"), Files.readAllBytes(folder.resolve("_2.cfs")));
        assertWrong(verify(folder), Kind.STRUCTURE, "file _1.cfs: file mismatch");
        Files.delete(folder.resolve("_1.cfs"));
        Files.delete(folder.resolve("_0.cfe"));
        assertWrong(verify(folder), Kind.CHECKSUMS, "2 files are damaged: file ");
        assertTrue(check(verify(folder), Kind.CHECKSUMS).message().contains("file _0.cfe is missing"));
        Files.createDirectory(folder.resolve("_1.cfs"));
        assertWrong(verify(folder), Kind.CHECKSUMS, "file _1.cfs: expected a file, found something else");
    }

    /// An index as this library would write it, if it wrote these fields.
    private Path written(Similarity similarity, List<List<IndexableField>> documents) throws IOException {
        Path path = Files.createTempDirectory(folder, "written");
        IndexMetadata metadata = new IndexMetadata(ModelIdentity.of(encoder), similarity, IndexOptions.DEFAULT);
        IndexWriterConfig config = new IndexWriterConfig().setCodec(VectorCodec.of(IndexOptions.DEFAULT));
        try (FSDirectory directory = FSDirectory.open(path);
                IndexWriter writer = new IndexWriter(directory, config)) {
            for (List<IndexableField> fields : documents) {
                writer.addDocument(fields);
            }
            writer.setLiveCommitData(metadata.toUserData().entrySet());
            writer.commit();
        }
        return path;
    }

    private static List<IndexableField> fields(
            Similarity similarity, String id, String text, String embedded, float... vector) {
        return Fields.of(
                Document.of(id, text), ContentHash.of(Document.of(id, embedded)), new VectorSpace(similarity), vector);
    }

    private static float[] unit(float length) {
        float[] vector = new float[encoder.dimension()];
        vector[1] = length;
        return vector;
    }

    private IndexReport verify(Similarity similarity, List<List<IndexableField>> documents) throws IOException {
        return verify(written(similarity, documents));
    }

    @Test
    void contentsThatDoNotFitAreFoundThoughTheFilesAreWhole() throws IOException {
        Similarity cosine = Similarity.COSINE;
        List<IndexableField> right = fields(cosine, "a", "text", "text", unit(1));
        assertTrue(verify(cosine, List.of(right)).isSound());
        assertWrong(verify(cosine, List.of(right, right)), Kind.IDS, "id a leads to another document");
        assertWrong(
                verify(cosine, List.of(right, fields(cosine, "b", "changed", "text", unit(1)))),
                Kind.TEXTS,
                "document b: title or text differs from what was embedded");
        assertWrong(
                verify(cosine, List.of(right, fields(cosine, "b", "b", "b", unit(2)))),
                Kind.VECTORS,
                "document b: expected length 1, got 2.0");
        assertWrong(
                verify(cosine, List.of(fields(cosine, "b", "b", "b", 1, 0))),
                Kind.VECTORS,
                "expected vectors of dimension 64");
        List<IndexableField> anonymous = new ArrayList<>(right);
        anonymous.removeIf(field -> field.name().equals(Fields.ID));
        assertWrong(verify(cosine, List.of(right, anonymous)), Kind.IDS, "document number 1 has no id");
    }

    @Test
    void documentsWithoutAVectorAreAllRightForTheCosineOnly() throws IOException {
        for (Similarity similarity : List.of(Similarity.COSINE, Similarity.DOT)) {
            IndexReport report = verify(
                    similarity, List.of(fields(similarity, "a", "a", "a", unit(1)), fields(similarity, "b", "", "")));
            if (similarity == Similarity.COSINE) {
                assertEquals(
                        "1 of dimension 64; 1 documents have no vector, as if without tokens",
                        check(report, Kind.VECTORS).message());
            } else {
                assertWrong(report, Kind.VECTORS, "1 of 2 documents have no vector");
            }
        }
    }

    @Test
    void anIndexThatIsBeingWrittenIsReadAsItWasCommitted() throws IOException {
        SmallIndex.make(folder, encoder, VectorStorage.INT8);
        try (SemanticIndex index = SemanticIndex.open(folder, encoder)) {
            index.add(List.of(Document.of("x", "bread")));
            assertEquals(
                    "segments_4: 3 parts, 13 passages",
                    check(verify(folder), Kind.COMMIT).message());
            // A merge and a commit delete the files that are being read.
            IndexReport report = IndexVerifier.verify(folder, Optional.empty(), (task, done, total) -> {
                if (task.equals("bytes") && done < 2000) {
                    optimize(index);
                }
            });
            assertTrue(report.isSound(), report.toString());
            assertEquals(
                    "segments_4: 3 parts, 13 passages",
                    check(report, Kind.COMMIT).message());
            assertTrue(check(verify(folder), Kind.COMMIT).message().contains(": 1 parts, 14 passages"));
        }
    }

    private static void optimize(SemanticIndex index) {
        try {
            index.optimize();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void whatIsNoIndexOrOfAnotherVersionIsNoReport() throws IOException {
        Path empty = Files.createDirectory(folder.resolve("empty"));
        assertTrue(assertThrows(FormatException.class, () -> verify(empty))
                .getMessage()
                .startsWith(empty + ": expected an index in the directory, found none"));
        assertTrue(assertThrows(FormatException.class, () -> verify(folder.resolve("absent")))
                .getMessage()
                .contains("found nothing"));
        Path words = folder.resolve("words");
        Bm25Index.build(words, List.of(Document.of("a", "a")).iterator()).close();
        assertTrue(assertThrows(FormatException.class, () -> verify(words))
                .getMessage()
                .contains("got another Lucene index"));
    }

    @Test
    void anInterruptEndsIt() throws IOException {
        SmallIndex.make(folder, encoder, VectorStorage.INT8);
        Thread.currentThread().interrupt();
        assertThrows(CancelledException.class, () -> verify(folder));
        assertTrue(Thread.interrupted());
        assertThrows(
                CancelledException.class,
                () -> IndexVerifier.verify(folder, Optional.empty(), (task, done, total) -> {
                    if (task.equals("documents")) {
                        Thread.currentThread().interrupt();
                    }
                }));
        assertTrue(Thread.interrupted());
        assertTrue(verify(folder).isSound());
    }
}
