package io.github.sgpt4j.spark.index;

import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/// The folder that a job writes its shards to, as its driver sees it.
///
/// Every attempt of a task writes to a folder of its own below `_temporary`. When all tasks have ended,
/// the driver renames one folder for each partition, that of the attempt whose result Spark took, to
/// `part-NNNNN`, and writes `_SUCCESS`, which says how many shards there are, and which indexes. So attempts that fail,
/// run
/// twice or are lost with their machine leave nothing that counts, and a folder without `_SUCCESS` is
/// not finished.
public final class ShardOutput {
    private static final String TEMPORARY = "_temporary";
    private static final String SUCCESS = "_SUCCESS";

    /// Name of the index in the folder of an attempt.
    static final String INDEX = "index";

    private final FileSystem files;
    private final Path folder;
    private final Path attempts;
    private final List<Path> renamed = new ArrayList<>();

    private ShardOutput(FileSystem files, Path folder, Path attempts) {
        this.files = files;
        this.folder = folder;
        this.attempts = attempts;
    }

    /// Begins to write to a folder, which must be empty or absent.
    ///
    /// @throws FormatException if there is something in it
    public static ShardOutput begin(String output, Configuration configuration) throws IOException {
        Path given = new Path(output);
        FileSystem files = OutputFiles.of(given, configuration);
        Path folder = files.makeQualified(given);
        if (files.exists(folder)) {
            requireEmpty(files, folder);
        }
        Path attempts = new Path(new Path(folder, TEMPORARY), UUID.randomUUID().toString());
        files.mkdirs(attempts);
        return new ShardOutput(files, folder, attempts);
    }

    private static void requireEmpty(FileSystem files, Path folder) throws IOException {
        if (!files.getFileStatus(folder).isDirectory()) {
            throw new FormatException(folder + ": expected a folder for the shards of an index, got a file");
        }
        FileStatus[] found = files.listStatus(folder);
        if (found.length > 0) {
            throw new FormatException("%s: expected an empty folder or none for the shards of an index, found %s"
                    .formatted(folder, found[0].getPath().getName()));
        }
    }

    /// Where attempts write, for [ShardTask].
    public String attempts() {
        return attempts.toString();
    }

    /// Makes the shards of these attempts the output, one of each partition.
    ///
    /// @throws FormatException if there is none, or they come from different models
    public void commit(List<ShardReport> shards) throws IOException {
        requireOneModel(shards);
        long documents = 0;
        List<String> parts = new ArrayList<>();
        for (ShardReport shard : shards) {
            Path from = new Path(shard.folder(), INDEX);
            String name = "part-%05d".formatted(shard.partition());
            Path to = new Path(folder, name);
            parts.add("\"%s\":\"%s\"".formatted(name, shard.id()));
            if (files.exists(to) || !files.rename(from, to)) {
                throw new IOException("%s: could not be renamed to %s".formatted(from, to));
            }
            renamed.add(to);
            documents += shard.documents();
        }
        files.delete(new Path(folder, TEMPORARY), true);
        String content = "{\"format\":1,\"shards\":%d,\"documents\":%d,\"parts\":{%s}}%n"
                .formatted(shards.size(), documents, String.join(",", parts));
        try (OutputStream out = files.create(new Path(folder, SUCCESS), false)) {
            out.write(content.getBytes(StandardCharsets.UTF_8));
        }
    }

    private void requireOneModel(List<ShardReport> shards) {
        if (shards.isEmpty()) {
            throw new FormatException(folder + ": expected at least one row to index, got none");
        }
        ShardReport first = shards.getFirst();
        for (ShardReport shard : shards) {
            if (!shard.model().equals(first.model())) {
                throw new FormatException(
                        "%s: expected one model on all machines, partition %d was embedded with fingerprint %s, partition %d with %s"
                                .formatted(folder, first.partition(), first.model(), shard.partition(), shard.model()));
            }
        }
    }

    /// Removes what was written after a failure.
    public void abort() throws IOException {
        for (Path part : renamed) {
            files.delete(part, true);
        }
        files.delete(new Path(folder, TEMPORARY), true);
    }
}
