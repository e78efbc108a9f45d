package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.IndexReport.Check;
import io.github.sgpt4j.retrieval.IndexReport.Kind;
import io.github.sgpt4j.retrieval.IndexReport.Outcome;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.lucene.index.CheckIndex;
import org.apache.lucene.index.CodecReader;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.SegmentInfos;

/// Checks everything in an index: the checksums of its files, that they can be decoded and agree, and
/// that its documents are what this library wrote. Reads the last commit, even while something writes
/// the index.
public final class IndexVerifier {
    static final String NOT_WHOLE = "not checked, since the index is damaged";

    private final Path path;
    private final Optional<ModelIdentity> expected;
    private final VerifyListener listener;
    private final Map<Kind, Check> checks = new EnumMap<>(Kind.class);
    private Optional<IndexMetadata> metadata = Optional.empty();

    private IndexVerifier(Path path, Optional<ModelIdentity> expected, VerifyListener listener) {
        this.path = path;
        this.expected = expected;
        this.listener = listener;
    }

    /// Checks an index, or a folder of shards: every shard as an index of its own, and that they fit together.
    ///
    /// @param model the model it should have been made with, if that matters
    /// @return what was found; a damaged index or shard is reported, not thrown
    /// @throws FormatException if there is no index, another version or another program made it, or a folder
    ///     of shards is not finished
    /// @throws IOException if a file cannot be read for a reason other than damage
    /// @throws CancelledException if the thread is interrupted
    public static IndexReport verify(Path path, Optional<ModelIdentity> model, VerifyListener listener)
            throws IOException {
        return ShardFolder.isOne(path)
                ? ShardsVerifier.verify(path, model, listener)
                : verifyOne(path, model, listener);
    }

    static IndexReport verifyOne(Path path, Optional<ModelIdentity> model, VerifyListener listener) throws IOException {
        IndexFiles.openExisting(path).close();
        try {
            return new IndexVerifier(path, model, listener).run();
        } catch (ClosedByInterruptException e) {
            Thread.currentThread().interrupt();
            throw cancelled(path);
        }
    }

    private IndexReport run() throws IOException {
        IndexSnapshot opened;
        try {
            opened = IndexFiles.checked(path, () -> IndexSnapshot.open(path));
        } catch (FormatException e) {
            if (!IndexDamage.isDamage(path, e)) {
                throw e;
            }
            wrong(Kind.COMMIT, IndexDamage.what(path, e));
            return report();
        }
        try (IndexSnapshot snapshot = opened) {
            SegmentInfos commit = snapshot.commit();
            ok(
                    Kind.COMMIT,
                    "%s: %,d parts, %,d %s"
                            .formatted(
                                    commit.getSegmentsFileName(),
                                    commit.size(),
                                    rows(commit),
                                    IndexMetadata.hasPassages(commit.getUserData()) ? "passages" : "documents"));
            metadata(commit);
            checksums(snapshot);
            if (checks.get(Kind.CHECKSUMS) instanceof Check check && check.outcome() == Outcome.OK) {
                contents(snapshot);
            }
        }
        return report();
    }

    private static long rows(SegmentInfos commit) {
        return commit.asList().stream()
                .mapToLong(part -> (long) part.info.maxDoc() - part.getDelCount())
                .sum();
    }

    private void metadata(SegmentInfos commit) {
        IndexMetadata.requireVersion(path, commit.getUserData());
        try {
            IndexMetadata found = IndexMetadata.of(path, commit.getUserData());
            metadata = Optional.of(found);
            ok(Kind.METADATA, "made with model %s".formatted(found.model()));
            if (expected.isPresent()) {
                ModelIdentity given = expected.get();
                if (found.isOf(given)) {
                    ok(Kind.MODEL, "the one given");
                } else {
                    // The index may be sound, so it need not be made again.
                    wrong(Kind.MODEL, "this index was " + found.model().difference(given));
                }
            }
        } catch (FormatException e) {
            wrong(Kind.METADATA, IndexDamage.what(path, e));
        }
    }

    private void checksums(IndexSnapshot snapshot) throws IOException {
        long total = snapshot.bytes();
        long[] done = {0};
        List<String> damaged = new ArrayList<>();
        for (String name : snapshot.names()) {
            try {
                IndexFiles.checked(path, () -> {
                    snapshot.check(name, bytes -> {
                        done[0] += bytes;
                        progress("bytes", Math.min(done[0], total), total);
                    });
                    return name;
                });
            } catch (FormatException e) {
                damaged.add(IndexDamage.what(path, e));
            }
        }
        switch (damaged.size()) {
            case 0 ->
                ok(
                        Kind.CHECKSUMS,
                        "%,d files, %,d bytes".formatted(snapshot.names().size(), total));
            case 1 -> wrong(Kind.CHECKSUMS, damaged.getFirst());
            default ->
                wrong(
                        Kind.CHECKSUMS,
                        "%,d files are damaged: %s".formatted(damaged.size(), String.join("; ", damaged)));
        }
    }

    private void contents(IndexSnapshot snapshot) throws IOException {
        try {
            IndexFiles.checked(path, () -> {
                try (DirectoryReader reader = DirectoryReader.open(snapshot)) {
                    structure(reader);
                    if (metadata.isPresent()) {
                        new ContentCheck(path, metadata.get(), reader, this::progress)
                                .run()
                                .forEach(check -> checks.put(check.kind(), check));
                    }
                    return reader;
                }
            });
        } catch (FormatException e) {
            wrong(Kind.STRUCTURE, IndexDamage.what(path, e));
        }
    }

    /// Runs the checks of Lucene's own CheckIndex.
    private void structure(DirectoryReader reader) throws IOException {
        for (LeafReaderContext leaf : reader.leaves()) {
            CodecReader part = (CodecReader) leaf.reader();
            try {
                CheckIndex.testLiveDocs(part, null, true);
                CheckIndex.testFieldInfos(part, null, true);
                CheckIndex.testFieldNorms(part, null, true);
                CheckIndex.testPostings(part, null, false, CheckIndex.Level.MIN_LEVEL_FOR_INTEGRITY_CHECKS, true);
                CheckIndex.testStoredFields(part, null, true);
                CheckIndex.testDocValues(part, null, true);
                CheckIndex.testVectors(part, null, true);
            } catch (RuntimeException | AssertionError e) {
                wrong(
                        Kind.STRUCTURE,
                        "part %d of %d: %s"
                                .formatted(leaf.ord + 1, reader.leaves().size(), e));
                return;
            }
            progress("parts", leaf.ord + 1, reader.leaves().size());
        }
        ok(
                Kind.STRUCTURE,
                "words, texts, columns and vectors of %,d parts"
                        .formatted(reader.leaves().size()));
    }

    private void ok(Kind kind, String message) {
        checks.put(kind, new Check(kind, Outcome.OK, message));
    }

    private void wrong(Kind kind, String message) {
        checks.put(kind, new Check(kind, Outcome.WRONG, message));
    }

    private IndexReport report() {
        for (Kind kind : Kind.values()) {
            if (kind == Kind.SHARDS) {
                continue;
            }
            String reason = kind == Kind.MODEL && expected.isEmpty() ? "none given" : NOT_WHOLE;
            checks.putIfAbsent(kind, new Check(kind, Outcome.SKIPPED, reason));
        }
        return new IndexReport(
                path,
                metadata.map(IndexMetadata::model),
                metadata.map(IndexMetadata::similarity),
                metadata.map(IndexMetadata::options),
                List.copyOf(checks.values()));
    }

    private void progress(String task, long done, long total) {
        if (Thread.currentThread().isInterrupted()) {
            throw cancelled(path);
        }
        listener.update(task, done, total);
    }

    private static CancelledException cancelled(Path path) {
        return new CancelledException("%s: interrupted while the index was verified".formatted(path));
    }
}
