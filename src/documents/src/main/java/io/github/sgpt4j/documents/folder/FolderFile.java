package io.github.sgpt4j.documents.folder;

import io.github.sgpt4j.documents.kind.FileKind;
import java.nio.file.Path;
import java.util.Optional;

/// A file that may be read.
///
/// @param name its path below the folder, with `/` between names
/// @param path where it is
/// @param state size and time
/// @param kind what its name tells; empty if its bytes must
public record FolderFile(String name, Path path, FileState state, Optional<FileKind> kind) {}
