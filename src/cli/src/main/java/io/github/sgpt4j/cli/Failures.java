package io.github.sgpt4j.cli;

import io.github.sgpt4j.error.SgptException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Optional;

/// What a failure is called on stderr.
final class Failures {
    private Failures() {}

    /// One sentence.
    static String sentence(Throwable failure) {
        return switch (failure) {
            case SgptException e -> message(e);
            case CliException e -> message(e);
            case ExceptionInInitializerError e -> causeOf(e);
            case UncheckedIOException e -> causeOf(e);
            case FileAlreadyExistsException e
            when e.getReason() == null -> e.getFile() + ": is there already and is no directory";
            case FileSystemException e -> e.getFile() + ": " + reason(e);
            case IOException e -> message(e);
            case OutOfMemoryError e ->
                "out of memory (%s); a smaller --batch-tokens needs less, SGPT_JAVA_OPTS=-Xmx… allows more"
                        .formatted(message(e));
            default ->
                "internal error: %s: %s (SGPT_DEBUG=1 shows where)".formatted(kind(failure), failure.getMessage());
        };
    }

    /// Whether a class could not be loaded as it was compiled.
    static boolean isBrokenClass(Throwable failure) {
        return failure instanceof LinkageError || failure instanceof InternalError;
    }

    /// What is wrong with the file.
    static String reason(FileSystemException failure) {
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
