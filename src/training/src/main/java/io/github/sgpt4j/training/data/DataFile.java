package io.github.sgpt4j.training.data;

import io.github.sgpt4j.error.FormatException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The content of a file of training data, wherever the file is and whether it is compressed or not.
///
/// @param name file name without folder and without `.gz`
/// @param bytes length, uncompressed
/// @param sha256 hash of the uncompressed bytes, in hexadecimal digits
public record DataFile(String name, long bytes, String sha256) {
    /// The content of a file, which is read once.
    ///
    /// @throws FormatException if it cannot be read
    public static DataFile of(Path file) {
        return LineFile.content(file);
    }

    /// Compares data with those of an earlier call.
    ///
    /// @return a sentence about the first difference
    public static Optional<String> difference(List<DataFile> earlier, List<DataFile> now) {
        for (DataFile file : earlier) {
            Optional<DataFile> other = now.stream()
                    .filter(candidate -> candidate.name.equals(file.name))
                    .findFirst();
            if (other.isEmpty()) {
                return Optional.of("expected the file %s again, found none".formatted(file.name));
            }
            if (!other.get().equals(file)) {
                return Optional.of("%s: expected the same content as before, %d bytes with SHA-256 %s, got %d with %s"
                        .formatted(file.name, file.bytes, file.sha256, other.get().bytes, other.get().sha256));
            }
        }
        return now.stream()
                .filter(file -> earlier.stream().noneMatch(other -> other.name.equals(file.name)))
                .findFirst()
                .map(file -> "expected the same files as before, got %s as well".formatted(file.name));
    }
}
