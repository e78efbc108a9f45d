package io.github.sgpt4j.backend;

import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.error.BackendException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.IntSupplier;

/// Wrappers around a backend, for tests.
public final class Backends {
    private static final Set<String> NOT_OPERATIONS = Set.of("close", "name", "toString", "hashCode", "equals");

    private Backends() {}

    @FunctionalInterface
    private interface Hook {
        void before(String operation, Object[] arguments);
    }

    private static Backend hooked(Backend backend, Hook hook) {
        return (Backend) Proxy.newProxyInstance(
                Backend.class.getClassLoader(), new Class<?>[] {Backend.class}, (proxy, method, arguments) -> {
                    Object[] list = arguments == null ? new Object[0] : arguments;
                    hook.before(method.getName(), list);
                    try {
                        return method.invoke(backend, list);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    /// Fails once, at call number `failing` (from 0) of `calls`, which counts all calls but [Backend#close] and
    /// [Backend#name]; a failure is a [BackendException] with the message `out of order`.
    public static Backend failing(Backend backend, AtomicInteger calls, IntSupplier failing) {
        return hooked(backend, (operation, arguments) -> {
            if (!NOT_OPERATIONS.contains(operation) && calls.getAndIncrement() == failing.getAsInt()) {
                throw new BackendException("out of order");
            }
        });
    }

    /// Requests `sides` batches computed side by side.
    public static Backend sideBySide(Backend backend, int sides) {
        return (Backend) Proxy.newProxyInstance(
                Backend.class.getClassLoader(), new Class<?>[] {Backend.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("batchesSideBySide")) {
                        return sides;
                    }
                    try {
                        return method.invoke(backend, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    /// Calls `layer` before each layer of a decoder, on the thread that computes it.
    public static Backend layers(Backend backend, Runnable layer) {
        return hooked(backend, (operation, arguments) -> {
            if (operation.equals("attention")) {
                layer.run();
            }
        });
    }

    /// Reports every batch whose tokens are embedded: these tokens are computed.
    public static Backend watched(Backend backend, Consumer<PackedBatch> embedded) {
        return hooked(backend, (operation, arguments) -> {
            if (operation.equals("embed")) {
                embedded.accept(((Batch) arguments[1]).packed());
            }
        });
    }
}
