package io.github.sgpt4j.backend.cpu.kernel;

import java.util.Locale;
import java.util.Optional;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import org.jspecify.annotations.Nullable;

/// The vector width in use, chosen once: the machine's preferred one, at most 512 bits, or the one
/// that the system property `sgpt4j.vectorBits` requests (128, 256 or 512).
///
/// Initialisation never fails: a request that cannot be met is kept in [#problem] for the backend
/// to report, and the preferred width is used instead.
public final class Simd {
    /// System property that forces a width.
    public static final String WIDTH_PROPERTY = "sgpt4j.vectorBits";

    private static final Choice CHOICE = Choice.of(System.getProperty(WIDTH_PROPERTY));

    /// Floats.
    public static final VectorSpecies<Float> F = VectorSpecies.of(float.class, CHOICE.shape);
    /// As many 32-bit integers as [#F] has floats.
    public static final VectorSpecies<Integer> I = VectorSpecies.of(int.class, CHOICE.shape);
    /// As many 16-bit integers as [#F] has floats: half the bits.
    public static final VectorSpecies<Short> S =
            VectorSpecies.of(short.class, VectorShape.forBitSize(CHOICE.shape.vectorBitSize() / 2));

    /// Bits per vector.
    public static final int BITS = F.vectorBitSize();

    /// Floats per vector.
    public static final int LANES = F.length();

    /// Whether multiply-add is one instruction. Without the hardware the Vector API computes it
    /// exactly and very slowly. Every 64-bit Arm has it. So has x86 with AVX2, which a preferred
    /// width of 256 bits implies, unless it is disabled (by the option `-XX:-UseFMA`, or in some
    /// virtual machines). The system property `sgpt4j.fma=false` overrides.
    public static final boolean FMA = Boolean.parseBoolean(System.getProperty("sgpt4j.fma", "true"))
            && (isArm() || preferredBits() >= 256 && multiplyAddIsFast());

    /// Rows of a full register tile of two vectors per row: 24 accumulators if there are 32 vector
    /// registers, else 12.
    public static final int TILE_ROWS = CHOICE.shape.vectorBitSize() >= 512 || isArm() ? 12 : 6;

    /// Columns of a register tile and of a weight panel.
    public static final int TILE_COLUMNS = 2 * LANES;

    /// Contiguous vectors in a row of a weight panel for the Vector API. With 32 registers, the
    /// left and the right vectors of a panel are stored apart, so that a tile reads two streams: a
    /// processor prefetches a limited number of cache lines for each stream that it detects, and
    /// with few rows and many weights, one stream is slower than two by a third. With 16 registers,
    /// a second base address would spill sums to the stack.
    public static final int PANEL_VECTORS = TILE_ROWS == 12 ? 1 : 2;

    private Simd() {}

    /// Why the requested width is unavailable; empty if it is available.
    public static Optional<String> problem() {
        return CHOICE.problem;
    }

    /// For example `512-bit vectors, 12 x 32 tiles, fma`.
    public static String description() {
        return "%d-bit vectors, %d x %d tiles, %s".formatted(BITS, TILE_ROWS, TILE_COLUMNS, FMA ? "fma" : "no fma");
    }

    private static boolean isArm() {
        return System.getProperty("os.arch", "").toLowerCase(Locale.ROOT).contains("aarch64");
    }

    private static int preferredBits() {
        return VectorShape.preferredShape().vectorBitSize();
    }

    /// Detects the instruction by timing it, which takes some µs; Java's management beans would
    /// take some 30 ms. In code that is not compiled yet, a multiply-add takes about 5 µs without
    /// the instruction and 20 ns with it.
    private static boolean multiplyAddIsFast() {
        int count = 64;
        long fastest = Long.MAX_VALUE;
        float sum = 0;
        for (int i = 0; i < 5; i++) {
            long start = System.nanoTime();
            for (int k = 0; k < count; k++) {
                sum = Math.fma(sum, 0.5f, 1.25f);
            }
            fastest = Math.min(fastest, System.nanoTime() - start);
        }
        return fastest < count * 300L && sum > 0;
    }

    static VectorShape shapeFor(int bits) {
        return VectorShape.forBitSize(Math.max(128, Math.min(512, bits)));
    }

    record Choice(VectorShape shape, Optional<String> problem) {
        static Choice of(@Nullable String request) {
            VectorShape preferred = shapeFor(Integer.highestOneBit(preferredBits()));
            if (request == null) {
                return new Choice(preferred, Optional.empty());
            }
            int bits = switch (request) {
                case "128" -> 128;
                case "256" -> 256;
                case "512" -> 512;
                default -> 0;
            };
            if (bits == 0) {
                return new Choice(
                        preferred,
                        Optional.of("system property %s: expected 128, 256 or 512, got %s"
                                .formatted(WIDTH_PROPERTY, request)));
            }
            int most = Math.min(FloatVector.SPECIES_MAX.vectorBitSize(), IntVector.SPECIES_MAX.vectorBitSize());
            most = Math.min(most, ShortVector.SPECIES_MAX.vectorBitSize());
            if (bits > most) {
                return new Choice(
                        preferred,
                        Optional.of("system property %s: this machine has vectors of at most %d bits, got %s"
                                .formatted(WIDTH_PROPERTY, most, request)));
            }
            return new Choice(VectorShape.forBitSize(bits), Optional.empty());
        }
    }
}
