package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.IndexReport.Check;
import io.github.sgpt4j.retrieval.IndexReport.Kind;
import io.github.sgpt4j.retrieval.IndexReport.Outcome;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Checks every shard of a folder as an index of its own, and that all fit together.
final class ShardsVerifier {
    private final Path path;
    private final List<Path> shards;

    private ShardsVerifier(Path path, List<Path> shards) {
        this.path = path;
        this.shards = shards;
    }

    /// A check of each kind over all shards.
    ///
    /// @throws FormatException if the folder is not finished, or a shard is missing
    static IndexReport verify(Path path, Optional<ModelIdentity> model, VerifyListener listener) throws IOException {
        return new ShardsVerifier(path, ShardFolder.shards(path)).run(model, listener);
    }

    private IndexReport run(Optional<ModelIdentity> model, VerifyListener listener) throws IOException {
        List<IndexReport> reports = new ArrayList<>();
        for (Path shard : shards) {
            String which = "of shard %,d of %,d".formatted(reports.size() + 1, shards.size());
            reports.add(one(shard, model, (task, done, total) -> listener.update(task + " " + which, done, total)));
        }
        List<Check> checks = new ArrayList<>();
        for (Kind kind : Kind.values()) {
            checks.add(kind == Kind.SHARDS ? together(reports) : combined(kind, reports));
        }
        return new IndexReport(
                path,
                reports.stream().flatMap(report -> report.model().stream()).findFirst(),
                reports.stream().flatMap(report -> report.similarity().stream()).findFirst(),
                reports.stream().flatMap(report -> report.options().stream()).findFirst(),
                checks);
    }

    /// What keeps one shard from being read does not keep the others from being checked.
    private static IndexReport one(Path shard, Optional<ModelIdentity> model, VerifyListener listener)
            throws IOException {
        try {
            return IndexVerifier.verifyOne(shard, model, listener);
        } catch (FormatException e) {
            List<Check> checks = Arrays.stream(Kind.values())
                    .filter(kind -> kind != Kind.SHARDS)
                    .map(kind -> kind == Kind.COMMIT
                            ? new Check(kind, Outcome.WRONG, IndexDamage.what(shard, e))
                            : new Check(kind, Outcome.SKIPPED, IndexVerifier.NOT_WHOLE))
                    .toList();
            return new IndexReport(shard, Optional.empty(), Optional.empty(), Optional.empty(), checks);
        }
    }

    private Check combined(Kind kind, List<IndexReport> reports) {
        for (Outcome outcome : List.of(Outcome.WRONG, Outcome.SKIPPED)) {
            List<String> found = new ArrayList<>();
            for (IndexReport report : reports) {
                check(report, kind)
                        .filter(check -> check.outcome() == outcome)
                        .ifPresent(check ->
                                found.add("%s: %s".formatted(report.path().getFileName(), check.message())));
            }
            if (!found.isEmpty()) {
                return new Check(kind, outcome, first(found));
            }
        }
        return new Check(kind, Outcome.OK, "in each of %,d shards".formatted(shards.size()));
    }

    private String first(List<String> found) {
        return found.size() == 1
                ? found.getFirst()
                : "%,d of %,d shards, the first: %s".formatted(found.size(), shards.size(), found.getFirst());
    }

    private static Optional<Check> check(IndexReport report, Kind kind) {
        return report.checks().stream().filter(check -> check.kind() == kind).findFirst();
    }

    private Check together(List<IndexReport> reports) throws IOException {
        if (reports.stream().anyMatch(report -> report.remedy().isPresent())) {
            return new Check(Kind.SHARDS, Outcome.SKIPPED, "not compared, since one is damaged");
        }
        try (IndexOpening all = IndexOpening.toRead(path, Optional.empty())) {
            ShardMerge.requireDifferentIds(path, all.directories());
            return new Check(
                    Kind.SHARDS,
                    Outcome.OK,
                    "%,d, as many as were written, made in one way, each id in one of them".formatted(shards.size()));
        } catch (FormatException e) {
            return new Check(Kind.SHARDS, Outcome.WRONG, IndexDamage.what(path, e));
        }
    }
}
