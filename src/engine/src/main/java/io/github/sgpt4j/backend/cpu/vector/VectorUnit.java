package io.github.sgpt4j.backend.cpu.vector;

import io.github.sgpt4j.backend.cpu.code.Assembler.Vector;
import java.util.Set;

/// The vector units of x86-64 that [VectorCode] is written for.
enum VectorUnit {
    /// 16 registers of 8 floats: tiles of 6 rows take 12 for sums and 3 for operands.
    AVX2("AVX2", 256, 6, Set.of("avx2", "fma")),

    /// 32 registers of 16 floats: tiles of 12 rows take 24 for sums and 3 for operands.
    AVX512("AVX-512", 512, 12, Set.of("avx512f"));

    private final String title;
    private final int bits;
    private final int tileRows;
    private final Set<String> features;

    VectorUnit(String title, int bits, int tileRows, Set<String> features) {
        this.title = title;
        this.bits = bits;
        this.tileRows = tileRows;
        this.features = features;
    }

    String title() {
        return title;
    }

    int vectorBytes() {
        return bits / Byte.SIZE;
    }

    /// Rows of the tallest tile.
    int tileRows() {
        return tileRows;
    }

    /// Columns of a tile: two vectors.
    int tileColumns() {
        return 2 * vectorBytes() / Float.BYTES;
    }

    /// Features that the processor must have, named as in `/proc/cpuinfo`.
    Set<String> features() {
        return features;
    }

    Vector register(int number) {
        return new Vector(number, bits);
    }
}
