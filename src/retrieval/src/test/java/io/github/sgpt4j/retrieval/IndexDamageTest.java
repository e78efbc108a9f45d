package io.github.sgpt4j.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Which failures are caused by a damaged index.
class IndexDamageTest {
    private static final StackTraceElement LUCENE =
            new StackTraceElement("org.apache.lucene.store.Some", "read", "Some.java", 1);
    private static final StackTraceElement JDK = new StackTraceElement("java.util.Objects", "check", "Objects.java", 1);
    private static final StackTraceElement OWN =
            new StackTraceElement("io.github.sgpt4j.retrieval.CorpusUpdate", "run", "CorpusUpdate.java", 1);

    @TempDir
    private Path folder;

    @BeforeEach
    void makeIndex() throws IOException {
        try (BiEncoder encoder = BiEncoder.open(SmallIndex.MODEL)) {
            SmallIndex.make(folder, encoder, VectorStorage.INT8);
        }
    }

    private static <T extends Throwable> T thrown(T failure, StackTraceElement... trace) {
        failure.setStackTrace(trace);
        return failure;
    }

    private void damage() throws IOException {
        Path file = folder.resolve("_0.cfs");
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 16;
        Files.write(file, bytes);
    }

    private static List<Throwable> failures() {
        return List.of(
                thrown(new ArrayIndexOutOfBoundsException(-3), JDK, LUCENE, OWN),
                thrown(new NegativeArraySizeException("-3"), LUCENE, OWN),
                thrown(new AssertionError(), LUCENE),
                thrown(new StackOverflowError(), LUCENE, LUCENE),
                thrown(new OutOfMemoryError("Java heap space"), LUCENE),
                // The JDK omits the stack trace of exceptions that are thrown often.
                thrown(new NullPointerException()),
                thrown(new IOException("Unsupported number of bits per value: -3"), LUCENE));
    }

    @Test
    void failuresOfAWholeIndexStayWhatTheyAre() {
        for (Throwable failure : failures()) {
            assertEquals(Optional.empty(), IndexDamage.in(folder, failure), failure.toString());
        }
        IllegalStateException failure = thrown(new IllegalStateException("no"), LUCENE);
        assertSame(
                failure,
                assertThrows(
                        IllegalStateException.class,
                        () -> IndexFiles.checked(folder, () -> {
                            throw failure;
                        })));
    }

    @Test
    void failuresOfADamagedIndexNameTheFile() throws IOException {
        damage();
        for (Throwable failure : failures()) {
            FormatException damage = IndexDamage.in(folder, failure).orElseThrow(() -> new AssertionError(failure));
            assertTrue(
                    damage.getMessage().startsWith(folder + ": broken index: file _0.cfs: checksum failed"),
                    damage.getMessage());
        }
    }

    @Test
    void otherFailuresAreNotBlamedOnADamagedIndex() throws IOException {
        damage();
        for (Throwable failure : List.of(
                thrown(new IllegalStateException("what a listener throws"), JDK, OWN, LUCENE),
                thrown(new FormatException("a corpus"), OWN),
                thrown(new IOException("No space left on device"), JDK, LUCENE),
                thrown(new IOException("background merge", new IOException("No space left on device")), LUCENE),
                thrown(new FileSystemException("_3.cfs", null, "Input/output error"), JDK, LUCENE))) {
            assertEquals(Optional.empty(), IndexDamage.in(folder, failure), failure.toString());
        }
    }
}
