package io.github.sgpt4j.weightstools.torch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.weightstools.pickle.PickleBytes;
import io.github.sgpt4j.weightstools.pickle.TensorView;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Files as `torch.save` writes them, and hostile ones.
class TorchFileTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final byte[] FLOATS = TorchBytes.floats(0, 1, 2, 3, 4, 5);

    @TempDir
    Path folder;

    private Path file(byte[] bytes) throws IOException {
        return Files.write(folder.resolve("pytorch_model.bin"), bytes);
    }

    private void refuses(String reason, byte[] bytes) throws IOException {
        Path file = file(bytes);
        FormatException e = assertTimeoutPreemptively(
                SOON,
                () -> assertThrows(
                        FormatException.class,
                        () -> TorchFile.open(file, folder).close()));
        assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
        assertTrue(e.getMessage().contains(reason), e.getMessage());
        assertFalse(e.getMessage().contains("\n"), e.getMessage());
    }

    private void refuses(String reason, TorchBytes bytes) throws IOException {
        refuses(reason, bytes.toByteArray());
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] bytes(TorchFile file, String name) throws IOException {
        TensorView view = file.tensors().get(name);
        return file.bytes(view.storage())
                .asSlice(view.offset() * view.type().bytes(), view.bytes())
                .toArray(ValueLayout.JAVA_BYTE);
    }

    private void readsSmall(byte[] content) throws IOException {
        try (TorchFile file = TorchFile.open(file(content), folder)) {
            assertArrayEquals(FLOATS, bytes(file, "a"));
        }
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(1, left.count(), "temporary files are removed");
        }
    }

    @Test
    void storedEntriesAreReadInPlace() throws IOException {
        readsSmall(TorchBytes.small().toByteArray());
        try (TorchFile file = TorchFile.open(folder.resolve("pytorch_model.bin"), folder)) {
            assertEquals(List.of("a", "b"), List.copyOf(file.tensors().keySet()));
            assertArrayEquals(TorchBytes.floats(4, 5), bytes(file, "b"));
        }
    }

    @Test
    void archivesWithLargeRecordsAreRead() throws IOException {
        readsSmall(TorchBytes.small().large().toByteArray());
    }

    @Test
    void deflatedEntriesAreUnpacked() throws IOException {
        readsSmall(new TorchBytes()
                .deflated("m/data.pkl", TorchBytes.smallPickle())
                .deflated("m/byteorder", ascii("little"))
                .deflated("m/data/0", FLOATS)
                .toByteArray());
    }

    @Test
    void theFormBeforeZipIsRead() throws IOException {
        readsSmall(TorchBytes.legacySmall().toByteArray());
    }

    @Test
    void aViewOfAnOldStorageIsRead() throws IOException {
        PickleBytes all = TorchBytes.legacyStart()
                .raw("}")
                .text("a")
                .global("torch._utils", "_rebuild_tensor")
                .raw("((");
        all.text("storage")
                .global("torch", "FloatStorage")
                .text("9")
                .text("cuda:0")
                .whole(6);
        all.raw("(")
                .text("view")
                .whole(2)
                .whole(3)
                .raw("ttQ")
                .whole(1)
                .tuple(2)
                .tuple(1)
                .raw("tRs.");
        all.proto(2).raw("]").text("9").raw("a.").i64(6);
        for (byte b : FLOATS) {
            all.op(b);
        }
        try (TorchFile file = TorchFile.open(file(all.toByteArray()), folder)) {
            assertArrayEquals(TorchBytes.floats(3, 4), bytes(file, "a"));
            assertEquals(12, file.tensors().get("a").start());
        }
    }

    @Test
    void everyTruncationIsRefused() throws IOException {
        for (byte[] whole : List.of(
                TorchBytes.small().toByteArray(),
                TorchBytes.small().large().toByteArray(),
                TorchBytes.legacySmall().toByteArray())) {
            for (int length = 0; length < whole.length; length++) {
                refuses(length == 0 ? "empty file" : "expected", Arrays.copyOf(whole, length));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../evil",
                "m/../../evil",
                "/etc/passwd",
                "m/./x",
                "m//x",
                "m\\x",
                "c:x",
                "m/",
                "",
                "m/a\u0000b",
                ".."
            })
    void namesThatLeadElsewhereAreRefused(String name) throws IOException {
        refuses("expected a plain relative name", TorchBytes.small().stored(name, ascii("x")));
    }

    @Test
    void directoriesThatContradictThemselvesAreRefused() throws IOException {
        refuses("twice", TorchBytes.small().stored("model/data/0", FLOATS));
        refuses(
                "the same name in its local header",
                TorchBytes.small().change(entry -> entry.localName = "model/versiom"));
        refuses("encrypted", TorchBytes.small().change(entry -> entry.flags = 1));
        refuses("compression method 0 or 8, got 12", TorchBytes.small().change(entry -> entry.method = 12));
        refuses("expected 3 bytes as it is stored, got 2", TorchBytes.small().change(entry -> entry.size = 3));
        refuses("before the directory", TorchBytes.small().change(entry -> entry.packedSize = entry.size = 1 << 20));
        refuses(
                "before the directory",
                TorchBytes.small().large().change(entry -> entry.packedSize = entry.size = Long.MAX_VALUE));
        refuses("a size or an offset", TorchBytes.small().large().change(entry -> entry.size = -5));
        refuses("expected a local header", TorchBytes.small().change(entry -> entry.header = 1));
        refuses("got the end of the file", TorchBytes.small().change(entry -> entry.header = 1 << 30));
        refuses(
                "got the end of the file",
                TorchBytes.small().large().change(entry -> entry.header = Long.MAX_VALUE - 3));
    }

    @Test
    void endRecordsThatContradictTheFileAreRefused() throws IOException {
        byte[] whole = TorchBytes.small().toByteArray();
        int end = whole.length - 22;
        byte[] count = whole.clone();
        count[end + 10] = 9;
        refuses("expected entry 5 of 9", count);
        byte[] fewer = whole.clone();
        fewer[end + 10] = 2;
        refuses("expected the directory to end here", fewer);
        byte[] size = whole.clone();
        size[end + 14] = 1;
        refuses("expected the directory before", size);
        byte[] offset = whole.clone();
        offset[end + 19] = 0x7f;
        refuses("expected the directory before", offset);
        byte[] large = TorchBytes.small().large().toByteArray();
        large[large.length - 22 + 10] = 3;
        large[large.length - 22 + 11] = 0;
        refuses("expected the same entries in both end records", large);
    }

    @Test
    void overlappingEntriesAreRefused() throws IOException {
        // Two names for the same bytes: the second entry's header is at the position of the first
        // one's.
        TorchBytes bytes = TorchBytes.small();
        int first = 0;
        bytes.stored("model/data.pkm", TorchBytes.smallPickle()).change(entry -> entry.header = first);
        refuses("the same name in its local header", bytes);
        // An archive in an entry: its inner header is inside another entry's bytes.
        byte[] inner = new TorchBytes().stored("model/data/1", new byte[64]).toByteArray();
        TorchBytes outer = new TorchBytes().stored("model/x", inner);
        int at = 30 + "model/x".length();
        outer.stored("model/data/1", new byte[64]).change(entry -> entry.header = at);
        refuses("expected bytes of its own", outer);
    }

    @Test
    void zipBombsAreRefusedBeforeAnythingIsUnpacked() throws IOException {
        byte[] zeros = new byte[64 << 20];
        PickleBytes tensor = new PickleBytes()
                .text("a")
                .tensor("ByteStorage", "0", zeros.length, 0, new long[] {zeros.length}, new long[] {1});
        TorchBytes bomb = new TorchBytes()
                .stored("m/data.pkl", TorchBytes.dictionary(tensor))
                .deflated("m/data/0", zeros);
        refuses("expected compressed entries of at most 16 times", bomb);
        refuses("expected compressed entries of at most 16 times", new TorchBytes().deflated("m/data.pkl", zeros));
    }

    @Test
    void entriesThatUnpackToAnotherLengthAreRefused() throws IOException {
        for (int wrong : new int[] {-1, 1}) {
            TorchBytes pickle = new TorchBytes()
                    .deflated("m/data.pkl", TorchBytes.smallPickle())
                    .change(entry -> entry.size += wrong)
                    .stored("m/data/0", FLOATS);
            refuses("when unpacked, got", pickle);
        }
        byte[] storage = new byte[24 + 1];
        TorchBytes longer = new TorchBytes()
                .stored("m/data.pkl", TorchBytes.smallPickle())
                .deflated("m/data/0", storage)
                .change(entry -> entry.size = 24);
        try (TorchFile file = TorchFile.open(file(longer.toByteArray()), folder)) {
            FormatException e = assertThrows(FormatException.class, () -> bytes(file, "a"));
            assertTrue(e.getMessage().contains("expected 24 bytes when unpacked, got more"), e.getMessage());
        }
        TorchBytes garbage = new TorchBytes()
                .deflated("m/data.pkl", TorchBytes.smallPickle())
                .change(entry -> Arrays.fill(entry.packed, (byte) 0xff));
        refuses("expected deflated bytes", garbage);
    }

    @Test
    void archivesThatAreNoModelAreRefused() throws IOException {
        refuses("expected one folder with data.pkl in the archive, got 0", new TorchBytes().stored("m/x", FLOATS));
        refuses("got 2", TorchBytes.small().stored("n/data.pkl", FLOATS));
        refuses("expected one folder with data.pkl", new TorchBytes().stored("a/b/data.pkl", TorchBytes.smallPickle()));
        refuses("expected a dictionary of tensors, got a list", new TorchBytes().stored("m/data.pkl", ascii("].")));
        refuses("got an empty one", new TorchBytes().stored("m/data.pkl", ascii("}.")));
        refuses(
                "expected a tensor as \"epoch\", got an integer",
                new TorchBytes()
                        .stored(
                                "m/data.pkl",
                                TorchBytes.dictionary(
                                        new PickleBytes().text("epoch").op('K', 1))));
        refuses(
                "expected names of tensors, got an integer",
                new TorchBytes().stored("m/data.pkl", TorchBytes.dictionary(new PickleBytes().op('K', 1, 'N'))));
    }

    @Test
    void bigEndianFilesAreRefused() throws IOException {
        refuses(
                "expected byte order \"little\", got \"big\"",
                new TorchBytes()
                        .stored("m/data.pkl", TorchBytes.smallPickle())
                        .stored("m/byteorder", ascii("big"))
                        .stored("m/data/0", FLOATS));
        refuses("got big-endian ones", TorchBytes.legacyStart(false).raw("}.").toByteArray());
    }

    @Test
    void storagesThatTheArchiveLacksOrHoldsInAnotherLengthAreRefused() throws IOException {
        refuses(
                "expected a storage of the archive, got \"0\"",
                new TorchBytes().stored("m/data.pkl", TorchBytes.smallPickle()).stored("n/data/0", FLOATS));
        refuses(
                "storage \"0\": expected 24 bytes in the archive, got 20",
                new TorchBytes().stored("m/data.pkl", TorchBytes.smallPickle()).stored("m/data/0", new byte[20]));
        refuses(
                "global \"os.system\" is refused",
                new TorchBytes()
                        .stored(
                                "m/data.pkl",
                                new PickleBytes()
                                        .proto(2)
                                        .global("os", "system")
                                        .text("x")
                                        .op(0x85, 'R', '.')
                                        .toByteArray()));
    }

    @Test
    void tensorsThatClaimMoreThanTheFileHoldsAreRefused() throws IOException {
        PickleBytes wide =
                new PickleBytes().text("a").tensor("FloatStorage", "0", 6, 0, new long[] {1L << 40}, new long[] {0});
        refuses(
                "tensors of at most 8 times the file",
                new TorchBytes()
                        .stored("m/data.pkl", TorchBytes.dictionary(wide))
                        .stored("m/data/0", FLOATS));
        PickleBytes many = new PickleBytes();
        for (int i = 0; i < 100; i++) {
            many.text("t" + i).tensor("ByteStorage", "0", 1 << 20, i, new long[] {1 << 19}, new long[] {1});
        }
        refuses(
                "tensors of at most 8 times the file",
                new TorchBytes()
                        .stored("m/data.pkl", TorchBytes.dictionary(many))
                        .stored("m/data/0", new byte[1 << 20]));
    }

    @Test
    void oldFilesThatContradictThemselvesAreRefused() throws IOException {
        refuses("expected a file that torch.save wrote, got something else", ascii("hello world, this is no pickle"));
        refuses("expected PyTorch's magic number, got an integer", ascii("K\1."));
        refuses(
                "expected PyTorch's magic number",
                new PickleBytes().op(0x8a, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, '.').toByteArray());
        byte[] magic = TorchBytes.legacySmall().toByteArray();
        byte[] version = magic.clone();
        version[18] = 5;
        refuses("expected protocol version 1001", version);
        byte[] elements = magic.clone();
        elements[magic.length - 24 - 8] = 7;
        refuses("expected 6 elements, got 7", elements);
        byte[] negative = magic.clone();
        Arrays.fill(negative, magic.length - 32, magic.length - 24, (byte) -1);
        refuses("expected 6 elements, got 18446744073709551615", negative);
        refuses(
                "expected a list of storages",
                TorchBytes.legacyStart().raw("}.").raw("}.").toByteArray());
        refuses(
                "expected storages that tensors use",
                TorchBytes.legacyStart().raw("}.]").text("0").raw("a.").toByteArray());
        refuses("got an empty one", TorchBytes.legacyStart().raw("}.].").toByteArray());
        refuses(
                "global \"builtins.eval\" is refused",
                TorchBytes.legacyStart().global("builtins", "eval").toByteArray());
        refuses(
                "global \"os.system\" is refused",
                new PickleBytes().global("os", "system").toByteArray());
    }

    @Test
    void oldStoragesMustFitTheFileAndTheirParts() throws IOException {
        PickleBytes huge = TorchBytes.legacyStart();
        huge.storage("FloatStorage", "0", 1L << 50);
        refuses("expected at most the file's", huge.toByteArray());
        PickleBytes twice = TorchBytes.legacyStart()
                .raw("(")
                .storage("FloatStorage", "0", 6)
                .storage("FloatStorage", "0", 5);
        refuses("expected 24 bytes as before, got 20", twice.toByteArray());
        PickleBytes part = TorchBytes.legacyStart().raw("(").text("storage").global("torch", "FloatStorage");
        part.text("0").text("cpu").whole(6).raw("(").text("v").whole(5).whole(2).raw("ttQ.");
        refuses("expected a part of its 24 bytes, got 8 at 20", part.toByteArray());
        PickleBytes missing = TorchBytes.legacyStart().raw("}").text("a");
        missing.tensor("FloatStorage", "0", 6, 0, new long[] {6}, new long[] {1})
                .raw("s.].");
        refuses("expected all 1 storages that tensors use, got 0", missing.toByteArray());
    }
}
