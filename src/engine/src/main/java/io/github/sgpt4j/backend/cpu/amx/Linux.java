package io.github.sgpt4j.backend.cpu.amx;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
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
    private static final long MAP_FAILED = -1;

    // A system call of x86-64 and its arguments
    private static final long SYS_ARCH_PRCTL = 158;
    private static final long ARCH_REQ_XCOMP_PERM = 0x1023;
    private static final long XFEATURE_XTILEDATA = 18;

    private Linux() {}

    /// Asks that all threads of this process may use tiles. The kernel has this since 5.16.
    static boolean permitsTiles() {
        FunctionDescriptor descriptor = FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
        Optional<MethodHandle> call = function("syscall", descriptor, Linker.Option.firstVariadicArg(1));
        if (call.isEmpty()) {
            return false;
        }
        try {
            return (long) call.get().invokeExact(SYS_ARCH_PRCTL, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    /// Memory that holds `code` for good and can be run but no longer written; empty if the system refuses.
    static Optional<MemorySegment> executable(byte[] code) {
        Optional<MethodHandle> map = function(
                "mmap", FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
        Optional<MethodHandle> protect =
                function("mprotect", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
        if (map.isEmpty() || protect.isEmpty()) {
            return Optional.empty();
        }
        long bytes = code.length;
        int flags = MAP_PRIVATE | MAP_ANONYMOUS;
        try {
            MemorySegment start = (MemorySegment)
                    map.get().invokeExact(MemorySegment.NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0L);
            if (start.address() == MAP_FAILED) {
                return Optional.empty();
            }
            MemorySegment memory = start.reinterpret(bytes);
            MemorySegment.copy(code, 0, memory, JAVA_BYTE, 0, code.length);
            int status = (int) protect.get().invokeExact(start, bytes, PROT_READ | PROT_EXEC);
            return status == 0 ? Optional.of(memory) : Optional.empty();
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    /// The function at an address; it returns nothing. Segments that are arguments stay open during a call.
    static MethodHandle function(MemorySegment address, MemoryLayout... arguments) {
        return Linker.nativeLinker().downcallHandle(address, FunctionDescriptor.ofVoid(arguments));
    }

    /// A function of the C library.
    private static Optional<MethodHandle> function(
            String name, FunctionDescriptor descriptor, Linker.Option... options) {
        Linker linker = Linker.nativeLinker();
        return linker.defaultLookup().find(name).map(address -> linker.downcallHandle(address, descriptor, options));
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
