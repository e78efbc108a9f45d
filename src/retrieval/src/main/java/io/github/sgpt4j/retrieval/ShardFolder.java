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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.lucene.index.SegmentInfos;
import org.apache.lucene.store.Directory;
import org.apache.lucene.util.StringHelper;

/// A folder of indexes that one job has written, each over a part of the documents: `part-NNNNN`, and
/// `_SUCCESS`, a JSON object with the number of `shards` and `documents`, and the ids of the indexes by their
/// names in `parts`, which is written last.
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
        if (found.isEmpty()) {
            throw new FormatException("%s: expected shards (%s), found none".formatted(path, PARTS));
        }
        if (!expected.isInt() || expected.intValue() != found.size()) {
            throw new FormatException("%s: expected %s shards (%s), as %s says, found %d"
                    .formatted(path, expected, PARTS, SUCCESS, found.size()));
        }
        return found;
    }

    /// Refuses a shard that is a copy of another, or leads to it, and one that is not the index that the job
    /// wrote there. Shards may have been changed since the job, as indexes of their own, so that numbers of
    /// documents say nothing.
    ///
    /// @param path of the folder
    /// @param shards as [#shards] gave them
    /// @param directories of the shards, in the same order
    static void requireWritten(Path path, List<Path> shards, List<? extends Directory> directories) throws IOException {
        Optional<JsonNode> parts = JsonFile.readObject(path.resolve(SUCCESS)).node("parts");
        Map<String, Path> places = new HashMap<>();
        for (int i = 0; i < shards.size(); i++) {
            Directory directory = directories.get(i);
            SegmentInfos commit = IndexFiles.checked(shards.get(i), () -> SegmentInfos.readLatestCommit(directory));
            Path other = places.putIfAbsent(StringHelper.idToString(commit.getId()), shards.get(i));
            String id = commit.getUserData().getOrDefault(IndexMetadata.ID, "");
            String name = String.valueOf(shards.get(i).getFileName());
            if (parts.isPresent()
                    && (id.isEmpty() || !id.equals(parts.get().path(name).asText()))) {
                throw new FormatException("%s: expected the index that was written there, as %s says, got another"
                        .formatted(shards.get(i), SUCCESS));
            }
            if (other != null) {
                throw new FormatException(
                        "%s: expected another index, got the one of %s".formatted(shards.get(i), other.getFileName()));
            }
        }
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
