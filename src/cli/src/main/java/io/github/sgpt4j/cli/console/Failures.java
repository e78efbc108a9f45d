package io.github.sgpt4j.cli.console;

import io.github.sgpt4j.error.SgptException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Optional;

/// The messages for failures on stderr.
public final class Failures {
    private Failures() {}

    /// One sentence.
    public static String sentence(Throwable failure) {
        return switch (failure) {
            case SgptException e -> Advice.inVerbs(message(e));
            case CliException e -> Advice.inVerbs(message(e));
            case OutOfMemoryError e -> memory(e);
            case LinkageError e -> linkage(e);
            // Closing a resource can throw the same shared OutOfMemoryError again; an error cannot suppress
            // itself.
            case IllegalArgumentException e when e.getCause() instanceof OutOfMemoryError cause -> memory(cause);
            case UncheckedIOException e -> causeOf(e);
            case FileAlreadyExistsException e
            when e.getReason() == null -> e.getFile() + ": exists and is not a directory";
            case FileSystemException e -> e.getFile() + ": " + reason(e);
            case IOException e -> message(e);
            default ->
                "internal error: %s: %s (SGPT_DEBUG=1 shows the stack trace)"
                        .formatted(kind(failure), failure.getMessage());
        };
    }

    private static String memory(OutOfMemoryError failure) {
        return message(failure).contains("native thread")
                ? "cannot start another thread: the system is out of threads or memory (ulimit -u, ulimit -v)"
                : outOfMemory(message(failure));
    }

    private static String outOfMemory(String what) {
        return "out of memory (%s); a smaller --batch-tokens needs less, SGPT_JAVA_OPTS=-Xmx… allows more"
                .formatted(what);
    }

    /// Why a class cannot be loaded: its file, its code, or what the code did during initialisation.
    private static String linkage(LinkageError failure) {
        for (Throwable each = failure; each != null; each = each.getCause()) {
            if (each instanceof OutOfMemoryError e) {
                return memory(e);
            }
            // A class whose initialisation failed earlier keeps only the text of the reason.
            if (message(each).contains(OutOfMemoryError.class.getName())) {
                return outOfMemory("while loading " + message(failure));
            }
        }
        return failure instanceof NoClassDefFoundError && failure.getCause() instanceof ClassNotFoundException
                ? "cannot load %s: a file of sgpt is missing or damaged, or too many files are open (ulimit -n)"
                        .formatted(message(failure))
                : causeOf(failure);
    }

    /// Whether a class could not be loaded in the form in which it was compiled.
    public static boolean isBrokenClass(Throwable failure) {
        return failure instanceof LinkageError || failure instanceof InternalError;
    }

    /// What is wrong with the file.
    public static String reason(FileSystemException failure) {
        return switch (failure) {
            case NoSuchFileException _ -> "no such file or directory";
            case AccessDeniedException _ -> "permission denied";
            default -> Optional.ofNullable(failure.getReason()).orElse(kind(failure));
        };
    }

    private static String causeOf(Throwable failure) {
        Throwable cause = failure.getCause();
        return cause == null ? message(failure) : sentence(cause);
    }

    private static String message(Throwable failure) {
        String message = failure.getMessage();
        return message == null || message.isBlank() ? kind(failure) : message;
    }

    private static String kind(Throwable failure) {
        return failure.getClass().getSimpleName();
    }
}
