package io.github.sgpt4j.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;

/// Damaged files either open or fail with one of the library's exceptions, whatever the damage.
/// `-Dsgpt4j.fuzz.seed=N` repeats a run, `-Dsgpt4j.fuzz.rounds=N` makes it longer.
class SafetensorsFuzzTest {
    private static final int ROUNDS = Integer.getInteger("sgpt4j.fuzz.rounds", 2_000);
    private static final List<String> NUMBERS = List.of(
            "0",
            "1",
            "-1",
            "-0",
            "1.5",
            "1e3",
            "2147483648",
            "4294967296",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551615",
            "99999999999999999999999999",
            "00",
            "0x10",
            "NaN",
            "null",
            "\"1\"",
            "[]",
            "{}");

    private final long seed = Long.getLong("sgpt4j.fuzz.seed", 20220217L);
    private final Random random = new Random(seed);

    @TempDir
    Path directory;

    @BeforeEach
    void reportSeed(TestReporter reporter) {
        reporter.publishEntry("sgpt4j.fuzz.seed", Long.toString(seed));
    }

    private byte[] valid() throws IOException {
        Path file = directory.resolve("valid.safetensors");
        new SafetensorsWriter()
                .metadata("note", "ü \"quoted\" \\ text")
                .add("h.0.weight", Shape.of(2, 3), 1, 2, 3, 4, 5, 6)
                .add("h.0.bias", ElementType.BF16, Shape.of(3), MemorySegment.ofArray(new byte[6]))
                .add("scalar", ElementType.I64, Shape.of(), MemorySegment.ofArray(new byte[8]))
                .add("none", ElementType.F16, Shape.of(0, 4), MemorySegment.ofArray(new byte[0]))
                .add("mask", ElementType.BOOL, Shape.of(5), MemorySegment.ofArray(new byte[5]))
                .write(file);
        return Files.readAllBytes(file);
    }

    private void openOrRefuse(byte[] bytes) throws IOException {
        Path file = Hostile.write(directory, "fuzzed.safetensors", bytes);
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile opened = SafetensorsFile.open(file, arena);
            long data = opened.tensors().values().stream()
                    .mapToLong(tensor -> tensor.data().byteSize())
                    .sum();
            long header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
            if (opened.unknown().isEmpty()) {
                assertEquals(bytes.length, 8 + header + data);
            }
            opened.tensors().values().forEach(tensor -> tensor.data().toArray(ValueLayout.JAVA_BYTE));
        } catch (SgptException expected) {
            assertEquals(1, String.valueOf(expected.getMessage()).lines().count());
        } catch (RuntimeException | AssertionError | StackOverflowError | OutOfMemoryError e) {
            throw new AssertionError("seed " + seed + ", file " + HexFormat.of().formatHex(bytes), e);
        }
    }

    @Test
    void randomBytesOpenOrAreRefused() throws IOException {
        for (int round = 0; round < ROUNDS; round++) {
            byte[] bytes = new byte[random.nextInt(200)];
            random.nextBytes(bytes);
            if (bytes.length > 9 && random.nextBoolean()) {
                ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(random.nextInt(bytes.length));
                bytes[8] = '{';
            }
            openOrRefuse(bytes);
        }
    }

    @Test
    void damagedBytesOpenOrAreRefused() throws IOException {
        byte[] valid = valid();
        openOrRefuse(valid);
        for (int round = 0; round < ROUNDS; round++) {
            byte[] bytes = valid.clone();
            for (int i = random.nextInt(3); i >= 0; i--) {
                bytes = damaged(bytes);
            }
            openOrRefuse(bytes);
        }
    }

    private byte[] damaged(byte[] bytes) {
        int at = random.nextInt(bytes.length);
        int count = 1 + random.nextInt(Math.min(20, bytes.length - at));
        return switch (random.nextInt(6)) {
            case 0 -> {
                bytes[at] ^= (byte) (1 << random.nextInt(8));
                yield bytes;
            }
            case 1 -> {
                bytes[at] = "{}[]\":,\\ \0é-.0".getBytes(StandardCharsets.UTF_8)[random.nextInt(14)];
                yield bytes;
            }
            case 2 -> Arrays.copyOf(bytes, Math.max(1, at));
            case 3 -> joined(bytes, 0, at, bytes, at + count - 1, bytes.length);
            case 4 -> joined(bytes, 0, at + count, bytes, at, bytes.length);
            default -> {
                bytes[random.nextInt(Math.min(8, bytes.length))] = (byte) random.nextInt();
                yield bytes;
            }
        };
    }

    private static byte[] joined(byte[] a, int fromA, int toA, byte[] b, int fromB, int toB) {
        byte[] result = Arrays.copyOf(Arrays.copyOfRange(a, fromA, toA), toA - fromA + toB - fromB);
        System.arraycopy(b, fromB, result, toA - fromA, toB - fromB);
        return result.length == 0 ? new byte[1] : result;
    }

    @Test
    void damagedHeadersOfTheRightLengthOpenOrAreRefused() throws IOException {
        byte[] valid = valid();
        int length = (int) ByteBuffer.wrap(valid).order(ByteOrder.LITTLE_ENDIAN).getLong();
        String header = new String(valid, 8, length, StandardCharsets.UTF_8);
        for (int round = 0; round < ROUNDS; round++) {
            String changed = header;
            for (int i = random.nextInt(3); i >= 0; i--) {
                changed = changed(changed);
            }
            openOrRefuse(Hostile.file(changed, valid.length - 8 - length));
        }
    }

    /// Replaces a number, removes, repeats or replaces a token, or swaps two.
    private String changed(String json) {
        boolean number = random.nextInt(3) == 0;
        List<MatchResult> tokens = Pattern.compile(number ? "[0-9]+" : "\"(\\\\.|[^\"])*\"|[0-9]+|[\\[\\]{}:,]")
                .matcher(json)
                .results()
                .toList();
        if (tokens.isEmpty()) {
            return json;
        }
        MatchResult token = tokens.get(random.nextInt(tokens.size()));
        String other = tokens.get(random.nextInt(tokens.size())).group();
        String instead = switch (number ? 4 : random.nextInt(4)) {
            case 0 -> "";
            case 1 -> token.group() + token.group();
            case 2 -> other;
            case 3 -> token.group() + "," + other;
            default -> NUMBERS.get(random.nextInt(NUMBERS.size()));
        };
        return json.substring(0, token.start()) + instead + json.substring(token.end());
    }

    @Test
    void aDamagedIndexOpensOrIsRefused() throws IOException {
        new SafetensorsWriter().add("a", Shape.of(1), 1).write(directory.resolve("one.safetensors"));
        new SafetensorsWriter().add("b", Shape.of(1), 2).write(directory.resolve("two.safetensors"));
        String index = "{\"metadata\":{\"total_size\":8},"
                + "\"weight_map\":{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}}";
        for (int round = 0; round < ROUNDS / 5; round++) {
            byte[] bytes = random.nextBoolean()
                    ? changed(index).getBytes(StandardCharsets.UTF_8)
                    : damaged(index.getBytes(StandardCharsets.UTF_8));
            Hostile.write(directory, Weights.INDEX_FILE, bytes);
            try (Weights weights = Weights.open(directory)) {
                weights.names().forEach(weights::get);
            } catch (SgptException expected) {
                assertEquals(1, String.valueOf(expected.getMessage()).lines().count());
            } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
                throw new AssertionError(
                        "seed " + seed + ", index " + HexFormat.of().formatHex(bytes), e);
            }
        }
    }
}
