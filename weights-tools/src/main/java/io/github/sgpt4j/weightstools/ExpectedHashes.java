package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.files.FileEntries;
import io.github.sgpt4j.json.Unreadable;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.weights.MappedFile;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Which hashes a checkpoint's files should have, according to
///
/// - a list in the format of `sha256sum`: a given one, or `SHA256SUMS` in the checkpoint;
/// - the Hugging Face cache: files of a snapshot are links to blobs named by their content, with the
///   SHA-256 of files in Git LFS, and Git's own SHA-1 of others;
/// - `hf download --local-dir`, which leaves the same names in
///   `.cache/huggingface/download/FILE.metadata`.
final class ExpectedHashes {
    private static final String SUMS_FILE = "SHA256SUMS";
    private static final long MAX_BYTES = 16L << 20;
    private static final Pattern SUMS_LINE = Pattern.compile("\\\\?([0-9a-fA-F]{64})(?: [ *]?|\\t)(.+)");
    private static final Pattern NAME = Pattern.compile("[0-9a-f]{40}|[0-9a-f]{64}");

    private final Path directory;
    private final Map<Path, Expected> listed = new HashMap<>();

    /// @param hash hexadecimal: 64 digits of a SHA-256, or 40 of Git's SHA-1
    /// @param from where the hash comes from
    record Expected(String hash, String from) {
        boolean isSha256() {
            return hash.length() == 64;
        }
    }

    /// @param sums a list to use instead of the checkpoint's own
    /// @throws FormatException if a list cannot be read or contains other lines
    ExpectedHashes(Path directory, Optional<Path> sums) {
        this.directory = directory;
        Path own = directory.resolve(SUMS_FILE);
        if (sums.isPresent()) {
            readSums(sums.get());
        } else if (FileEntries.exists(own)) {
            readSums(own);
        }
    }

    private void readSums(Path file) {
        int number = 0;
        for (String line : lines(file)) {
            number++;
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            Matcher matcher = SUMS_LINE.matcher(line);
            if (!matcher.matches()) {
                throw new FormatException("%s: line %d: expected a SHA-256 and a file name, got %s"
                        .formatted(file, number, Quoted.of(line)));
            }
            String hash = matcher.group(1).toLowerCase(Locale.ROOT);
            try {
                listed.put(
                        Path.of(matcher.group(2)).normalize(), new Expected(hash, String.valueOf(file.getFileName())));
            } catch (InvalidPathException e) {
                throw new FormatException(
                        "%s: line %d: expected a file name, got %s".formatted(file, number, Quoted.of(line)), e);
            }
        }
    }

    /// Files that a list names, relative to the checkpoint.
    List<Path> listed() {
        return listed.keySet().stream().sorted().toList();
    }

    /// @param file relative to the checkpoint
    Optional<Expected> of(Path file) {
        Expected byList = listed.get(file);
        if (byList != null) {
            return Optional.of(byList);
        }
        return blob(file).or(() -> metadata(file));
    }

    private Optional<Expected> blob(Path file) {
        Path link = directory.resolve(file);
        try {
            Path target = Files.isSymbolicLink(link) ? Files.readSymbolicLink(link) : link;
            Path parent = target.getParent();
            String name = String.valueOf(target.getFileName());
            boolean known = parent != null
                    && parent.endsWith("blobs")
                    && NAME.matcher(name).matches();
            return known ? Optional.of(new Expected(name, "the cache's blob name")) : Optional.empty();
        } catch (IOException e) {
            throw Unreadable.of(link, e);
        }
    }

    private Optional<Expected> metadata(Path file) {
        Path metadata = directory.resolve(".cache/huggingface/download").resolve(file + ".metadata");
        if (!Files.isRegularFile(metadata)) {
            return Optional.empty();
        }
        List<String> lines = lines(metadata);
        String etag = lines.size() < 2 ? "" : lines.get(1).strip();
        return NAME.matcher(etag).matches()
                ? Optional.of(new Expected(etag, "the record of its download"))
                : Optional.empty();
    }

    private static List<String> lines(Path file) {
        MappedFile.requireRegular(file, "a list of hashes");
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new FormatException(
                        "%s: expected at most %d bytes of hashes, got %d".formatted(file, MAX_BYTES, Files.size(file)));
            }
            return Files.readAllLines(file);
        } catch (CharacterCodingException e) {
            throw new FormatException("%s: expected a list of hashes in UTF-8, got other bytes".formatted(file), e);
        } catch (IOException e) {
            throw Unreadable.of(file, e);
        }
    }
}
