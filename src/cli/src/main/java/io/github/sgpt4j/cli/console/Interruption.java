package io.github.sgpt4j.cli.console;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// While this is open, a request to end the process (SIGTERM, Ctrl-C) interrupts the thread that opened it, and the
/// process goes on until that thread has ended its work and reported it. Without this, it would end at once.
public final class Interruption implements AutoCloseable {
    /// For what is reported after the work.
    private static final long MAX_SECONDS = 10;

    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread hook;

    private Interruption(Thread working, CompletableFuture<Integer> exit) {
        hook = new Thread(() -> end(working, exit), "sgpt-interruption");
    }

    /// Begins to turn requests into interrupts of this thread.
    ///
    /// @param exit completed with the code that the process should end with
    public static Interruption ofThisThread(CompletableFuture<Integer> exit) {
        Interruption interruption = new Interruption(Thread.currentThread(), exit);
        try {
            Runtime.getRuntime().addShutdownHook(interruption.hook);
        } catch (IllegalStateException e) {
            // The process is ending already.
            Thread.currentThread().interrupt();
        }
        return interruption;
    }

    private void end(Thread working, CompletableFuture<Integer> exit) {
        working.interrupt();
        try {
            closed.await();
            // The code that the virtual machine would end with tells of the signal only.
            Runtime.getRuntime().halt(exit.get(MAX_SECONDS, TimeUnit.SECONDS));
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            // The virtual machine ends as it would without this.
            return;
        }
    }

    @Override
    public void close() {
        closed.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process is ending: the hook is at work, and ends it when the exit code is known.
            return;
        }
    }
}
