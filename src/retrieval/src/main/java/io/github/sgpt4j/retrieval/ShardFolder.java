package io.github.sgpt4j.retrieval;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonFile;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// A folder of indexes that one job has written, each over a part of the documents: `part-NNNNN`, and
/// `_SUCCESS`, a JSON object with the number of `shards` and `documents`, which is written last.
final class ShardFolder {
    private static final String SUCCESS = "_SUCCESS";
    private static final String PARTS = "part-*";
    private static final String FORMAT = "format";
    private static final int FORMAT_VERSION = 1;

    private ShardFolder() {}

    /// Whether a path is such a folder, finished or not.
    static boolean isOne(Path path) throws IOException {
        return Files.isDirectory(path)
                && (Files.exists(path.resolve(SUCCESS)) || !parts(path).isEmpty());
    }

    /// The shards of such a folder, in the order of their names.
    ///
    /// @throws FormatException if the folder is not finished, or a shard is missing
    static List<Path> shards(Path path) throws IOException {
        Path success = path.resolve(SUCCESS);
        if (!Files.exists(success)) {
            throw new FormatException(
                    "%s: expected a finished folder of shards, found no %s: the job that wrote it failed or still runs"
                            .formatted(path, SUCCESS));
        }
        JsonFile summary = JsonFile.readObject(success);
        int format = summary.positiveInt(FORMAT);
        if (format != FORMAT_VERSION) {
            throw summary.wrong(
                    FORMAT,
                    Integer.toString(FORMAT_VERSION),
                    summary.node(FORMAT).orElseThrow());
        }
        JsonNode expected = summary.node("shards")
                .orElseThrow(() ->
                        new FormatException(success + ": expected key \"shards\", the number of shards, found none"));
        List<Path> found = parts(path);
        if (!expected.isInt() || expected.intValue() != found.size()) {
            throw new FormatException("%s: expected %s shards (%s), as %s says, found %d"
                    .formatted(path, expected, PARTS, SUCCESS, found.size()));
        }
        return found;
    }

    private static List<Path> parts(Path path) throws IOException {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(path, PARTS)) {
            for (Path entry : entries) {
                if (Files.isDirectory(entry)) {
                    found.add(entry);
                }
            }
        }
        Collections.sort(found);
        return found;
    }

    /// The refusal where one index is expected.
    static FormatException refusal(Path path) {
        return new FormatException(
                "%s: expected one index, got a folder of shards; name one of its %s folders, or merge them with ShardMerge"
                        .formatted(path, PARTS));
    }
}
