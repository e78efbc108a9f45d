package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.weightstools.VerifyReport.HashedFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/// Hashes a checkpoint's files, several at a time, and compares them with the known hashes: all weight
/// files, and other files whose hash is known.
final class HashCheck {
    /// Search depth: as deep as module folders.
    private static final int DEPTH = 2;

    private final Path directory;
    private final ExpectedHashes expected;
    private final Findings findings;
    private final VerifyListener listener;
    private long done;
    private long total;

    HashCheck(Path directory, ExpectedHashes expected, Findings findings, VerifyListener listener) {
        this.directory = directory;
        this.expected = expected;
        this.findings = findings;
        this.listener = listener;
    }

    /// @throws IOException if the directory cannot be listed
    /// @throws CancelledException if this thread is interrupted while it waits; by then all work has
    ///     stopped
    List<HashedFile> run() throws IOException {
        List<Path> files = files();
        for (Path file : files) {
            total += Files.size(directory.resolve(file));
        }
        int threads = Math.clamp(Runtime.getRuntime().availableProcessors(), 1, Math.max(1, files.size()));
        List<HashedFile> hashed = new ArrayList<>();
        try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            List<Future<HashedFile>> results = new ArrayList<>();
            for (Path file : files) {
                Callable<HashedFile> task = () -> hash(file);
                results.add(pool.submit(task));
            }
            for (Future<HashedFile> result : results) {
                collect(result, hashed);
            }
        }
        hashed.stream().filter(file -> !file.matches()).forEach(this::report);
        return hashed;
    }

    private void collect(Future<HashedFile> result, List<HashedFile> hashed) {
        try {
            hashed.add(result.get());
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case SgptException failure -> findings.error(failure);
                case Error error -> throw error;
                case null, default -> throw new IllegalStateException(e.getCause());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            CancelledException cancelled = new CancelledException(
                    "hashing the files of %s was cancelled: the calling thread was interrupted".formatted(directory));
            cancelled.initCause(e);
            throw cancelled;
        }
    }

    private List<Path> files() throws IOException {
        TreeSet<Path> files = new TreeSet<>();
        try (Stream<Path> all = Files.walk(directory, DEPTH)) {
            all.filter(Files::isRegularFile)
                    .map(directory::relativize)
                    .filter(file -> !file.toString().startsWith("."))
                    .filter(file -> isWeights(file) || expected.of(file).isPresent())
                    .forEach(files::add);
        }
        for (Path file : expected.listed()) {
            if (Files.isRegularFile(directory.resolve(file))) {
                files.add(file);
            } else {
                findings.error("%s: expected the file that the list of hashes names, found none"
                        .formatted(directory.resolve(file)));
            }
        }
        return List.copyOf(files);
    }

    static boolean isWeights(Path file) {
        String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
        return name.endsWith(".safetensors") || name.startsWith("pytorch_model") && name.endsWith(".bin");
    }

    private HashedFile hash(Path file) {
        Optional<ExpectedHashes.Expected> known = expected.of(file);
        boolean git = known.isPresent() && !known.get().isSha256();
        FileHashes hashes = FileHashes.of(directory.resolve(file), git, this::advance);
        boolean matches = known.isEmpty()
                || known.get().hash().equals(git ? hashes.gitSha1().orElseThrow() : hashes.sha256());
        return new HashedFile(
                directory.resolve(file),
                hashes.bytes(),
                hashes.sha256(),
                known.map(ExpectedHashes.Expected::from),
                matches);
    }

    private synchronized void advance(long bytes) {
        done += bytes;
        listener.progress(done, total);
    }

    private void report(HashedFile file) {
        ExpectedHashes.Expected known =
                expected.of(directory.relativize(file.file())).orElseThrow();
        findings.error("%s: expected content of hash %s (%s), got SHA-256 %s: the file is damaged or was changed"
                .formatted(file.file(), known.hash(), known.from(), file.sha256()));
    }
}
