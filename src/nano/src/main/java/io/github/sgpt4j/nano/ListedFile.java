package io.github.sgpt4j.nano;

import java.nio.charset.StandardCharsets;
import java.util.List;

/// A line of `files.tsv`: digest, size and path of a packed file.
///
/// @param sha256 64 lower-case hexadecimal digits
/// @param size in bytes
/// @param path with `/` between names
record ListedFile(String sha256, long size, String path) {
    static List<ListedFile> parse(byte[] table) {
        return new String(table, StandardCharsets.UTF_8)
                .lines()
                .map(line -> line.split("\t", 3))
                .map(fields -> new ListedFile(fields[0], Long.parseLong(fields[1]), fields[2]))
                .toList();
    }

    ListedFile withPath(String value) {
        return new ListedFile(sha256, size, value);
    }
}
