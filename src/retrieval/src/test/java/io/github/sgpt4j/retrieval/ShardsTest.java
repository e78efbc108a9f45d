package io.github.sgpt4j.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.passage.PassageOptions;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
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
    private static final IndexOptions OPTIONS =
            IndexOptions.DEFAULT.withConnections(4).withPassages(new PassageOptions(48, 6));

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
                "part-00006: expected a shard with vectors of 32 bits, 4 connections, beam width 100, passages of 48 tokens, overlapping by 6, as",
                () -> SemanticIndex.openReadOnly(shards, encoder));
    }

    @Test
    void shardsOfAnotherModelAreRefused() throws IOException {
        success(SHARDS + 1);
        try (BiEncoder other = BiEncoder.of(encoder.model(), BiEncoderOptions.DEFAULT.withMaxLength(7))) {
            SemanticIndex.open(part(SHARDS), other, OPTIONS.withPassages(PassageOptions.OFF))
                    .close();
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
        refused("expected a folder of shards", () -> ShardMerge.merge(part(0), folder.resolve("merged"), false));
    }

    @Test
    void aMergeThatFailsLeavesNothingAndWorksAgain() throws IOException {
        Path target = folder.resolve("merged");
        AtomicInteger operations = new AtomicInteger();
        ShardMerge.merge(
                shards,
                folder.resolve("counted"),
                true,
                files -> new WatchedDirectory(files, operations::incrementAndGet, () -> false));
        int all = operations.get();
        assertTrue(all > 20, all + " operations");
        for (int i = 1; i <= all; i++) {
            AtomicInteger left = new AtomicInteger(i);
            WatchedDirectory.Watcher watcher = () -> {
                if (left.decrementAndGet() == 0) {
                    throw new IOException("No space left on device");
                }
            };
            try {
                ShardMerge.merge(shards, target, true, files -> new WatchedDirectory(files, watcher, () -> false));
                // Lucene goes on where a file cannot be deleted, and the index is whole.
                assertEquals(DOCUMENTS, size(target), "operation " + i);
                remove(target);
            } catch (IOException e) {
                assertTrue(String.valueOf(e.getMessage()).contains("No space left"), e.getMessage());
            }
            assertEquals(List.of("counted", "shards"), names(folder), "operation " + i);
        }
        assertEquals(DOCUMENTS, ShardMerge.merge(shards, target, true));
        assertEquals(DOCUMENTS, size(target));
    }

    @Test
    void aFailureKeepsTheEmptyTarget() throws IOException {
        Path target = Files.createDirectory(folder.resolve("merged"));
        assertThrows(
                IOException.class,
                () -> ShardMerge.merge(
                        shards,
                        target,
                        false,
                        files -> new WatchedDirectory(
                                files,
                                () -> {
                                    throw new IOException("full");
                                },
                                () -> false)));
        assertEquals(List.of(), names(target));
        assertEquals(List.of("merged", "shards"), names(folder));
        assertEquals(DOCUMENTS, ShardMerge.merge(shards, target, false));
        assertEquals(DOCUMENTS, size(target));
    }

    @Test
    void theTargetMayBeALinkToAnEmptyFolder() throws IOException {
        Path real = Files.createDirectories(folder.resolve("elsewhere/real"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), real);
        assertEquals(DOCUMENTS, ShardMerge.merge(shards, link, false));
        assertEquals(DOCUMENTS, size(real));
        assertTrue(Files.isSymbolicLink(link));
    }

    @Test
    void whatADeadRunLeftIsReplacedAndARunningOneIsNotDisturbed() throws IOException {
        Path target = folder.resolve("merged");
        Path left = folder.resolve(".merged.sgpt-merge");
        copy(part(0), left.resolve("index"));
        Files.writeString(left.resolve("lock"), "");
        try (FileChannel lock = FileChannel.open(left.resolve("lock"), StandardOpenOption.WRITE);
                FileLock held = lock.lock()) {
            assertTrue(held.isValid());
            IndexInUseException e =
                    assertThrows(IndexInUseException.class, () -> ShardMerge.merge(shards, target, false));
            assertTrue(
                    String.valueOf(e.getMessage()).startsWith(target + ": expected no other writer"), e.getMessage());
            assertTrue(Files.exists(left.resolve("index")));
        }
        assertEquals(DOCUMENTS, ShardMerge.merge(shards, target, false));
        assertEquals(DOCUMENTS, size(target));
        assertEquals(List.of("merged", "shards"), names(folder));
    }

    @Test
    void theTargetIsNeitherWithinTheShardsNorAroundThem() throws IOException {
        Path link = Files.createSymbolicLink(folder.resolve("link"), shards);
        for (Path target : List.of(
                shards,
                shards.resolve("merged"),
                shards.resolve("part-00099"),
                part(0).resolve("deep/er"),
                folder,
                folder.resolve("absent/../shards/merged"),
                part(0).resolve("../merged"),
                Files.createSymbolicLink(folder.resolve("to-part"), part(0)).resolve("../merged"),
                link.resolve("merged"))) {
            List<String> before = names(shards);
            refused(
                    target + ": expected a directory for the merged index that is neither within " + shards,
                    () -> ShardMerge.merge(shards, target, false));
            assertEquals(before, names(shards));
        }
        // A shard may be a link.
        Path elsewhere = folder.resolve("elsewhere");
        Files.move(part(1), elsewhere);
        Files.createSymbolicLink(part(1), elsewhere);
        refused("neither within " + part(1), () -> ShardMerge.merge(shards, elsewhere.resolve("merged"), false));
        assertEquals(DOCUMENTS, ShardMerge.merge(shards, folder.resolve("shards-merged"), false));
    }

    private static int size(Path index) throws IOException {
        try (SemanticIndex merged = SemanticIndex.openReadOnly(index)) {
            return merged.size();
        }
    }

    private static List<String> names(Path of) throws IOException {
        try (Stream<Path> files = Files.list(of)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private IndexReport verify() throws IOException {
        return IndexVerifier.verify(shards, Optional.of(ModelIdentity.of(encoder)), VerifyListener.NONE);
    }

    private static String message(IndexReport report, IndexReport.Kind kind, IndexReport.Outcome outcome) {
        IndexReport.Check check = report.checks().get(kind.ordinal());
        assertEquals(kind, check.kind());
        assertEquals(outcome, check.outcome(), check.message());
        return check.message();
    }

    @Test
    void everyShardIsVerified() throws IOException {
        List<String> tasks = new ArrayList<>();
        IndexReport report = IndexVerifier.verify(shards, Optional.empty(), (task, _, _) -> tasks.add(task));
        assertTrue(report.isSound(), report.toString());
        assertEquals(Optional.empty(), report.remedy());
        assertEquals(IndexReport.Kind.values().length, report.checks().size());
        assertEquals("in each of 3 shards", message(report, IndexReport.Kind.VECTORS, IndexReport.Outcome.OK));
        assertEquals(
                "3, as many as were written, made in one way, each id in one of them",
                message(report, IndexReport.Kind.SHARDS, IndexReport.Outcome.OK));
        assertEquals(OPTIONS, report.options().orElseThrow());
        assertTrue(tasks.contains("documents of shard 3 of 3"), tasks.toString());
        assertEquals("in each of 3 shards", message(verify(), IndexReport.Kind.MODEL, IndexReport.Outcome.OK));
    }

    @Test
    void damageInOneShardIsTold() throws IOException {
        Path damaged;
        try (Stream<Path> files = Files.list(part(1))) {
            damaged = files.filter(file -> file.toString().endsWith(".cfs"))
                    .findFirst()
                    .orElseThrow();
        }
        byte[] bytes = Files.readAllBytes(damaged);
        bytes[bytes.length / 2] ^= 1;
        Files.write(damaged, bytes);
        Files.delete(part(2).resolve(names(part(2)).stream()
                .filter(name -> name.startsWith("segments_"))
                .findFirst()
                .orElseThrow()));
        IndexReport report = verify();
        String checksums = message(report, IndexReport.Kind.CHECKSUMS, IndexReport.Outcome.WRONG);
        assertTrue(checksums.startsWith("part-00002: file _0.cfs: checksum failed"), checksums);
        assertEquals(
                "part-00004: file segments_N, which lists the parts, is missing",
                message(report, IndexReport.Kind.COMMIT, IndexReport.Outcome.WRONG));
        assertEquals(
                "2 of 3 shards, the first: part-00002: not checked, since the index is damaged",
                message(report, IndexReport.Kind.IDS, IndexReport.Outcome.SKIPPED));
        message(report, IndexReport.Kind.SHARDS, IndexReport.Outcome.SKIPPED);
        assertEquals(
                "put a sound copy of the shard there, or write the folder again",
                report.remedy().orElseThrow());
    }

    @Test
    void shardsThatDoNotFitTogetherAreTold() throws IOException {
        success(SHARDS + 1);
        make(part(SHARDS), OPTIONS, number -> number == 5);
        IndexReport report = verify();
        assertEquals(
                "expected each id in one shard, found \"5\" in several places",
                message(report, IndexReport.Kind.SHARDS, IndexReport.Outcome.WRONG));
        assertEquals("in each of 4 shards", message(report, IndexReport.Kind.IDS, IndexReport.Outcome.OK));
        Files.delete(shards.resolve("_SUCCESS"));
        refused("found no _SUCCESS", this::verify);
    }

    @Test
    void aShardThatIsNotTheOneThatWasWrittenIsRefused() throws IOException {
        List<String> parts = new ArrayList<>();
        for (int i = 0; i < SHARDS; i++) {
            try (SemanticIndex index = SemanticIndex.openReadOnly(part(i))) {
                parts.add("\"%s\":\"%s\""
                        .formatted(part(i).getFileName(), index.id().orElseThrow()));
            }
        }
        Files.writeString(
                shards.resolve("_SUCCESS"),
                "{\"format\":1,\"shards\":3,\"parts\":{%s}}".formatted(String.join(",", parts)));
        try (SemanticIndex index = SemanticIndex.open(part(2), encoder, OPTIONS)) {
            index.remove(List.of("2"));
        }
        assertEquals(DOCUMENTS - 1, ShardMerge.merge(shards, folder.resolve("merged"), false));
        try (SemanticIndex index = SemanticIndex.openReadOnly(shards)) {
            assertEquals(Optional.empty(), index.id());
        }
        remove(part(1));
        make(part(1), OPTIONS, number -> number % SHARDS == 1);
        String message = part(1) + ": expected the index that was written there, as _SUCCESS says, got another";
        refused(message, () -> SemanticIndex.openReadOnly(shards));
        refused(message, () -> ShardMerge.merge(shards, folder.resolve("again"), false));
        assertTrue(message(verify(), IndexReport.Kind.SHARDS, IndexReport.Outcome.WRONG)
                .contains(message));
        // A part of another name is none of those that were written.
        remove(part(1));
        make(shards.resolve("part-00001"), OPTIONS, number -> number % SHARDS == 1);
        refused("part-00001: expected the index that was written there", () -> SemanticIndex.openReadOnly(shards));
    }
}
