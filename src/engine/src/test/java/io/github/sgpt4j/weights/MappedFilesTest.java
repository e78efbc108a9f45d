package io.github.sgpt4j.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrowsExactly;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@DisabledOnOs(value = OS.WINDOWS, disabledReason = "mapped files cannot be changed there")
class MappedFilesTest {
    private static final int SIZE = 1 << 20;

    @TempDir
    private Path folder;

    private final Arena arena = Arena.ofShared();
    private Path path = Path.of("");
    private MappedFile file;
    private MappedFiles files;

    @BeforeEach
    void map() throws IOException {
        path = folder.resolve("mapped");
        Files.write(path, new byte[SIZE]);
        Files.setLastModifiedTime(path, FileTime.fromMillis(0));
        file = MappedFile.map(path, "a file", arena);
        files = new MappedFiles(List.of(file));
    }

    @AfterEach
    void unmap() {
        arena.close();
    }

    private void cutTo(long size) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
            channel.truncate(size);
        }
    }

    private long sum() {
        return LongStream.range(0, SIZE)
                .map(i -> file.bytes().get(ValueLayout.JAVA_BYTE, i))
                .sum();
    }

    private static String message(Throwable e) {
        return String.valueOf(e.getMessage());
    }

    @Test
    void givesWhatWasReadFromAFileThatStays() {
        assertEquals(0, files.<Long, RuntimeException>reading(this::sum));
        files.requireUnchanged();
        assertEquals(path, file.path());
        assertEquals(SIZE, file.bytes().byteSize());
    }

    @Test
    void aFaultNamesTheFileAndSoDoesAllThatFollows() throws IOException {
        FormatException e = assertThrowsExactly(
                FormatException.class,
                () -> files.reading(() -> {
                    cutTo(5000);
                    return sum();
                }));
        assertEquals(
                path + ": expected the file as it was opened (1048576 bytes, modified 1970-01-01T00:00:00Z), got 5000"
                        + " bytes, modified " + Files.getLastModifiedTime(path)
                        + ": it was changed while in use; open it again, and replace such files by renaming",
                e.getMessage());
        assertInstanceOf(InternalError.class, e.getCause());
        // Even if nothing is read.
        FormatException again = assertThrowsExactly(FormatException.class, () -> files.reading(() -> 1));
        assertEquals(e.getMessage(), again.getMessage());
        assertEquals(message(e), message(assertThrowsExactly(FormatException.class, files::glance)));
    }

    @Test
    void aFaultIsOwedToTheThreadThatRead() throws Exception {
        cutTo(0);
        byte[] copy = new byte[100];
        Throwable[] thrown = new Throwable[2];
        Thread thread = new Thread(() -> {
            try {
                MemorySegment.copy(file.bytes(), ValueLayout.JAVA_BYTE, 4096, copy, 0, copy.length);
                WeightTensor.settle();
            } catch (InternalError e) {
                thrown[0] = e;
            }
            try {
                WeightTensor.settle();
            } catch (InternalError e) {
                thrown[1] = e;
            }
        });
        thread.start();
        thread.join();
        assertInstanceOf(InternalError.class, thrown[0]);
        assertSame(null, thrown[1]);
    }

    @Test
    void aFaultInAParallelStreamIsKnown() throws IOException {
        WeightTensor tensor = new WeightTensor("t", path.toString(), ElementType.F32, Shape.of(SIZE / 4), file.bytes());
        assertEquals(0, files.reading(() -> WeightScan.statistics(tensor)).nan());
        FormatException e = assertThrowsExactly(
                FormatException.class,
                () -> files.reading(() -> {
                    cutTo(4096);
                    return WeightScan.statistics(tensor);
                }));
        assertTrue(message(e).startsWith(path + ": expected the file as it was opened"), message(e));
    }

    @Test
    void otherErrorsStayAsTheyAre() {
        InternalError other = new InternalError("something else");
        assertSame(
                other,
                assertThrowsExactly(
                        InternalError.class,
                        () -> files.reading(() -> {
                            throw other;
                        })));
        IOException failure = new IOException("disk");
        assertSame(
                failure,
                assertThrowsExactly(
                        IOException.class,
                        () -> files.reading(() -> {
                            throw failure;
                        })));
        files.requireUnchanged();
    }

    @Test
    void aChangeIsTheReasonForInputThatFailed() throws IOException {
        FormatException e = assertThrowsExactly(
                FormatException.class,
                () -> files.reading(() -> {
                    cutTo(4096);
                    throw new IOException("too few bytes");
                }));
        assertTrue(message(e).startsWith(path + ": expected the file as it was opened"), message(e));
    }

    @Test
    void anotherFailureThanTheFaultDoesNotHideIt() throws IOException {
        byte[] copy = new byte[100];
        FormatException e = assertThrowsExactly(
                FormatException.class,
                () -> files.opening(() -> {
                    cutTo(0);
                    MemorySegment.copy(file.bytes(), ValueLayout.JAVA_BYTE, 8192, copy, 0, copy.length);
                    throw new FormatException("zeros are no header");
                }));
        assertTrue(message(e).startsWith(path + ": expected the file as it was opened"), message(e));
    }

    @Test
    void whoLooksAgainAfterAMomentSeesAChange() throws Exception {
        files.requireUnchanged();
        Files.setLastModifiedTime(path, FileTime.fromMillis(1000));
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (System.nanoTime() < deadline) {
            try {
                files.glance();
                Thread.sleep(5);
            } catch (FormatException e) {
                return;
            }
        }
        throw new AssertionError("not seen in 10 s");
    }

    @Test
    void aFileThatIsElsewhereIsNoneThatChanged() throws IOException {
        Path other = Files.write(folder.resolve("other"), new byte[9]);
        Files.move(other, path, StandardCopyOption.REPLACE_EXISTING);
        files.requireUnchanged();
        assertThrowsExactly(FormatException.class, file::requireInPlace);
        Files.delete(path);
        files.requireUnchanged();
        assertThrowsExactly(FormatException.class, file::requireInPlace);
        assertEquals(0, files.<Long, RuntimeException>reading(this::sum));
    }

    @Test
    void ofSeveralFilesTheOneThatChangedIsNamed() throws IOException {
        Path second = Files.write(folder.resolve("second"), new byte[9]);
        MappedFiles both =
                MappedFiles.together(files, new MappedFiles(List.of(MappedFile.map(second, "a file", arena))));
        both.requireUnchanged();
        Files.setLastModifiedTime(second, FileTime.fromMillis(5));
        assertTrue(message(assertThrowsExactly(FormatException.class, both::requireUnchanged))
                .startsWith(second + ": expected"));
        files.requireUnchanged();
    }

    @Test
    void tensorsAreComparedByTheirBytes() {
        try (Arena own = Arena.ofConfined()) {
            MemorySegment data = own.allocate(200_001);
            WeightTensor one = bytes(data.asSlice(0, 200_000));
            WeightTensor other = bytes(data.asSlice(1, 200_000));
            assertTrue(one.hasBytesOf(other));
            assertFalse(one.hasBytesOf(bytes(data.asSlice(0, 199_999))));
            data.set(ValueLayout.JAVA_BYTE, 200_000, (byte) 1);
            assertFalse(one.hasBytesOf(other));
        }
    }

    private static WeightTensor bytes(MemorySegment data) {
        return new WeightTensor("t", "file", ElementType.U8, Shape.of(data.byteSize()), data);
    }
}
