package io.github.sgpt4j.jmh;

import java.lang.foreign.Arena;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// Would 8-bit weights pay off? Measures register tiles with operands in cache, and weights streamed from memory
/// for few rows.
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class Int8Benchmark {
    /// Operations per second; a multiplication and an addition count as two.
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Rates {
        public double gigaops;
    }

    /// Integer tiles compared with the engine's float tile.
    @State(Scope.Benchmark)
    public static class Tile {
        /// Names of [Int8Study.Kind].
        @Param({"FP32", "PRODUCTS", "PAIRS"})
        public String kind = "FP32";

        private Int8Study.Loop loop;

        @Setup
        public void open() {
            loop = Int8Study.tile(Int8Study.Kind.valueOf(kind));
        }
    }

    /// Weights that are read once per call.
    @State(Scope.Benchmark)
    public static class Stream {
        @Param({"32", "16", "8"})
        public int bits = 32;

        @Param({"1", "16"})
        public int rows = 1;

        /// Millions of weights: as many as the layers of GPT-Neo-125M have.
        @Param("85")
        public int megafloats = 85;

        private Arena arena;
        private Int8Study.Loop loop;

        @Setup
        public void open() {
            arena = Arena.ofShared();
            loop = Int8Study.stream(arena, bits, rows, megafloats);
        }

        @TearDown
        public void close() {
            arena.close();
        }
    }

    @Benchmark
    public void tile(Tile tile, Rates rates) {
        rates.gigaops += tile.loop.operations() / 1e9;
        tile.loop.body().run();
    }

    @Benchmark
    public void stream(Stream stream, Rates rates) {
        rates.gigaops += stream.loop.operations() / 1e9;
        stream.loop.body().run();
    }
}
