package io.github.sgpt4j.jmh;

import io.github.sgpt4j.backend.cuda.ffi.Driver;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// How much more does a kernel launch cost from Java than from C? Both fill in twelve arguments and call
/// `cuLaunchKernel` with its eleven parameters in a library that returns at once ([EmptyDriver]). This measures
/// only the call, without the work of a driver or a GPU. `SGPT_CUDA_PATH` must not be set.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
@State(Scope.Benchmark)
public class LaunchBenchmark {
    private static final int ARGUMENTS = 12;
    private static final int CALLS = 10_000;

    private MemorySegment values;
    private MemorySegment pointers;
    private MethodHandle loop;
    private long counter;

    @Setup
    @SuppressWarnings("restricted") // The C loop is called in the same way as the engine calls libraries.
    public void open() throws IOException {
        Path folder = Files.createTempDirectory("sgpt4j-jmh");
        Path library = EmptyDriver.build(folder);
        System.setProperty("sgpt4j.cuda.path", folder.toString());
        Arena arena = Arena.global();
        values = arena.allocate(ValueLayout.JAVA_LONG, ARGUMENTS);
        pointers = arena.allocate(ValueLayout.JAVA_LONG, ARGUMENTS);
        for (int i = 0; i < ARGUMENTS; i++) {
            pointers.setAtIndex(ValueLayout.JAVA_LONG, i, values.address() + (long) i * Long.BYTES);
        }
        loop = Linker.nativeLinker()
                .downcallHandle(
                        SymbolLookup.libraryLookup(library, arena).findOrThrow("sgpt_loop"),
                        FunctionDescriptor.of(ValueLayout.JAVA_DOUBLE, ValueLayout.JAVA_LONG));
        if (launch() != Driver.SUCCESS) {
            throw new IllegalStateException("expected the empty driver, got another; is SGPT_CUDA_PATH set?");
        }
    }

    /// A launch in the engine's way.
    @Benchmark
    public int java() {
        return launch();
    }

    private int launch() {
        counter++;
        for (int i = 0; i < ARGUMENTS; i++) {
            values.setAtIndex(ValueLayout.JAVA_LONG, i, counter + i);
        }
        return Driver.launch(0, 1, 1, 1, 128, 1, 1, 0, 0, pointers);
    }

    /// A loop of launches in C; the time per launch is the score divided by 10,000.
    @Benchmark
    public double cTimes10000() throws Throwable {
        return (double) loop.invokeExact((long) CALLS);
    }
}
