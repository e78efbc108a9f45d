package io.github.sgpt4j.spark.index;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.files.FileEntries;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.IndexOptions;
import io.github.sgpt4j.retrieval.SemanticIndex;
import io.github.sgpt4j.retrieval.ShardMerge;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.spark.partition.EngineSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// How attempts of tasks become shards, without Spark.
class ShardOutputTest {
    private static final Configuration HADOOP = new Configuration();

    @TempDir
    private Path folder;

    private static ShardReport attempt(ShardOutput output, int partition, int number, String... ids)
            throws IOException {
        ShardTask task = new ShardTask(
                EngineSettings.DEFAULT,
                IndexOptions.DEFAULT,
                false,
                true,
                new org.apache.hadoop.fs.Path(output.attempts(), "attempt-" + partition + "-" + number));
        return task.write(
                partition,
                Stream.of(ids)
                        .map(id -> new IndexedRow(Document.of(id, "text of " + id), Optional.empty()))
                        .iterator(),
                HADOOP,
                _ -> {});
    }

    private List<String> names(Path path) throws IOException {
        try (Stream<Path> files = Files.list(path)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void ofTwoAttemptsTheOneThatCountsBecomesTheShard() throws IOException {
        ShardOutput output = ShardOutput.begin(folder.toString(), HADOOP);
        attempt(output, 0, 1, "a", "b");
        // A speculative task, which ends later, and whose result is the one that was taken.
        ShardReport taken = attempt(output, 0, 2, "a", "b");
        ShardReport other = attempt(output, 2, 1, "c");
        assertEquals(List.of("_temporary"), names(folder));
        output.commit(List.of(taken, other));
        assertEquals(List.of("_SUCCESS", "part-00000", "part-00002"), names(folder));
        assertFalse(names(folder.resolve("part-00000")).stream().anyMatch(name -> name.endsWith(".crc")));
        try (BiEncoder encoder = NanoModel.open();
                SemanticIndex index = SemanticIndex.openReadOnly(folder, encoder)) {
            assertEquals(3, index.size());
            assertEquals("c", index.search("text of c", 1).getFirst().document().id());
        }
    }

    @Test
    void modelsThatDifferBetweenMachinesAreRefused() throws IOException {
        ShardOutput output = ShardOutput.begin(folder.toString(), HADOOP);
        ShardReport first = attempt(output, 0, 1, "a");
        ShardReport second = attempt(output, 1, 1, "b");
        ShardReport other = new ShardReport(
                1, second.folder(), second.documents(), second.bytes(), "another fingerprint", second.id());
        FormatException e = assertThrows(FormatException.class, () -> output.commit(List.of(first, other)));
        assertTrue(String.valueOf(e.getMessage()).contains("expected one model on all machines"), e.getMessage());
        output.abort();
        assertEquals(List.of(), names(folder));
    }

    @Test
    void aCommitThatFailsLeavesNothing() throws IOException {
        ShardOutput output = ShardOutput.begin(folder.toString(), HADOOP);
        ShardReport first = attempt(output, 0, 1, "a");
        ShardReport lost = new ShardReport(1, first.folder() + "-lost", 1, 1, first.model(), "id");
        assertThrows(IOException.class, () -> output.commit(List.of(first, lost)));
        output.abort();
        assertEquals(List.of(), names(folder));
    }

    @Test
    void aShardInThePlaceOfAnotherIsRefused() throws IOException {
        ShardOutput output = ShardOutput.begin(folder.toString(), HADOOP);
        output.commit(List.of(attempt(output, 0, 1, "a"), attempt(output, 1, 1, "b")));
        try (BiEncoder encoder = NanoModel.open()) {
            // As an index of its own, a shard may be changed.
            try (SemanticIndex shard = SemanticIndex.open(folder.resolve("part-00001"), encoder)) {
                shard.add(List.of(Document.of("c", "text of c")));
            }
            SemanticIndex.openReadOnly(folder, encoder).close();
            FileEntries.remove(folder.resolve("part-00001"));
            try (SemanticIndex shard = SemanticIndex.open(folder.resolve("part-00001"), encoder)) {
                shard.add(List.of(Document.of("b", "text of b")));
            }
            String message = folder.resolve("part-00001")
                    + ": expected the index that was written there, as _SUCCESS says, got another";
            assertEquals(
                    message,
                    assertThrows(FormatException.class, () -> SemanticIndex.openReadOnly(folder, encoder))
                            .getMessage());
            assertEquals(
                    message,
                    assertThrows(
                                    FormatException.class,
                                    () -> ShardMerge.merge(folder, folder.resolveSibling("merged"), false))
                            .getMessage());
        }
    }
}
