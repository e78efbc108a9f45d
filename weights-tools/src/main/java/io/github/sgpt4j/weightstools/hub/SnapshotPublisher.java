package io.github.sgpt4j.weightstools.hub;

import io.github.sgpt4j.weightstools.LockedFolder;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/// Makes a snapshot from blobs. A new snapshot appears complete. One that another program has begun
/// gets its missing files one by one; those without which nothing takes it for a model come last.
///
/// @param folder the repository
/// @param commit of the snapshot
/// @param symlinks whether files may be links to blobs; if not, or if links are not possible, files are
///     the blobs themselves
/// @param fresh tags of blobs that were downloaded just now, so that nothing else refers to them
record SnapshotPublisher(RepositoryFolder folder, String commit, boolean symlinks, Set<String> fresh) {

    void publish(List<RemoteFile> files) throws IOException {
        Path snapshot = folder.snapshot(commit);
        Path stage = folder.newStage();
        try {
            boolean begun = Files.isDirectory(snapshot);
            List<RemoteFile> ordered = files.stream()
                    .sorted(Comparator.comparing(SnapshotPublisher::isLast))
                    .toList();
            for (int i = 0; i < ordered.size(); i++) {
                RemoteFile file = ordered.get(i);
                if (!begun || !isRight(snapshot.resolve(file.path()), file)) {
                    Path staged = stage.resolve(file.path());
                    createParent(staged);
                    boolean shared = ordered.subList(i + 1, ordered.size()).stream()
                            .anyMatch(other -> other.etag().equals(file.etag()));
                    place(file, staged, shared);
                    if (begun) {
                        Path target = snapshot.resolve(file.path());
                        createParent(target);
                        Files.move(staged, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
                    }
                }
            }
            if (!begun) {
                createParent(snapshot);
                Files.move(stage, snapshot, StandardCopyOption.ATOMIC_MOVE);
            }
        } finally {
            LockedFolder.remove(stage);
        }
    }

    private static boolean isLast(RemoteFile file) {
        return RemoteFile.isWeights(file.path()) || file.path().endsWith(".index.json");
    }

    private static void createParent(Path file) throws IOException {
        Path parent = file.getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
    }

    /// Whether a file of a snapshot is right, as far as its length and the blob's name tell.
    private boolean isRight(Path there, RemoteFile file) throws IOException {
        if (!Files.isRegularFile(there) || Files.size(there) != file.bytes()) {
            return false;
        }
        return Files.isSymbolicLink(there)
                ? Files.readSymbolicLink(there).endsWith(file.etag())
                : !fresh.contains(file.etag());
    }

    /// Puts a file into the stage: a link that will be valid at the same depth in the snapshot, or the
    /// content.
    ///
    /// @param shared whether the blob is still needed
    private void place(RemoteFile file, Path staged, boolean shared) throws IOException {
        Path blob = folder.blob(file);
        if (symlinks && link(file, staged)) {
            return;
        }
        if (shared || !fresh.contains(file.etag())) {
            Files.copy(blob, staged);
        } else {
            Files.move(blob, staged, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    /// @return false if the file system does not support links
    private static boolean link(RemoteFile file, Path staged) throws IOException {
        StringBuilder target = new StringBuilder("../../");
        file.path().chars().filter(c -> c == '/').forEach(slash -> target.append("../"));
        try {
            Files.createSymbolicLink(staged, Path.of(target + "blobs", file.etag()));
            return true;
        } catch (UnsupportedOperationException e) {
            return false;
        } catch (FileSystemException e) {
            if (Files.exists(staged, LinkOption.NOFOLLOW_LINKS)) {
                throw e;
            }
            return false;
        }
    }
}
