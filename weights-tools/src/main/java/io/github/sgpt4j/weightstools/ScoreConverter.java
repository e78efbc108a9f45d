package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.weightstools.pickle.ScorePickle;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/// Makes `ce-scores.jsonl` of MS MARCO's published scores of a cross-encoder
/// (`cross-encoder-ms-marco-MiniLM-L-6-v2-scores.pkl.gz`): lines of
/// `{"qid": 5, "scores": {"1": 9.25, …}}`, in the order of the file.
///
/// The pickle is read as data, without running code ([ScorePickle]), and as a stream: memory depends on
/// the query with the most scores. The published file has 160 million scores, which become about 5 GB,
/// or a quarter of that as `.gz`.
public final class ScoreConverter {
    private ScoreConverter() {}

    /// What was written.
    ///
    /// @param queries number of lines
    /// @param scores number of scores in all lines
    public record Report(long queries, long scores) {}

    /// Converts a file. The target appears when it is complete.
    ///
    /// @param source a pickle; compressed if its name ends in `.gz`
    /// @param target compressed if its name ends in `.gz`
    /// @param replace whether an existing target is replaced
    /// @param listener told of the bytes of the source that were read
    /// @throws FileAlreadyExistsException if the target exists and is not to be replaced
    /// @throws IOException if writing fails
    /// @throws FormatException if the source is missing, cannot be read or contains anything but scores
    /// @throws CancelledException if the thread is interrupted
    public static Report convert(Path source, Path target, boolean replace, ConvertListener listener)
            throws IOException {
        if (!replace && Files.exists(target)) {
            throw new FileAlreadyExistsException(target.toString(), null, "there is a file already");
        }
        Path folder = target.toAbsolutePath().normalize().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new FormatException("%s: expected a file in an existing folder".formatted(target));
        }
        try (ScoreSource in = ScoreSource.open(source, listener);
                ScoreLines lines = ScoreLines.beside(target)) {
            ScorePickle.read(in, source.toString(), (query, passages, scores, count) -> {
                if (Thread.currentThread().isInterrupted()) {
                    throw new CancelledException("%s: conversion was cancelled after %d queries"
                            .formatted(source, lines.report().queries()));
                }
                lines.accept(query, passages, scores, count);
            });
            if (lines.report().queries() == 0) {
                throw new FormatException(source + ": expected scores, found none");
            }
            lines.publish();
            return lines.report();
        } catch (IOException e) {
            throw FileFailures.named(target, e);
        }
    }

    static boolean isPacked(Path file) {
        return file.toString().toLowerCase(Locale.ROOT).endsWith(".gz");
    }
}
