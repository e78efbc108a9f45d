package io.github.sgpt4j.backend.cuda.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// A native function that returns a C string about a status.
///
/// @param handle `char* (int)`
record StatusText(MethodHandle handle) {
    static StatusText of(NativeLibrary library, String symbol) {
        return new StatusText(library.function(symbol, FunctionDescriptor.of(ADDRESS, JAVA_INT)));
    }

    String of(int status) {
        try {
            return NativeLibrary.text((MemorySegment) handle.invokeExact(status));
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }
}
