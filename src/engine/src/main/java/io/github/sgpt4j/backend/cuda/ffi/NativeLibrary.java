package io.github.sgpt4j.backend.cuda.ffi;

import io.github.sgpt4j.error.BackendException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.Optional;

/// A native library that was opened, or the reason why there is none.
///
/// Asking a missing library for a function is no failure yet: the handle throws the reason when it is called.
public final class NativeLibrary {
    private static final long MAX_TEXT_LENGTH = 1 << 16;
    private static final MethodHandle NEW_FAILURE = newFailure();

    private final String name;
    private final Optional<SymbolLookup> symbols;
    private final String place;

    private NativeLibrary(String name, Optional<SymbolLookup> symbols, String place) {
        this.name = name;
        this.symbols = symbols;
        this.place = place;
    }

    static NativeLibrary opened(String name, SymbolLookup symbols, String path) {
        return new NativeLibrary(name, Optional.of(symbols), path);
    }

    static NativeLibrary missing(String name, String reason) {
        return new NativeLibrary(name, Optional.empty(), reason);
    }

    public boolean isOpen() {
        return symbols.isPresent();
    }

    /// Where it was opened, or why it is missing.
    public String place() {
        return place;
    }

    /// Whether it is open and has a function.
    boolean has(String symbol) {
        return symbols.flatMap(found -> found.find(symbol)).isPresent();
    }

    /// A function that returns an int status.
    NativeFunction function(String symbol, NativeFunction.Check check, MemoryLayout... parameters) {
        return new NativeFunction(
                symbol, function(symbol, FunctionDescriptor.of(ValueLayout.JAVA_INT, parameters)), check);
    }

    @SuppressWarnings("restricted")
    MethodHandle function(String symbol, FunctionDescriptor descriptor) {
        if (symbols.isEmpty()) {
            return failing("cuda: " + place, descriptor.toMethodType());
        }
        Optional<MemorySegment> address = symbols.get().find(symbol);
        if (address.isEmpty()) {
            String reason = "cuda: %s in %s has no function %s, it is too old".formatted(name, place, symbol);
            return failing(reason, descriptor.toMethodType());
        }
        return Linker.nativeLinker().downcallHandle(address.get(), descriptor);
    }

    private static MethodHandle failing(String reason, MethodType type) {
        MethodHandle thrower = MethodHandles.throwException(type.returnType(), BackendException.class);
        MethodHandle failure = MethodHandles.insertArguments(NEW_FAILURE, 0, reason);
        return MethodHandles.dropArguments(MethodHandles.foldArguments(thrower, failure), 0, type.parameterList());
    }

    private static MethodHandle newFailure() {
        try {
            return MethodHandles.lookup()
                    .findConstructor(BackendException.class, MethodType.methodType(void.class, String.class));
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /// What a native call threw: only what a missing function throws and errors of the virtual machine can come out.
    static RuntimeException rethrown(Throwable thrown) {
        return switch (thrown) {
            case RuntimeException e -> e;
            case Error e -> throw e;
            default -> new IllegalStateException(thrown);
        };
    }

    /// Memory at an address that native code returned.
    @SuppressWarnings("restricted")
    static MemorySegment memory(MemorySegment address, long bytes) {
        return address.reinterpret(bytes);
    }

    /// A C string at an address that native code returned.
    static String text(MemorySegment address) {
        return address.address() == 0
                ? "unknown"
                : memory(address, MAX_TEXT_LENGTH).getString(0);
    }
}
