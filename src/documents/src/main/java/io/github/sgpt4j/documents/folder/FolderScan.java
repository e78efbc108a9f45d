package io.github.sgpt4j.documents.folder;

import io.github.sgpt4j.documents.kind.FileKind;
import io.github.sgpt4j.documents.kind.NoText;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The files of a folder at any depth, at one moment. Links are not followed, nothing hidden is entered,
/// and nothing is opened.
///
/// @param root the folder
/// @param files that may be read, in the order of their names
/// @param folders that were entered, the root first
/// @param passedOver files and hidden folders that are not read, with the reason
/// @param failed folders and files that cannot be looked at, with the reason
public record FolderScan(
        Path root,
        List<FolderFile> files,
        List<Path> folders,
        Map<String, NoText> passedOver,
        Map<String, String> failed) {

    /// Looks through a folder.
    ///
    /// @param excluded folders below it that are not entered, as real paths
    /// @throws IOException if the folder itself cannot be read
    /// @throws FormatException if it is no folder
    public static FolderScan of(Path folder, Set<Path> excluded) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new FormatException("%s: expected a directory, %s"
                    .formatted(folder, Files.exists(folder) ? "got a file" : "found nothing"));
        }
        Path root = folder.toRealPath();
        FolderScan scan = new FolderScan(
                folder, new ArrayList<>(), new ArrayList<>(), new LinkedHashMap<>(), new LinkedHashMap<>());
        Files.walkFileTree(root, scan.new Visitor(root, excluded));
        scan.files.sort(Comparator.comparing(FolderFile::name));
        return scan;
    }

    private final class Visitor extends SimpleFileVisitor<Path> {
        /// What Java puts for bytes that are no text in the locale's encoding.
        private static final char UNDECODED = '\uFFFD';

        private final Path root;
        private final Set<Path> excluded;

        Visitor(Path root, Set<Path> excluded) {
            this.root = root;
            this.excluded = excluded;
        }

        private String name(Path path) {
            List<String> names = new ArrayList<>();
            root.relativize(path).forEach(name -> names.add(name.toString()));
            return String.join("/", names);
        }

        @Override
        public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
            Interrupts.check("looking through " + root());
            if (directory.equals(root)) {
                folders.add(directory);
                return FileVisitResult.CONTINUE;
            }
            if (excluded.contains(directory)) {
                return FileVisitResult.SKIP_SUBTREE;
            }
            if (isHidden(directory)) {
                passedOver.put(name(directory) + "/", NoText.HIDDEN);
                return FileVisitResult.SKIP_SUBTREE;
            }
            folders.add(directory);
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            String name = name(file);
            String last = String.valueOf(file.getFileName());
            if (isHidden(file)) {
                passedOver.put(name, NoText.HIDDEN);
            } else if (attributes.isSymbolicLink()) {
                passedOver.put(name, NoText.LINK);
            } else if (!attributes.isRegularFile()) {
                passedOver.put(name, NoText.SPECIAL);
            } else if (NoText.of(last).isPresent()) {
                passedOver.put(name, NoText.of(last).get());
            } else if (attributes.size() == 0) {
                passedOver.put(name, NoText.EMPTY);
            } else if (name.indexOf(UNDECODED) >= 0) {
                failed.put(name, "its name is no text in the encoding of this locale");
            } else {
                files.add(new FolderFile(name, file, FileState.of(attributes), FileKind.of(last)));
            }
            return FileVisitResult.CONTINUE;
        }

        private static boolean isHidden(Path path) {
            return String.valueOf(path.getFileName()).startsWith(".");
        }

        @Override
        public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
            if (file.equals(root)) {
                throw failure;
            }
            if (!(failure instanceof NoSuchFileException)) {
                failed.put(name(file), reason(failure));
            }
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException failure) {
            if (failure != null) {
                failed.put(name(directory), reason(failure));
            }
            return FileVisitResult.CONTINUE;
        }
    }

    /// What is wrong with a file, without its name.
    public static String reason(IOException failure) {
        return switch (failure) {
            case AccessDeniedException _ -> "permission denied";
            case NoSuchFileException _ -> "it is no longer there";
            default -> {
                String message = failure.getMessage();
                yield message == null || message.isBlank() ? failure.getClass().getSimpleName() : message;
            }
        };
    }
}
