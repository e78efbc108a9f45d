package io.github.sgpt4j.spring.ai.autoconfigure;

import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The value of a property cannot be used. The message is one sentence that begins with the property's
/// name.
final class SgptPropertyException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String property;

    /// @param property its whole name, or several with commas
    /// @param problem expected and got
    SgptPropertyException(String property, String problem) {
        this(property, problem, null);
    }

    private SgptPropertyException(String property, String problem, @Nullable Throwable cause) {
        super(property + ": " + problem, cause);
        this.property = property;
    }

    /// What the problem belongs to: the whole name of a property, or several with commas.
    String property() {
        return property;
    }

    /// The result of work that refuses only the value of one property.
    ///
    /// @throws SgptPropertyException if it does
    static <T> T naming(String property, Supplier<T> work) {
        try {
            return work.get();
        } catch (IllegalArgumentException e) {
            throw new SgptPropertyException(property, String.valueOf(e.getMessage()), e);
        }
    }

    /// Reads or writes files.
    @FunctionalInterface
    interface Opening<T> {
        T open() throws IOException;
    }

    /// What is opened at the place that a property names.
    ///
    /// @throws SgptPropertyException if that fails
    static <T> T opening(String property, Opening<T> opening) {
        try {
            return opening.open();
        } catch (IllegalArgumentException | FormatException | UnsupportedModelException e) {
            throw new SgptPropertyException(property, String.valueOf(e.getMessage()), e);
        } catch (UncheckedIOException e) {
            throw new SgptPropertyException(property, sentence(Objects.requireNonNullElse(e.getCause(), e)), e);
        } catch (IOException e) {
            throw new SgptPropertyException(property, sentence(e), e);
        }
    }

    /// What computes on the device that properties choose. Where none of them is set, no property is to
    /// blame, but the machine or the virtual machine.
    ///
    /// @throws SgptPropertyException if the device of a property cannot be used
    /// @throws BackendException if that of the machine cannot
    static <T> T onDevice(SgptProperties properties, Supplier<T> work) {
        try {
            return work.get();
        } catch (BackendException e) {
            List<String> given = properties.givenDevice();
            if (given.isEmpty()) {
                throw e;
            }
            throw new SgptPropertyException(String.join(", ", given), String.valueOf(e.getMessage()), e);
        }
    }

    private static String sentence(Throwable failure) {
        if (failure instanceof FileSystemException e) {
            return e.getFile() + ": " + reason(e);
        }
        String message = failure.getMessage();
        return message == null || message.isBlank() ? failure.getClass().getSimpleName() : message;
    }

    private static String reason(FileSystemException failure) {
        return switch (failure) {
            case NoSuchFileException _ -> "no such file or directory";
            case AccessDeniedException _ -> "permission denied";
            case FileAlreadyExistsException _ -> "exists and is not a directory";
            default ->
                Objects.requireNonNullElse(
                        failure.getReason(), failure.getClass().getSimpleName());
        };
    }
}
