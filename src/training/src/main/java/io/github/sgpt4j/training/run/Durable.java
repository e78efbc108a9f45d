package io.github.sgpt4j.training.run;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

/// Files that are intact even if the machine stops.
final class Durable {
    private Durable() {}

    /// Returns when a file's content is on the disk.
    static void file(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
    }

    /// Returns when the entries of a folder are on the disk, where the system can do that.
    static void entries(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            // Not every system opens folders; those that do not write entries in order.
            return;
        }
    }

    /// The same for everything in a folder.
    static void tree(Path folder) throws IOException {
        List<Path> all;
        try (Stream<Path> entries = Files.walk(folder)) {
            all = entries.toList();
        }
        for (Path entry : all) {
            if (Files.isDirectory(entry)) {
                entries(entry);
            } else {
                file(entry);
            }
        }
    }
}
