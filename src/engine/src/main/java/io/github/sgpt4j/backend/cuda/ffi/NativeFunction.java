package io.github.sgpt4j.backend.cuda.ffi;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// A native function that returns an int status, and the one way to call it. Kept in a static final field, it costs no
/// more than its handle: the compiler sees through the record and the lambda.
///
/// @param name for messages
/// @param handle of its signature
/// @param check what a status other than success means
record NativeFunction(String name, MethodHandle handle, Check check) {
    /// Throws unless a status means success.
    @FunctionalInterface
    interface Check {
        void status(int status, String call);
    }

    /// `handle -> (int) handle.invokeExact(...)`
    @FunctionalInterface
    interface Call {
        int with(MethodHandle handle) throws Throwable;
    }

    /// As [Call], for a function that writes its result to a pointer.
    @FunctionalInterface
    interface CallForResult {
        int with(MethodHandle handle, MemorySegment result) throws Throwable;
    }

    /// Calls it; the caller looks at the status.
    int status(Call call) {
        try {
            return call.with(handle);
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// Calls it, and throws if it fails.
    void call(Call call) {
        check.status(status(call), name);
    }

    /// Calls it, throws if it fails, and gives the 64 bits that it wrote; of an int, the lower half.
    long result(CallForResult call) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = arena.allocate(JAVA_LONG);
            call(function -> call.with(function, result));
            return result.get(JAVA_LONG, 0);
        }
    }
}
