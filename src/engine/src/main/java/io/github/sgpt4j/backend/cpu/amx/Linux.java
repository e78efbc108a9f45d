package io.github.sgpt4j.backend.cpu.amx;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Collections;
import java.util.Optional;

/// What is asked of the operating system: the permission to use tiles, and memory to run code from.
@SuppressWarnings("restricted")
final class Linux {
    // Memory protection and mapping flags
    private static final int PROT_READ = 1;
    private static final int PROT_WRITE = 2;
    private static final int PROT_EXEC = 4;
    private static final int MAP_PRIVATE = 2;
    private static final int MAP_ANONYMOUS = 0x20;
    private static final long FAILED = -1;

    // System calls of x86-64, and what one of them is asked for
    private static final long SYS_MMAP = 9;
    private static final long SYS_MPROTECT = 10;
    private static final long SYS_ARCH_PRCTL = 158;
    private static final long ARCH_REQ_XCOMP_PERM = 0x1023;
    private static final long XFEATURE_XTILEDATA = 18;

    /// Parameters of [#function] after the first.
    static final int OTHER_PARAMETERS = 12;

    /// One form for all functions: each other one would cost some 20 ms when it is linked.
    private static final FunctionDescriptor FORM =
            FunctionDescriptor.ofVoid(ADDRESS).appendArgumentLayouts(longs(OTHER_PARAMETERS));

    /// `long syscall(long number, ...)`, with as many arguments as a system call has at most.
    private static final Optional<MethodHandle> SYSCALL = Linker.nativeLinker()
            .defaultLookup()
            .find("syscall")
            .map(address -> Linker.nativeLinker()
                    .downcallHandle(
                            address, FunctionDescriptor.of(JAVA_LONG, longs(7)), Linker.Option.firstVariadicArg(1)));

    private Linux() {}

    private static MemoryLayout[] longs(int count) {
        return Collections.nCopies(count, JAVA_LONG).toArray(MemoryLayout[]::new);
    }

    /// A system call; [#FAILED] if it fails, or if there is no C library to call it.
    private static long call(long number, long a, long b, long c, long d, long e, long f) {
        if (SYSCALL.isEmpty()) {
            return FAILED;
        }
        try {
            return (long) SYSCALL.get().invokeExact(number, a, b, c, d, e, f);
        } catch (Throwable thrown) {
            throw rethrown(thrown);
        }
    }

    /// Asks that all threads of this process may use tiles. The kernel has this since 5.16.
    static boolean permitsTiles() {
        return call(SYS_ARCH_PRCTL, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA, 0, 0, 0, 0) == 0;
    }

    /// Memory that holds `code` for good and can be run but no longer written; empty if the system refuses.
    static Optional<MemorySegment> executable(byte[] code) {
        long bytes = code.length;
        long start = call(SYS_MMAP, 0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (start == FAILED) {
            return Optional.empty();
        }
        MemorySegment memory = MemorySegment.ofAddress(start).reinterpret(bytes);
        MemorySegment.copy(code, 0, memory, JAVA_BYTE, 0, code.length);
        long status = call(SYS_MPROTECT, start, bytes, PROT_READ | PROT_EXEC, 0, 0, 0);
        return status == FAILED ? Optional.empty() : Optional.of(memory);
    }

    /// The function at an address, of a pointer and [#OTHER_PARAMETERS] integers of 64 bits that it may pass
    /// over; it returns nothing. The segment that is the first argument stays open during a call.
    static MethodHandle function(MemorySegment address) {
        return Linker.nativeLinker().downcallHandle(address, FORM);
    }

    /// What a native call threw: only errors of the virtual machine can come out.
    static RuntimeException rethrown(Throwable thrown) {
        return switch (thrown) {
            case RuntimeException e -> e;
            case Error e -> throw e;
            default -> new IllegalStateException(thrown);
        };
    }
}
