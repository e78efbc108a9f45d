package io.github.sgpt4j.weightstools.store;

import io.github.sgpt4j.json.Unreadable;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The files of a finished conversion, recorded beside it: each with its stamp and the checksum of its
/// content. Contents are not read again while stamps are unchanged.
///
/// @param files in the order of their paths
public record ConversionRecord(List<Entry> files) {
    private static final String HEADING = "sgpt4j conversion 1, files: %d";
    private static final int FIELDS = 3;

    /// Search depth: as deep as module folders.
    private static final int DEPTH = 2;

    /// One file.
    ///
    /// @param path below the conversion
    /// @param stamp as text
    /// @param sum of its content
    private record Entry(String path, String stamp, String sum) {}

    /// The path of a conversion's record.
    public static Path file(Path conversion) {
        return conversion.resolveSibling(conversion.getFileName() + ".files");
    }

    /// Whether a conversion has ever been finished.
    static boolean exists(Path conversion) {
        return Files.exists(file(conversion), LinkOption.NOFOLLOW_LINKS);
    }

    /// Reads the files of a conversion.
    static ConversionRecord of(Path conversion) throws IOException {
        List<Path> paths;
        try (Stream<Path> all = Files.walk(conversion, DEPTH)) {
            paths = all.filter(Files::isRegularFile).sorted().toList();
        }
        List<Entry> files = new ArrayList<>();
        for (Path path : paths) {
            String stamp = FileStamp.of(path).toString();
            files.add(new Entry(conversion.relativize(path).toString(), stamp, FileSample.ofAll(path)));
        }
        return new ConversionRecord(files);
    }

    /// Writes the record, completely or not at all.
    void write(Path conversion) throws IOException {
        StringBuilder text = new StringBuilder(HEADING.formatted(files.size())).append('\n');
        for (Entry file : files) {
            text.append(file.sum())
                    .append('\t')
                    .append(file.stamp())
                    .append('\t')
                    .append(file.path());
            text.append('\n');
        }
        Path file = file(conversion);
        Path temporary = Files.createTempFile(file.getParent(), "files", ".new");
        try {
            Files.writeString(temporary, text);
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static Optional<ConversionRecord> read(Path conversion) throws IOException {
        List<String> lines;
        try {
            lines = Files.readAllLines(file(conversion));
        } catch (CharacterCodingException e) {
            return Optional.empty();
        }
        if (lines.size() < 2 || !lines.getFirst().equals(HEADING.formatted(lines.size() - 1))) {
            return Optional.empty();
        }
        List<Entry> files = new ArrayList<>();
        for (String line : lines.subList(1, lines.size())) {
            String[] fields = line.split("\t", FIELDS);
            if (fields.length < FIELDS) {
                return Optional.empty();
            }
            files.add(new Entry(fields[2], fields[1], fields[0]));
        }
        return Optional.of(new ConversionRecord(files));
    }

    /// Checks for damage.
    ///
    /// @param thorough read all contents, not only those of files written to since
    /// @return the problem; empty if there is none
    static Optional<String> damage(Path conversion, boolean thorough) {
        try {
            Optional<ConversionRecord> record = read(conversion);
            return record.isEmpty()
                    ? Optional.of("%s is not a list of files"
                            .formatted(file(conversion).getFileName()))
                    : record.get().compare(conversion, thorough);
        } catch (InvalidPathException e) {
            return Optional.of("%s names no file".formatted(file(conversion).getFileName()));
        } catch (IOException e) {
            return Optional.ofNullable(Unreadable.of(file(conversion), e).getMessage());
        }
    }

    private Optional<String> compare(Path conversion, boolean thorough) throws IOException {
        List<Entry> found = new ArrayList<>();
        for (Entry file : files) {
            Path path = conversion.resolve(file.path());
            String stamp;
            try {
                stamp = FileStamp.of(path).toString();
            } catch (NoSuchFileException e) {
                return Optional.of("%s is missing".formatted(file.path()));
            }
            boolean touched = !stamp.equals(file.stamp());
            if ((touched || thorough)
                    && (!Files.isRegularFile(path) || !FileSample.ofAll(path).equals(file.sum()))) {
                return Optional.of("%s does not have the content that was written".formatted(file.path()));
            }
            found.add(new Entry(file.path(), stamp, file.sum()));
        }
        if (!found.equals(files)) {
            new ConversionRecord(found).renew(conversion);
        }
        return Optional.empty();
    }

    /// Updates stamps, for example after a copy, so that contents are not read each time.
    private void renew(Path conversion) {
        try {
            write(conversion);
        } catch (IOException e) {
            // A cache that cannot be written costs only time.
            return;
        }
    }
}
