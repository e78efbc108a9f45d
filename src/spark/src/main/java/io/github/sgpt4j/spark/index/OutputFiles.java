package io.github.sgpt4j.spark.index;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;

/// Files of an output folder on any of Hadoop's file systems.
final class OutputFiles {
    private OutputFiles() {}

    /// The file system of a path. A local one without Hadoop's files of checksums, which would lie among
    /// those of the index.
    static FileSystem of(org.apache.hadoop.fs.Path path, Configuration configuration) throws IOException {
        FileSystem files = path.getFileSystem(configuration);
        return files instanceof LocalFileSystem local ? local.getRaw() : files;
    }

    /// Copies the files of a local folder, which has no folders in it.
    ///
    /// @return bytes copied
    static long copy(Path from, FileSystem files, org.apache.hadoop.fs.Path to) throws IOException {
        long bytes = 0;
        for (Path file : list(from)) {
            try (OutputStream out = files.create(
                    new org.apache.hadoop.fs.Path(to, file.getFileName().toString()), false)) {
                bytes += Files.copy(file, out);
            }
        }
        return bytes;
    }

    private static List<Path> list(Path folder) throws IOException {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                if (!entry.endsWith("write.lock")) {
                    found.add(entry);
                }
            }
        }
        return found;
    }
}
