package io.github.sgpt4j.backend.cpu.code;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Optional;
import java.util.Set;

/// What the engine needs from Linux on x86-64: the processor's features, permission to use tiles,
/// executable memory, and calls of the code in it.
@SuppressWarnings("restricted")
public final class Linux {
    // Memory protection and mapping flags
    private static final int PROT_READ = 1;
    private static final int PROT_WRITE = 2;
    private static final int PROT_EXEC = 4;
    private static final int MAP_PRIVATE = 2;
    private static final int MAP_ANONYMOUS = 0x20;
    static final long FAILED = -1;

    // System calls of x86-64, and the arguments of one
    static final long SYS_MMAP = 9;
    static final long SYS_MPROTECT = 10;
    static final long SYS_MUNMAP = 11;
    private static final long SYS_ARCH_PRCTL = 158;
    private static final long ARCH_REQ_XCOMP_PERM = 0x1023;
    private static final long XFEATURE_XTILEDATA = 18;

    /// Parameters of [#function] after the first.
    static final int OTHER_PARAMETERS = 12;

    /// Parameters of [#leafFunctions] after the pointers.
    static final int LEAF_PARAMETERS = 12;

    /// One signature for all functions: linking each further one would cost some 20 ms.
    private static final FunctionDescriptor FORM =
            FunctionDescriptor.ofVoid(ADDRESS).appendArgumentLayouts(longs(OTHER_PARAMETERS));

    /// The same for leaf functions and system calls.
    private static final FunctionDescriptor LEAF_FORM = FunctionDescriptor.of(
                    JAVA_LONG, ADDRESS, ADDRESS, ADDRESS, ADDRESS)
            .appendArgumentLayouts(longs(LEAF_PARAMETERS));

    /// Linked at the first call: reading the processor's features needs no permission for native
    /// calls.
    private static final class Linked {
        static final MethodHandle LEAF = Linker.nativeLinker().downcallHandle(LEAF_FORM, Linker.Option.critical(true));

        /// `long syscall(long number, ...)`. It reads as many arguments as the call of that number
        /// has.
        static final Optional<MemorySegment> SYSCALL =
                Linker.nativeLinker().defaultLookup().find("syscall");
    }

    /// The system; tests replace it with one that refuses.
    interface SystemCall {
        /// @return [#FAILED] if it fails
        long call(long number, long a, long b, long c, long d, long e, long f);
    }

    private Linux() {}

    /// Whether this is Linux on x86-64.
    public static boolean isHere() {
        return System.getProperty("os.name", "").equals("Linux")
                && System.getProperty("os.arch", "").equals("amd64");
    }

    /// Whether the first processor has all of some features, named as in `/proc/cpuinfo`.
    public static boolean processorHas(Set<String> features) {
        // Not Files.lines: it fails on an interrupted thread, and the answer is cached.
        try (BufferedReader reader = Files.newBufferedReader(Path.of("/proc/cpuinfo"))) {
            return reader.lines()
                    .filter(line -> line.startsWith("flags"))
                    .findFirst()
                    .map(line -> Arrays.asList(line.split("\\s+")))
                    .filter(flags -> flags.containsAll(features))
                    .isPresent();
        } catch (IOException | UncheckedIOException e) {
            return false;
        }
    }

    private static MemoryLayout[] longs(int count) {
        return Collections.nCopies(count, JAVA_LONG).toArray(MemoryLayout[]::new);
    }

    /// A system call; [#FAILED] if it fails, or if there is no C library to call it.
    static long call(long number, long a, long b, long c, long d, long e, long f) {
        if (Linked.SYSCALL.isEmpty()) {
            return FAILED;
        }
        try {
            return (long) Linked.LEAF.invokeExact(
                    Linked.SYSCALL.get(),
                    MemorySegment.ofAddress(number),
                    MemorySegment.ofAddress(a),
                    MemorySegment.ofAddress(b),
                    MemorySegment.ofAddress(c),
                    d,
                    e,
                    f,
                    0L,
                    0L,
                    0L,
                    0L,
                    0L,
                    0L,
                    0L,
                    0L,
                    0L);
        } catch (Throwable thrown) {
            throw rethrown(thrown);
        }
    }

    /// Requests that all threads of this process may use tiles. Kernels support this since 5.16.
    public static boolean permitsTiles() {
        return call(SYS_ARCH_PRCTL, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA, 0, 0, 0, 0) == 0;
    }

    /// Why machine code for some features of the processor cannot be used; empty if it can. Does
    /// nothing that needs permission for native calls.
    ///
    /// @param lacking the reason if the processor lacks them
    /// @param property system property that disables it with `false`
    public static Optional<String> problem(Set<String> features, String lacking, String property) {
        if (!isHere()) {
            return Optional.of("it needs Linux on x86-64");
        }
        if (!processorHas(features)) {
            return Optional.of(lacking);
        }
        if (!Boolean.parseBoolean(System.getProperty(property, "true"))) {
            return Optional.of("system property " + property);
        }
        return Linux.class.getModule().isNativeAccessEnabled()
                ? Optional.empty()
                : Optional.of("java lacks the option --enable-native-access");
    }

    /// Memory that holds `code` permanently, executable and no longer writable; empty if the system
    /// refuses.
    public static Optional<MemorySegment> executable(byte[] code) {
        return executable(code, Linux::call);
    }

    /// As [#executable(byte[])].
    static Optional<MemorySegment> executable(byte[] code, SystemCall system) {
        long bytes = code.length;
        long start = system.call(SYS_MMAP, 0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (start == FAILED) {
            return Optional.empty();
        }
        MemorySegment memory = MemorySegment.ofAddress(start).reinterpret(bytes);
        MemorySegment.copy(code, 0, memory, JAVA_BYTE, 0, code.length);
        long status = system.call(SYS_MPROTECT, start, bytes, PROT_READ | PROT_EXEC, 0, 0, 0);
        if (status == FAILED) {
            system.call(SYS_MUNMAP, start, bytes, 0, 0, 0, 0);
            return Optional.empty();
        }
        return Optional.of(memory);
    }

    /// The function at an address. It takes a pointer and [#OTHER_PARAMETERS] 64-bit integers,
    /// which it may ignore, and returns nothing. The segment that is the first argument stays open
    /// during a call.
    public static MethodHandle function(MemorySegment address) {
        return Linker.nativeLinker().downcallHandle(address, FORM);
    }

    /// Calls functions of four pointers and [#LEAF_PARAMETERS] 64-bit integers, which they may
    /// ignore. The handle takes the function's address first, and returns a meaningless `long`.
    /// Segments may be on the heap: the garbage collector waits until a call returns, so each must
    /// be short. Off-heap segments stay open meanwhile.
    public static MethodHandle leafFunctions() {
        return Linked.LEAF;
    }

    /// Converts what a native call threw: only errors of the virtual machine are possible.
    public static RuntimeException rethrown(Throwable thrown) {
        return switch (thrown) {
            case RuntimeException e -> e;
            case Error e -> throw e;
            default -> new IllegalStateException(thrown);
        };
    }
}
