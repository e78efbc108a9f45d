package io.github.sgpt4j.weightstools.torch;

import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.weightstools.pickle.TensorView;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Files with random damage are read, or refused with one sentence; nothing else happens.
///
/// `-Dsgpt4j.fuzz.seed=…` repeats a run, `-Dsgpt4j.fuzz.rounds=…` makes it longer.
class TorchFileFuzzTest {
    private static final long SEED = Long.getLong("sgpt4j.fuzz.seed", 20220217L);
    private static final int ROUNDS = Integer.getInteger("sgpt4j.fuzz.rounds", 400);
    private static final Duration MAX_TIME = Duration.ofMinutes(5);

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "small",
                "small-large",
                "small-legacy",
                "gptneo-be-bin/pytorch_model.bin",
                "bloom-ce/pytorch_model.bin",
                "gptj-ce/pytorch_model-00002-of-00002.bin",
                "gptneox-sequential-ce/pytorch_model.bin"
            })
    void damageIsReadOrRefused(String name) throws IOException {
        byte[] whole = bytes(name);
        Random random = new Random(SEED);
        assertTimeoutPreemptively(
                MAX_TIME,
                () -> {
                    for (int round = 0; round < ROUNDS; round++) {
                        read(name, round, damaged(whole, random));
                    }
                },
                () -> "%s, seed %d".formatted(name, SEED));
    }

    private static byte[] bytes(String name) throws IOException {
        switch (name) {
            case "small":
                return TorchBytes.small().toByteArray();
            case "small-large":
                return TorchBytes.small().large().toByteArray();
            case "small-legacy":
                return TorchBytes.legacySmall().toByteArray();
            default:
                try (InputStream in = TorchFileFuzzTest.class.getResourceAsStream("/checkpoints/" + name)) {
                    return in.readAllBytes();
                }
        }
    }

    /// Changes a few bytes of the structure: the pickles at the start, the directory at the end.
    private static byte[] damaged(byte[] whole, Random random) {
        byte[] bytes = whole.clone();
        int changes = 1 + random.nextInt(4);
        for (int i = 0; i < changes; i++) {
            int near = Math.min(bytes.length, 8_000);
            int at = random.nextInt(3) > 0 ? random.nextInt(near) : bytes.length - 1 - random.nextInt(near);
            switch (random.nextInt(4)) {
                case 0 -> bytes[at] = (byte) random.nextInt(256);
                case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 2 ->
                    bytes[at] = (byte)
                            "(.012FIJKLMNPQRSTUVXabcd}egehijlo]pqrst)uGBC\u0080\u0081\u0095".charAt(random.nextInt(40));
                default -> System.arraycopy(whole, random.nextInt(near - 8), bytes, Math.min(at, bytes.length - 8), 8);
            }
        }
        return bytes;
    }

    private void read(String name, int round, byte[] bytes) throws IOException {
        Path path = Files.write(folder.resolve("pytorch_model.bin"), bytes);
        try (TorchFile file = TorchFile.open(path, folder)) {
            for (TensorView view : file.tensors().values()) {
                assertTrue(file.bytes(view.storage()).byteSize() >= view.type().bytes() * view.offset());
            }
        } catch (SgptException e) {
            assertTrue(e.getMessage().startsWith(path.toString()), e.getMessage());
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
            throw new AssertionError("%s, seed %d, round %d: %s".formatted(name, SEED, round, e), e);
        }
    }
}
