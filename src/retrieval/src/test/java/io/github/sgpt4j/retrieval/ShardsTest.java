package io.github.sgpt4j.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntPredicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/// A folder of shards is searched as one index, and can be merged into one.
class ShardsTest {
    private static final int SHARDS = 3;
    private static final int DOCUMENTS = 12;
    private static final IndexOptions OPTIONS = IndexOptions.DEFAULT.withConnections(4);

    private static BiEncoder encoder;

    @TempDir
    private Path folder;

    private Path shards;

    @BeforeAll
    static void open() {
        encoder = BiEncoder.open(SmallIndex.MODEL);
    }

    @AfterAll
    static void close() {
        encoder.close();
    }

    @BeforeEach
    void writeShards() throws IOException {
        shards = folder.resolve("shards");
        for (int i = 0; i < SHARDS; i++) {
            int shard = i;
            make(part(i), OPTIONS, number -> number % SHARDS == shard);
        }
        success(SHARDS);
    }

    private Path part(int number) {
        // Numbers may have gaps: partitions without documents make no shard.
        return shards.resolve("part-%05d".formatted(2 * number));
    }

    private void success(int number) throws IOException {
        Files.writeString(
                shards.resolve("_SUCCESS"),
                "{\"format\":1,\"shards\":%d,\"documents\":%d}".formatted(number, DOCUMENTS));
    }

    private static void make(Path path, IndexOptions options, IntPredicate which) throws IOException {
        try (SemanticIndex index = SemanticIndex.open(path, encoder, options)) {
            List<Document> documents = new ArrayList<>();
            List<float[]> vectors = new ArrayList<>();
            for (int i = 0; i < DOCUMENTS; i++) {
                if (which.test(i)) {
                    documents.add(new Document(
                            Integer.toString(i),
                            Optional.of("title " + i),
                            "spiders of kind %d and words %s".formatted(i, Integer.toString(i * 7919, 5))));
                    vectors.add(SmallIndex.vector(index.model().dimension(), i));
                }
            }
            index.add(documents, vectors.toArray(float[][]::new));
        }
    }

    private static void refused(String message, Executable action) {
        FormatException e = assertThrows(FormatException.class, action);
        assertTrue(String.valueOf(e.getMessage()).contains(message), e.getMessage());
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
    }

    private static void remove(Path index) throws IOException {
        try (Stream<Path> files = Files.list(index)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(index);
    }

    @Test
    void aShardThatStandsForAnotherIsRefused() throws IOException {
        remove(part(1));
        copy(part(0), part(1));
        refused("expected another index, got the one of part-00000", () -> SemanticIndex.openReadOnly(shards));
    }

    @Test
    void aFolderWithoutShardsIsRefused() throws IOException {
        Path empty = Files.createDirectory(folder.resolve("empty"));
        Files.writeString(empty.resolve("_SUCCESS"), "{\"format\":1,\"shards\":0,\"documents\":0}");
        refused("expected shards (part-*), found none", () -> SemanticIndex.openReadOnly(empty));
    }

    @Test
    void damageIsNotMerged() throws IOException {
        Path damaged;
        try (Stream<Path> files = Files.list(part(1))) {
            damaged = files.filter(file -> file.toString().endsWith(".cfs"))
                    .findFirst()
                    .orElseThrow();
        }
        byte[] bytes = Files.readAllBytes(damaged);
        bytes[bytes.length / 2] ^= 1;
        Files.write(damaged, bytes);
        refused(part(1).toString(), () -> ShardMerge.merge(shards, folder.resolve("merged"), false));
    }

    @Test
    void hybridSearchFindsBothDocumentsOfAnId() throws IOException {
        remove(part(1));
        make(part(1), OPTIONS, number -> number % SHARDS == 0);
        try (SemanticIndex index = SemanticIndex.openReadOnly(shards, encoder)) {
            for (SearchMode mode : SearchMode.values()) {
                List<Hit> hits = index.search(
                        "kind 0", SearchOptions.DEFAULT.withMode(mode).withLimit(500));
                long found = hits.stream()
                        .filter(hit -> hit.document().id().equals("0"))
                        .count();
                assertEquals(2, found, mode.toString());
            }
        }
    }

    @Test
    void searchesSeeOneIndex() throws IOException {
        Path one = folder.resolve("one");
        make(one, OPTIONS, _ -> true);
        assertEquals(SmallIndex.ask(one, encoder), SmallIndex.ask(shards, encoder));
        try (SemanticIndex index = SemanticIndex.openReadOnly(shards)) {
            assertEquals(DOCUMENTS, index.size());
            assertEquals(OPTIONS, index.options());
            index.refresh();
            assertEquals(
                    "7",
                    index.search("kind 7", SearchOptions.DEFAULT.withMode(SearchMode.BM25))
                            .getFirst()
                            .document()
                            .id());
            assertThrows(IllegalStateException.class, () -> index.remove(List.of("1")));
        }
    }

    @Test
    void aMergedIndexGivesTheSameAnswers() throws IOException {
        List<Object> answers = SmallIndex.ask(shards, encoder);
        for (boolean optimize : List.of(false, true)) {
            Path merged = folder.resolve("merged-" + optimize);
            assertEquals(DOCUMENTS, ShardMerge.merge(shards, merged, optimize));
            assertEquals(answers, SmallIndex.ask(merged, encoder));
            assertTrue(IndexVerifier.verify(merged, Optional.of(ModelIdentity.of(encoder)), VerifyListener.NONE)
                    .isSound());
            // It can be written like any other.
            try (SemanticIndex index = SemanticIndex.open(merged, encoder, OPTIONS)) {
                index.remove(List.of("3"));
                index.commit();
                assertEquals(DOCUMENTS - 1, index.size());
            }
        }
        assertEquals(answers, SmallIndex.ask(shards, encoder));
        refused(
                "expected an empty directory or none",
                () -> ShardMerge.merge(shards, folder.resolve("merged-true"), false));
    }

    @Test
    void anUnfinishedFolderIsRefused() throws IOException {
        Files.delete(shards.resolve("_SUCCESS"));
        refused("found no _SUCCESS", () -> SemanticIndex.openReadOnly(shards, encoder));
        refused("found no _SUCCESS", () -> ShardMerge.merge(shards, folder.resolve("merged"), false));
        success(SHARDS + 1);
        refused("expected 4 shards (part-*), as _SUCCESS says, found 3", () -> SemanticIndex.openReadOnly(shards));
        Files.writeString(shards.resolve("_SUCCESS"), "{\"format\":2,\"shards\":3}");
        refused("format", () -> SemanticIndex.openReadOnly(shards));
        Files.writeString(shards.resolve("_SUCCESS"), "");
        refused("_SUCCESS", () -> SemanticIndex.openReadOnly(shards));
    }

    @Test
    void shardsThatDoNotFitTogetherAreRefused() throws IOException {
        success(SHARDS + 1);
        make(part(SHARDS), OPTIONS.withConnections(5), _ -> false);
        refused(
                "part-00006: expected a shard with vectors of 32 bits, 4 connections, beam width 100, as",
                () -> SemanticIndex.openReadOnly(shards, encoder));
    }

    @Test
    void shardsOfAnotherModelAreRefused() throws IOException {
        success(SHARDS + 1);
        try (BiEncoder other = BiEncoder.of(encoder.model(), BiEncoderOptions.DEFAULT.withMaxLength(7))) {
            SemanticIndex.open(part(SHARDS), other, OPTIONS).close();
        }
        refused("part-00006: this index was made with model", () -> SemanticIndex.openReadOnly(shards, encoder));
    }

    @Test
    void anIdInTwoShardsIsFoundTwiceAndNotMerged() throws IOException {
        success(SHARDS + 1);
        make(part(SHARDS), OPTIONS, number -> number == 5);
        try (SemanticIndex index = SemanticIndex.openReadOnly(shards)) {
            assertEquals(
                    2,
                    index
                            .search(
                                    "kind",
                                    SearchOptions.DEFAULT
                                            .withMode(SearchMode.BM25)
                                            .withLimit(20))
                            .stream()
                            .filter(hit -> hit.document().id().equals("5"))
                            .count());
        }
        refused("found \"5\" in several places", () -> ShardMerge.merge(shards, folder.resolve("merged"), false));
        // One of both was removed.
        try (SemanticIndex index = SemanticIndex.open(part(SHARDS), encoder, OPTIONS)) {
            index.remove(List.of("5"));
        }
        assertEquals(DOCUMENTS, ShardMerge.merge(shards, folder.resolve("merged"), false));
    }

    @Test
    void whereOneIndexIsExpectedAFolderOfShardsIsRefused() {
        refused("expected one index, got a folder of shards", () -> SemanticIndex.open(shards, encoder));
        refused(
                "expected one index, got a folder of shards",
                () -> IndexVerifier.verify(shards, Optional.empty(), VerifyListener.NONE));
        refused("expected a folder of shards", () -> ShardMerge.merge(part(0), folder.resolve("merged"), false));
    }
}
