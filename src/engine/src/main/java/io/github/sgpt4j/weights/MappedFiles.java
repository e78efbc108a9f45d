package io.github.sgpt4j.weights;

import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Mapped files that results are computed from; prevents results from files that change meanwhile.
///
/// Mapped memory is read inside [#reading]. It returns nothing that was read from a modified file, and
/// names the file if reading beyond its new end fails. Other threads that read for it call
/// [WeightTensor#settle] at the end of their parts.
///
/// A change is detected by the file's size and modification time. A change of contents that keeps both
/// is not noticed: if the time is set back, or if the write happens within the same tick of the file
/// system's clock (some milliseconds) as the last write before opening.
public final class MappedFiles {
    private static final long NANOS_BETWEEN_GLANCES = TimeUnit.MILLISECONDS.toNanos(100);
    private static final String FAULT = "unsafe memory access";

    private final List<MappedFile> files;
    private volatile long lastCheck = System.nanoTime();

    public MappedFiles(List<MappedFile> files) {
        this.files = List.copyOf(files);
    }

    /// Work with mapped memory.
    ///
    /// @param <X> the checked exceptions that it throws
    @FunctionalInterface
    public interface Work<T, X extends Exception> {
        T run() throws X;
    }

    /// The files of several parts together.
    public static MappedFiles together(MappedFiles... parts) {
        return new MappedFiles(
                Arrays.stream(parts).flatMap(part -> part.files.stream()).toList());
    }

    /// Runs `work`, which reads the files, and returns its result if none of them has changed up to its
    /// end.
    ///
    /// @param work must return a result that needs no closing
    /// @throws FormatException if a file has changed or can no longer be read
    public <T, X extends Exception> T reading(Work<T, X> work) throws X {
        glance();
        T result;
        try {
            result = opening(work);
        } catch (Exception e) {
            if (e instanceof IOException || e instanceof FormatException && !(e.getCause() instanceof InternalError)) {
                // A truncated file gives too few bytes: report the change instead.
                requireUnchanged();
            }
            throw e;
        }
        requireUnchanged();
        return result;
    }

    /// Runs `work`, which reads the files, without checking for changes: for results that are checked
    /// later.
    ///
    /// @throws FormatException if a file can no longer be read
    public <T, X extends Exception> T opening(Work<T, X> work) throws X {
        try {
            try {
                return work.run();
            } finally {
                MappedFile.settle();
            }
        } catch (InternalError e) {
            throw named(e);
        }
    }

    /// Throws if a file is known to have changed; checks the files again if the last check was some
    /// time ago. For use in the middle of long work.
    ///
    /// @throws FormatException if a file has changed
    public void glance() {
        files.forEach(MappedFile::requireUsable);
        if (System.nanoTime() - lastCheck >= NANOS_BETWEEN_GLANCES) {
            requireUnchanged();
        }
    }

    /// Throws if a file has changed since it was mapped.
    ///
    /// @throws FormatException if a file has changed
    public void requireUnchanged() {
        files.forEach(MappedFile::requireUnchanged);
        lastCheck = System.nanoTime();
    }

    /// The exception for a fault in mapped memory; afterwards nothing may be computed from these files.
    ///
    /// @throws InternalError the given error, if it is of another kind
    private FormatException named(InternalError error) {
        // Parallel streams wrap it in another of its class, with the message behind the class name.
        if (files.isEmpty() || !String.valueOf(error.getMessage()).contains(FAULT)) {
            throw error;
        }
        try {
            requireUnchanged();
        } catch (FormatException e) {
            return new FormatException(String.valueOf(e.getMessage()), error);
        }
        String where =
                files.getFirst().path() + (files.size() == 1 ? "" : " and %d more files".formatted(files.size() - 1));
        String reason =
                "%s: expected to read the mapped file, got a fault: a file was cut short after it was renamed, or its device failed; open it again"
                        .formatted(where);
        files.forEach(file -> file.refuse(reason));
        return new FormatException(reason, error);
    }
}
