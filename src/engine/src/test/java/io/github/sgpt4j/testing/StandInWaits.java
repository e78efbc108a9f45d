package io.github.sgpt4j.testing;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/// The calls that wait for the device, ask it or record events, as the stand-in sees them, by the place in the Java
/// code that makes them. Some can be left out: the call then does nothing and succeeds.
public final class StandInWaits implements AutoCloseable {
    /// A line of the backend.
    ///
    /// @param file its name without folders
    public record Site(String file, int line) {
        @Override
        public String toString() {
            return file + ":" + line;
        }
    }

    private static final String BACKEND = "io.github.sgpt4j.backend.cuda.";
    private static final StackWalker STACK = StackWalker.getInstance();

    private final Arena arena = Arena.ofShared();
    private final Predicate<Site> leftOut;
    private final Set<Site> met = ConcurrentHashMap.newKeySet();

    /// @param leftOut which calls do nothing
    public StandInWaits(Predicate<Site> leftOut) {
        this.leftOut = leftOut;
        invoke("sgpt_standin_on_order", FunctionDescriptor.ofVoid(ADDRESS), ask());
    }

    /// Where the calls came from so far.
    public Set<Site> met() {
        return Set.copyOf(met);
    }

    /// Operations that are queued and not done.
    public static long queued() {
        return (long) invoke("sgpt_standin_queued", FunctionDescriptor.of(JAVA_LONG));
    }

    /// Bytes of pinned memory that live.
    public static long pinned() {
        return (long) invoke("sgpt_standin_pinned", FunctionDescriptor.of(JAVA_LONG));
    }

    /// Reports so far.
    public static long reports() {
        return (long) invoke("sgpt_standin_report_count", FunctionDescriptor.of(JAVA_LONG));
    }

    /// The text of the last report.
    @SuppressWarnings("restricted")
    public static String lastReport() {
        MemorySegment text = (MemorySegment) invoke("sgpt_standin_last_report", FunctionDescriptor.of(ADDRESS));
        return text.reinterpret(Long.MAX_VALUE).getString(0);
    }

    @SuppressWarnings("restricted")
    private static Object invoke(String function, FunctionDescriptor descriptor, Object... arguments) {
        CudaTests.requireStandIn();
        Path library = Path.of(System.getenv("SGPT_CUDA_PATH"), "libcuda.so.1");
        MemorySegment address = SymbolLookup.libraryLookup(library, Arena.global())
                .find(function)
                .orElseThrow(() -> new AssertionError(library + " has no function " + function));
        try {
            return Linker.nativeLinker().downcallHandle(address, descriptor).invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new AssertionError(function, e);
        }
    }

    @SuppressWarnings("restricted")
    private MemorySegment ask() {
        try {
            MethodHandle ask =
                    MethodHandles.lookup().bind(this, "ask", MethodType.methodType(int.class, MemorySegment.class));
            MemoryLayout[] function = {ADDRESS};
            return Linker.nativeLinker().upcallStub(ask, FunctionDescriptor.of(JAVA_INT, function), arena);
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    /// Called by the stand-in, on the thread that makes the call. What it throws would end the process.
    int ask(MemorySegment function) {
        try {
            Optional<Site> site = STACK.walk(frames -> frames.filter(
                            frame -> frame.getClassName().startsWith(BACKEND)
                                    && !frame.getClassName().startsWith(BACKEND + "ffi."))
                    .findFirst()
                    .map(frame -> new Site(frame.getFileName(), frame.getLineNumber())));
            Site caller = site.orElse(new Site("unknown caller", (int) function.address()));
            met.add(caller);
            return leftOut.test(caller) ? 1 : 0;
        } catch (Throwable e) {
            met.add(new Site(e.toString(), 0));
            return 0;
        }
    }

    /// From here on nothing is left out.
    @Override
    public void close() {
        invoke("sgpt_standin_on_order", FunctionDescriptor.ofVoid(ADDRESS), MemorySegment.NULL);
        arena.close();
    }
}
