package io.github.sgpt4j.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.apache.lucene.codecs.Codec;
import org.apache.lucene.codecs.FilterCodec;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.KnnVectorsReader;
import org.apache.lucene.codecs.KnnVectorsWriter;
import org.apache.lucene.codecs.lucene99.Lucene99HnswVectorsFormat;
import org.apache.lucene.codecs.perfield.PerFieldKnnVectorsFormat;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.SegmentReadState;
import org.apache.lucene.index.SegmentWriteState;
import org.apache.lucene.store.FSDirectory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// An index with damaged files gives the same results as before, or says that it is broken.
///
/// `-Dsgpt4j.flips=all` flips every bit instead of one bit of every byte.
class DamagedIndexTest {
    private static final int BITS = "all".equals(System.getProperty("sgpt4j.flips")) ? Byte.SIZE : 1;

    /// In an index that stays open, one byte in this many is changed.
    private static final int STEP = BITS == 1 ? 7 : 1;

    private static final int MERGES = 8;

    private static BiEncoder encoder;

    @TempDir
    private Path folder;

    private Path path;

    @BeforeAll
    static void openModel() throws IOException {
        encoder = BiEncoder.open(SmallIndex.MODEL);
    }

    @AfterAll
    static void closeModel() {
        encoder.close();
    }

    /// @return what the index answers
    private List<Object> make(VectorStorage storage) throws IOException {
        path = folder.resolve("index");
        SmallIndex.make(path, encoder, storage);
        assertTrue(SmallIndex.files(path).size() > 8, SmallIndex.files(path).toString());
        return SmallIndex.ask(path, encoder);
    }

    private static void flip(Path file, long place, int bit) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer one = ByteBuffer.allocate(1);
            channel.read(one, place);
            one.put(0, (byte) (one.get(0) ^ 1 << bit)).rewind();
            channel.write(one, place);
        }
    }

    private void assertNames(FormatException broken, String what) {
        String message = broken.getMessage();
        assertTrue(message.startsWith(path + ": "), what + ": " + message);
        assertTrue(message.endsWith(" delete the directory and make the index again"), what + ": " + message);
    }

    @ParameterizedTest
    @EnumSource
    void aFlippedBitIsFoundInEveryByteOfEveryFile(VectorStorage storage) throws IOException {
        List<Object> whole = make(storage);
        Random random = new Random(1);
        int flips = 0;
        for (Path file : SmallIndex.files(path)) {
            for (long i = 0; i < Files.size(file); i++) {
                int first = random.nextInt(Byte.SIZE);
                for (int bit = first; bit < first + BITS; bit++) {
                    String what = "%s byte %d bit %d".formatted(file.getFileName(), i, bit % Byte.SIZE);
                    flip(file, i, bit % Byte.SIZE);
                    assertNames(assertThrows(FormatException.class, () -> SmallIndex.ask(path, encoder), what), what);
                    flip(file, i, bit % Byte.SIZE);
                    flips++;
                }
            }
        }
        System.out.println("DamagedIndexTest: %s, %,d flips".formatted(storage, flips));
        assertEquals(whole, SmallIndex.ask(path, encoder));
    }

    /// Damage in a file too large to be read whole when it is opened.
    @ParameterizedTest
    @EnumSource
    void aFlippedBitInAnOpenIndexLeadsToNoOtherFailure(VectorStorage storage) throws IOException {
        List<Object> whole = make(storage);
        Random random = new Random(2);
        int broken = 0;
        for (Path file : SmallIndex.files(path)) {
            if (!file.toString().endsWith(".cfs")) {
                continue;
            }
            try (SemanticIndex index = SemanticIndex.openReadOnly(path, encoder)) {
                for (long i = 0; i < Files.size(file); i += STEP) {
                    int bit = random.nextInt(Byte.SIZE);
                    flip(file, i, bit);
                    try {
                        SmallIndex.ask(index);
                    } catch (FormatException e) {
                        assertNames(e, "byte " + i);
                        broken++;
                    }
                    flip(file, i, bit);
                }
                assertEquals(whole, SmallIndex.ask(index));
            }
        }
        assertTrue(broken > 0);
    }

    @Test
    void whatIsNotAsLongAsItWasIsFound() throws IOException {
        List<Object> whole = make(VectorStorage.INT8);
        for (Path file : SmallIndex.files(path)) {
            byte[] bytes = Files.readAllBytes(file);
            int length = bytes.length;
            for (int cut : new int[] {0, 1, 7, 16, length / 3, length / 2, length - 17, length - 4, length - 1}) {
                Files.write(file, Arrays.copyOf(bytes, cut));
                assertRefused(file.getFileName() + " cut to " + cut);
            }
            Files.write(file, Arrays.copyOf(bytes, length + 1));
            assertRefused(file.getFileName() + " with a byte more");
            Files.write(file, bytes);
        }
        assertEquals(whole, SmallIndex.ask(path, encoder));
    }

    @Test
    void aFileThatIsMissingOrADirectoryIsNamed() throws IOException {
        List<Object> whole = make(VectorStorage.INT8);
        for (Path file : SmallIndex.files(path)) {
            byte[] bytes = Files.readAllBytes(file);
            String name = file.getFileName().toString();
            Files.delete(file);
            for (FormatException refused : assertRefused(name + " is missing")) {
                String expected =
                        name.startsWith("segments") ? "file segments_N, which lists the parts," : "file " + name;
                assertTrue(refused.getMessage().contains(expected + " is missing"), refused.getMessage());
            }
            Files.createDirectory(file);
            for (FormatException refused : assertRefused(name + " is a directory")) {
                assertTrue(refused.getMessage().contains(name), refused.getMessage());
            }
            Files.delete(file);
            Files.write(file, bytes);
        }
        assertEquals(whole, SmallIndex.ask(path, encoder));
    }

    @Test
    void aFileInThePlaceOfAnotherIsFound() throws IOException {
        List<Object> whole = make(VectorStorage.FLOAT32);
        Path other = folder.resolve("other");
        SmallIndex.make(other, encoder, VectorStorage.FLOAT32);
        List<Path> files = SmallIndex.files(path);
        for (Path file : files) {
            byte[] bytes = Files.readAllBytes(file);
            List<Path> others = new ArrayList<>(files);
            others.remove(file);
            others.add(other.resolve(file.getFileName()));
            for (Path wrong : others) {
                Files.write(file, Files.readAllBytes(wrong));
                assertRefused("%s in the place of %s".formatted(wrong, file));
                Files.write(file, bytes);
            }
        }
        assertEquals(whole, SmallIndex.ask(path, encoder));
    }

    /// Opening for reading, with and without a model, and for writing: all refuse the index and change
    /// nothing.
    private List<FormatException> assertRefused(String what) throws IOException {
        List<Path> before = SmallIndex.files(path);
        List<FormatException> refused = List.of(
                assertThrows(FormatException.class, () -> SmallIndex.ask(path, encoder), what),
                assertThrows(FormatException.class, () -> SemanticIndex.openReadOnly(path), what),
                assertThrows(FormatException.class, () -> SemanticIndex.open(path, encoder), what));
        refused.forEach(e -> assertNames(e, what));
        assertEquals(before, SmallIndex.files(path), what);
        return refused;
    }

    @ParameterizedTest
    @EnumSource
    void aMergeDoesNotMakeDamageWhole(VectorStorage storage) throws IOException {
        List<Object> whole = make(storage);
        Path original = path;
        long size = Files.size(original.resolve("_0.cfs"));
        int broken = 0;
        for (int i = 0; i < MERGES; i++) {
            path = folder.resolve("copy" + i);
            SmallIndex.copy(original, path);
            long place = size * i / MERGES;
            try (SemanticIndex index = SemanticIndex.open(path, encoder)) {
                flip(path.resolve("_0.cfs"), place, i % Byte.SIZE);
                index.add(List.of(Document.of("new", "bread")));
                index.commit();
                index.optimize();
                index.remove(List.of("new"));
                index.commit();
                // Damage in bytes that nothing read, such as the space between two parts of the file.
                index.optimize();
                assertEquals(withoutScores(whole), withoutScores(SmallIndex.ask(index)), "byte " + place);
            } catch (FormatException e) {
                assertNames(e, "byte " + place);
                broken++;
                flip(path.resolve("_0.cfs"), place, i % Byte.SIZE);
                try (SemanticIndex index = SemanticIndex.open(path, encoder)) {
                    index.remove(List.of("new"));
                    index.optimize();
                    assertEquals(withoutScores(whole), withoutScores(SmallIndex.ask(index)), "byte " + place);
                }
            }
        }
        assertTrue(broken >= MERGES / 2, broken + " found");
    }

    /// Scores are left out, since removed documents count in the weights of words until they are merged
    /// away.
    private static Object withoutScores(List<Object> answers) {
        List<Object> documents = new ArrayList<>();
        for (Object answer : answers) {
            documents.add(answer instanceof List<?> hits ? ids(hits) : answer);
        }
        return documents;
    }

    private static Set<Object> ids(List<?> hits) {
        Set<Object> ids = new HashSet<>();
        hits.forEach(hit -> ids.add(((Hit) hit).document()));
        return ids;
    }

    @Test
    void whatAnIndexSaysAboutItselfIsChecked() throws IOException {
        make(VectorStorage.FLOAT32);
        Map<String, String> data =
                new IndexMetadata(ModelIdentity.of(encoder), encoder.similarity(), IndexOptions.DEFAULT).toUserData();
        for (String key : data.keySet()) {
            if (!key.equals("sgpt4j.format")) {
                assertSays(data, key, null, "expected key %s in its commit, found none".formatted(key));
            }
        }
        for (String key : List.of("sgpt4j.model.dimension", "sgpt4j.hnsw.connections", "sgpt4j.hnsw.beamWidth")) {
            for (String value : List.of("", "x", "-1", "0", "1.5", "2147483648", "100000", "9".repeat(1000))) {
                assertSays(data, key, value, "key %s of its commit has value \"".formatted(key));
            }
        }
        assertSays(data, "sgpt4j.similarity", "manhattan", "has value \"manhattan\"");
        assertSays(data, "sgpt4j.similarity", "dot", "compared by MAXIMUM_INNER_PRODUCT, got dimension 64");
        assertSays(data, "sgpt4j.vectors", "INT4\u001b[31m\n", "has value \"INT4\\u001b[31m\\u000a\"");
        assertSays(data, "sgpt4j.model.dimension", "65", "expected vectors of dimension 65");
        assertSays(data, "sgpt4j.format", "one", "key sgpt4j.format of its commit has value \"one\"");
        assertSays(data, "sgpt4j.format", "3", "got 3, from a newer version of sgpt4j; use that version, or delete");
    }

    @Test
    void anIndexOfOtherFileFormatsIsNotCalledBroken() throws IOException {
        for (Codec codec : List.of(new FilterCodec("Lucene999", Codec.getDefault()) {}, new LaterVectors())) {
            path = Files.createTempDirectory(folder, "later");
            try (FSDirectory directory = FSDirectory.open(path);
                    IndexWriter writer = new IndexWriter(directory, new IndexWriterConfig().setCodec(codec))) {
                writer.addDocument(List.of(new KnnFloatVectorField("vector", new float[64])));
                writer.setLiveCommitData(
                        new IndexMetadata(ModelIdentity.of(encoder), encoder.similarity(), IndexOptions.DEFAULT)
                                .toUserData()
                                .entrySet());
                writer.commit();
            }
            for (FormatException refused : assertRefused("later")) {
                assertTrue(
                        refused.getMessage()
                                .contains(": this index was made by another version of sgpt4j with other file"),
                        refused.getMessage());
            }
        }
    }

    private static final class LaterVectors extends FilterCodec {
        LaterVectors() {
            super(Codec.getDefault().getName(), Codec.getDefault());
        }

        @Override
        public KnnVectorsFormat knnVectorsFormat() {
            return new PerFieldKnnVectorsFormat() {
                @Override
                public KnnVectorsFormat getKnnVectorsFormatForField(String field) {
                    return new LaterFormat();
                }
            };
        }
    }

    private static final class LaterFormat extends KnnVectorsFormat {
        private final KnnVectorsFormat format = new Lucene99HnswVectorsFormat();

        LaterFormat() {
            super("Lucene999HnswVectorsFormat");
        }

        @Override
        public KnnVectorsWriter fieldsWriter(SegmentWriteState state) throws IOException {
            return format.fieldsWriter(state);
        }

        @Override
        public KnnVectorsReader fieldsReader(SegmentReadState state) throws IOException {
            return format.fieldsReader(state);
        }

        @Override
        public int getMaxDimensions(String field) {
            return format.getMaxDimensions(field);
        }
    }

    private void assertSays(Map<String, String> data, String key, String value, String expected) throws IOException {
        Map<String, String> changed = new HashMap<>(data);
        changed.remove(key);
        if (value != null) {
            changed.put(key, value);
        }
        try (FSDirectory directory = FSDirectory.open(path);
                IndexWriter writer = new IndexWriter(directory, new IndexWriterConfig())) {
            writer.setLiveCommitData(changed.entrySet());
            writer.commit();
        }
        FormatException refused = assertThrows(FormatException.class, () -> SemanticIndex.openReadOnly(path), key);
        assertNames(refused, key);
        assertTrue(refused.getMessage().contains(expected), refused.getMessage());
        assertFalse(refused.getMessage().length() > 1000, refused.getMessage());
    }
}
