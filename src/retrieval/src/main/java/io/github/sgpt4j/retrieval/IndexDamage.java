package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.SgptException;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.index.IndexFormatTooNewException;
import org.apache.lucene.index.IndexFormatTooOldException;
import org.apache.lucene.index.IndexNotFoundException;
import org.apache.lucene.store.AlreadyClosedException;
import org.jspecify.annotations.Nullable;

/// Tells failures caused by a damaged index from other failures.
///
/// Lucene does not check every number that it decodes: a damaged file may become an index out of
/// bounds, a negative length, or an array too large for memory. Whatever it throws, the checksums of
/// all files tell whether the index is whole.
final class IndexDamage {
    private static final String BROKEN = ": broken index: ";

    /// How Lucene names an open file.
    private static final Pattern FILE = Pattern.compile("path=\"(?:[^\"]*[/\\\\])?([^\"/\\\\]+)\"");

    private static final Pattern OF_THE_JDK = Pattern.compile("(java|javax|jdk|sun)\\..*");

    private static final int MAX_CAUSE_DEPTH = 10;

    private IndexDamage() {}

    /// The failure in this library's words, if the index is the cause.
    static Optional<FormatException> in(Path index, Throwable failure) {
        Optional<FormatException> known = known(index, failure);
        if (known.isEmpty() && !isOfLucene(failure)) {
            return known;
        }
        // The innermost cause knows best which file it is.
        Throwable cause = failure.getCause();
        for (int i = 0; i < MAX_CAUSE_DEPTH && cause != null && !(cause instanceof SgptException); i++) {
            Optional<FormatException> inner = known(index, cause);
            known = inner.isPresent() ? inner : known;
            cause = cause.getCause();
        }
        return known.isEmpty() && isSuspicious(failure) ? found(index, failure) : known;
    }

    /// What the exception itself tells.
    private static Optional<FormatException> known(Path index, Throwable failure) {
        return switch (failure) {
            case CorruptIndexException e ->
                Optional.of(broken(index, file(e) + oneSentence(e.getOriginalMessage()), failure));
            case DamagedDocumentException e -> Optional.of(broken(index, String.valueOf(e.getMessage()), failure));
            case IndexFormatTooNewException _ -> Optional.of(otherVersion(index, "a newer version", failure));
            // Lucene also throws this for names of formats that it does not know.
            case IndexFormatTooOldException _ -> Optional.of(otherVersion(index, "another version", failure));
            case IllegalArgumentException e
            when isUnknownFormat(e) -> Optional.of(otherVersion(index, "another version", failure));
            case IndexNotFoundException _ ->
                Optional.of(new FormatException(index + ": expected an index in the directory, found none", failure));
            case NoSuchFileException e when isOfLucene(e) -> Optional.of(missing(index, e.getFile(), failure));
            case FileNotFoundException e
            when isOfLucene(e) -> Optional.of(missing(index, String.valueOf(e.getMessage()), failure));
            case EOFException e
            when isOfLucene(e) -> Optional.of(broken(index, "a file ends too early: " + e.getMessage(), failure));
            default -> Optional.empty();
        };
    }

    private static FormatException otherVersion(Path index, String which, Throwable cause) {
        return new FormatException(
                "%s: this index was made by %s of sgpt4j with other file formats; use that version, or %s"
                        .formatted(index, which, remedy()),
                cause);
    }

    /// Damage is ruled out: files are compared with their checksums before, and name their formats.
    private static boolean isUnknownFormat(IllegalArgumentException e) {
        String message = String.valueOf(e.getMessage());
        return message.startsWith("Could not load codec ")
                || message.startsWith("An SPI class of type org.apache.lucene.codecs.");
    }

    private static FormatException missing(Path index, String file, Throwable cause) {
        return broken(index, "file %s is missing".formatted(Path.of(file).getFileName()), cause);
    }

    /// The message for a damaged index.
    static FormatException broken(Path index, String what, @Nullable Throwable cause) {
        String message = index + BROKEN + what + "; " + remedy();
        return cause == null ? new FormatException(message) : new FormatException(message, cause);
    }

    /// Whether a message says that the index is damaged, and not that it is missing or of another
    /// version.
    static boolean isDamage(Path index, FormatException failure) {
        return String.valueOf(failure.getMessage()).startsWith(index + BROKEN);
    }

    /// What such a message says is wrong, without the text around it.
    static String what(Path index, FormatException broken) {
        String message = String.valueOf(broken.getMessage());
        for (String start : List.of(index + BROKEN, index + ": ")) {
            if (message.startsWith(start)) {
                return message.substring(start.length()).replace("; " + remedy(), "");
            }
        }
        return message;
    }

    /// What to do about an index that cannot be used.
    static String remedy() {
        return "delete the directory and make the index again";
    }

    private static String file(CorruptIndexException e) {
        String resource = String.valueOf(e.getResourceDescription());
        Matcher matcher = FILE.matcher(resource);
        return "file %s: ".formatted(matcher.find() ? matcher.group(1) : resource);
    }

    /// Lucene's messages contain other end marks, and hints to its own developers.
    private static String oneSentence(String message) {
        return message.replace(" (hardware problem?) :", ":").replaceFirst("[.;]\\s*$", "");
    }

    /// Whether Lucene threw it, and not a callback. The JDK keeps no stack trace for exceptions that
    /// are thrown very often.
    private static boolean isOfLucene(Throwable failure) {
        for (StackTraceElement frame : failure.getStackTrace()) {
            String name = frame.getClassName();
            if (!OF_THE_JDK.matcher(name).matches()) {
                return name.startsWith("org.apache.lucene.") || name.equals(CheckedDirectory.class.getName());
            }
        }
        return true;
    }

    private static boolean isSuspicious(Throwable failure) {
        return switch (failure) {
            case SgptException _, AlreadyClosedException _ -> false;
            case RuntimeException _, Error _ -> true;
            // Caused by a number that no writer writes, not by a full disk.
            case IOException e -> e.getCause() == null && isThrownByLucene(e);
            default -> false;
        };
    }

    private static boolean isThrownByLucene(IOException failure) {
        StackTraceElement[] trace = failure.getStackTrace();
        return trace.length > 0 && trace[0].getClassName().startsWith("org.apache.lucene.");
    }

    /// Checks all files of the last commit.
    private static Optional<FormatException> found(Path index, Throwable failure) {
        try (IndexSnapshot snapshot = IndexSnapshot.open(index)) {
            for (String name : snapshot.names()) {
                snapshot.check(name, _ -> {});
            }
            return Optional.empty();
        } catch (IndexNotFoundException e) {
            // There is no commit yet.
            return Optional.empty();
        } catch (IOException | RuntimeException | Error e) {
            e.addSuppressed(failure);
            return Optional.of(known(index, e).orElseGet(() -> broken(index, "cannot be read: " + e, e)));
        }
    }
}
