package io.github.sgpt4j.weightstools;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrowsExactly;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.weightstools.pickle.PickleBytes;
import io.github.sgpt4j.weightstools.torch.TorchBytes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// A pickled file changes while it is converted: the conversion fails, names the file, and leaves no
/// result.
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "mapped files cannot be changed there")
class ChangedSourceTest {
    private static final int FLOATS = 1 << 18;

    @TempDir
    private Path folder;

    /// Three tensors, each with a storage of one megabyte.
    private Path source(boolean deflated) throws IOException {
        PickleBytes entries = new PickleBytes();
        TorchBytes archive = new TorchBytes();
        List<String> names = List.of("a", "b", "c");
        for (int i = 0; i < names.size(); i++) {
            entries.text(names.get(i))
                    .tensor("FloatStorage", Integer.toString(i), FLOATS, 0, new long[] {FLOATS}, new long[] {1});
        }
        archive.stored("m/data.pkl", TorchBytes.dictionary(entries));
        for (int i = 0; i < names.size(); i++) {
            byte[] storage = new byte[FLOATS * Float.BYTES];
            new Random(i).nextBytes(storage);
            if (deflated) {
                // Cut to half its length: the bytes after it are still far away.
                for (int b = 0; b < storage.length; b++) {
                    storage[b] &= 15;
                }
                archive.deflated("m/data/" + i, storage);
            } else {
                archive.stored("m/data/" + i, storage);
            }
        }
        Path source = Files.createTempDirectory(folder, "source-");
        Path file = Files.write(source.resolve("pytorch_model.bin"), archive.toByteArray());
        Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000_000_000L));
        Files.writeString(source.resolve("config.json"), "{}");
        return source;
    }

    private interface Change {
        void apply(Path file) throws IOException;
    }

    private void refused(boolean deflated, Dtype type, Change change) throws IOException {
        Path source = source(deflated);
        Path file = source.resolve("pytorch_model.bin");
        Path target = source.resolveSibling(source.getFileName() + "-converted");
        boolean[] done = new boolean[1];
        ConvertListener listener = (bytes, total) -> {
            if (!done[0]) {
                done[0] = true;
                try {
                    change.apply(file);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        };
        ConvertOptions options = ConvertOptions.DEFAULT.withDtype(type);
        String message = String.valueOf(
                assertThrowsExactly(FormatException.class, () -> Converter.convert(source, target, options, listener))
                        .getMessage());
        assertTrue(message.startsWith(file + ": expected the file as it was opened ("), message);
        assertFalse(Files.exists(target), "no result");
        assertTrue(done[0]);
    }

    private static void cut(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(5000);
        }
    }

    @Test
    void aShorterFileEndsEveryWayToReadIt() throws IOException {
        for (Dtype type : List.of(Dtype.AUTO, Dtype.BF16)) {
            refused(false, type, ChangedSourceTest::cut);
            refused(true, type, ChangedSourceTest::cut);
        }
    }

    @Test
    void soDoesAnyOtherChange() throws IOException {
        refused(false, Dtype.AUTO, file -> {
            byte[] bytes = Files.readAllBytes(file);
            bytes[bytes.length / 2] ^= 1;
            Files.write(file, bytes);
        });
        refused(false, Dtype.BF16, file -> Files.write(file, new byte[1], StandardOpenOption.APPEND));
    }

    @Test
    void aFileThatIsDeletedIsConvertedAsItWas() throws IOException {
        Path source = source(false);
        Path file = source.resolve("pytorch_model.bin");
        Path expected = folder.resolve("expected");
        Converter.convert(source, expected, ConvertOptions.DEFAULT, ConvertListener.NONE);
        Path target = folder.resolve("converted");
        Converter.convert(source, target, ConvertOptions.DEFAULT, (bytes, total) -> {
            try {
                Files.deleteIfExists(file);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        assertTrue(Files.mismatch(expected.resolve("model.safetensors"), target.resolve("model.safetensors")) < 0);
    }
}
