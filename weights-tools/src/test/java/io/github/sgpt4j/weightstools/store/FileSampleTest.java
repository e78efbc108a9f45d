package io.github.sgpt4j.weightstools.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What distinguishes a file from an overwritten one.
class FileSampleTest {
    @TempDir
    Path folder;

    private Path file(int bytes) throws IOException {
        byte[] content = new byte[bytes];
        new Random(bytes).nextBytes(content);
        return Files.write(folder.resolve("file" + bytes), content);
    }

    private static void flip(Path file, long at) throws IOException {
        try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
            access.seek(at);
            int value = access.read();
            access.seek(at);
            access.write(value ^ 1);
        }
    }

    @Test
    void everyByteOfAShortFileCounts() throws IOException {
        for (int bytes : new int[] {1, 2, 1000}) {
            Path file = file(bytes);
            String before = FileSample.of(file);
            for (int at = 0; at < bytes; at++) {
                flip(file, at);
                assertNotEquals(before, FileSample.of(file));
                flip(file, at);
            }
            assertEquals(before, FileSample.of(file));
        }
        assertEquals(8, FileSample.of(file(0)).length());
    }

    @Test
    void beginningsEndsAndMiddlesOfALongFileCount() throws IOException {
        int block = 1 << 16;
        int bytes = 12 * block + 12345;
        Path file = file(bytes);
        String before = FileSample.of(file);
        long third = ((long) bytes - block) / 3;
        for (long at : new long[] {0, block - 1, third + 1, 2 * third + block / 2, bytes - block, bytes - 1}) {
            flip(file, at);
            assertNotEquals(before, FileSample.of(file), "byte " + at);
            flip(file, at);
        }
        assertEquals(before, FileSample.of(file));
        String all = FileSample.ofAll(file);
        flip(file, block * 2L);
        assertEquals(before, FileSample.of(file), "not everything is looked at");
        assertNotEquals(all, FileSample.ofAll(file));
    }

    @Test
    void aFileThatIsWrittenToHasAnotherStamp() throws IOException {
        Path file = file(100);
        FileStamp before = FileStamp.of(file);
        assertEquals(before, FileStamp.of(file));
        FileTime time = Files.getLastModifiedTime(file);
        byte[] content = Files.readAllBytes(file);
        Files.write(file, content);
        Files.setLastModifiedTime(file, time);
        boolean unix = file.getFileSystem().supportedFileAttributeViews().contains("unix");
        assertTrue(!unix || !before.equals(FileStamp.of(file)), "the time of the change is known");
        Files.write(file, new byte[101]);
        assertNotEquals(before, FileStamp.of(file));
    }
}
