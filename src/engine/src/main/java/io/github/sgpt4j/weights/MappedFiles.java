package io.github.sgpt4j.weights;

import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Mapped files that results are made from, and what keeps results from being made of files that change
/// meanwhile.
///
/// Reads of mapped memory are in [#reading]: it gives nothing that was read from a file which has been
/// written to, and names the file if reading beyond its new end fails. Other threads that read for it
/// call [WeightTensor#settle] at the end of their parts.
///
/// Whether a file has changed is told by its size and its time of modification. A change that leaves
/// both as they were is not noticed: by who sets the time back, or writes within the same tick of the
/// file system's clock (some milliseconds) in which the file was last written before it was opened.
public final class MappedFiles {
    private static final long NANOS_BETWEEN_GLANCES = TimeUnit.MILLISECONDS.toNanos(100);
    private static final String FAULT = "unsafe memory access";

    private final List<MappedFile> files;
    private volatile long lastLook = System.nanoTime();

    public MappedFiles(List<MappedFile> files) {
        this.files = List.copyOf(files);
    }

    /// Work with mapped memory.
    ///
    /// @param <X> what it throws beside unchecked exceptions
    @FunctionalInterface
    public interface Work<T, X extends Exception> {
        T run() throws X;
    }

    /// The files of several together.
    public static MappedFiles together(MappedFiles... parts) {
        return new MappedFiles(
                Arrays.stream(parts).flatMap(part -> part.files.stream()).toList());
    }

    /// Runs what reads the files, and gives its result if none of them has changed before, meanwhile or
    /// at an earlier look.
    ///
    /// @param work its result owns nothing that must be closed
    /// @throws FormatException if a file has changed, or cannot be read any more
    public <T, X extends Exception> T reading(Work<T, X> work) throws X {
        glance();
        T result;
        try {
            result = opening(work);
        } catch (Exception e) {
            if (e instanceof IOException || e instanceof FormatException && !(e.getCause() instanceof InternalError)) {
                // A file that became shorter gives too few bytes: its change says more.
                requireUnchanged();
            }
            throw e;
        }
        requireUnchanged();
        return result;
    }

    /// Runs what reads the files, for results that are looked at later.
    ///
    /// @throws FormatException if a file cannot be read any more
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

    /// Throws if a file is known to have changed, and looks whether one has if the last look is some
    /// time ago: for the middle of long work.
    ///
    /// @throws FormatException if a file has changed
    public void glance() {
        files.forEach(MappedFile::requireUsable);
        if (System.nanoTime() - lastLook >= NANOS_BETWEEN_GLANCES) {
            requireUnchanged();
        }
    }

    /// Throws if a file has changed since it was mapped.
    ///
    /// @throws FormatException if a file has changed
    public void requireUnchanged() {
        files.forEach(MappedFile::requireUnchanged);
        lastLook = System.nanoTime();
    }

    /// What a fault in mapped memory means; nothing is to be computed from these files afterwards.
    ///
    /// @throws InternalError the given one, if it is of another kind
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
                "%s: expected to read what is mapped, got a fault: a file was cut short after it was renamed, or its device failed; open it again"
                        .formatted(where);
        files.forEach(file -> file.refuse(reason));
        return new FormatException(reason, error);
    }
}
