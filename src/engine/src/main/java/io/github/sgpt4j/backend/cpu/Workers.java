package io.github.sgpt4j.backend.cpu;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// A fixed group of daemon threads that divide loops among themselves and the calling thread.
///
/// Any number of threads may call [#parallelFor] at the same time, also from inside a task. A
/// thread that has entered ([#enter]) counts as busy with its own loops until it leaves. For each
/// such thread one of the group helps nobody, so that no more threads compute than configured.
/// Closing lets running loops finish.
final class Workers implements AutoCloseable {
    /// One step of a parallel loop.
    @FunctionalInterface
    interface Task {
        void run(int index, Scratch scratch);
    }

    /// Consecutive rows of a parallel loop.
    @FunctionalInterface
    interface RowRange {
        void run(int from, int to, Scratch scratch);
    }

    /// Elements of work below which a loop is not worth another thread.
    private static final long ELEMENTS_PER_TASK = 1 << 14;

    /// Fewest tasks of a product per thread: at the end, the other threads wait for about one.
    private static final int TASKS_PER_THREAD = 4;

    private static final int SPINS = 2000;

    /// Set once, before any loop runs.
    private int threads;

    private final List<Thread> workers = new ArrayList<>();
    private final ArrayDeque<Loop> loops = new ArrayDeque<>();
    private final ConcurrentLinkedDeque<Scratch> idle = new ConcurrentLinkedDeque<>();
    private final AtomicInteger entered = new AtomicInteger();
    private volatile int posted;
    private volatile boolean closed;

    /// @param threads the number of threads, including the calling one; if the system gives fewer,
    ///     those compute
    Workers(int threads) {
        this(threads, Thread.ofPlatform().daemon().name("sgpt4j-cpu-", 1).factory());
    }

    /// For tests.
    Workers(int threads, ThreadFactory factory) {
        while (workers.size() < threads - 1) {
            int number = workers.size() + 1;
            Thread worker = factory.newThread(() -> work(number));
            try {
                worker.start();
            } catch (OutOfMemoryError e) {
                // A limit on processes or memory: the calling thread always remains.
                break;
            }
            workers.add(worker);
        }
        this.threads = workers.size() + 1;
    }

    int threads() {
        return threads;
    }

    /// The calling thread begins to compute loops of its own, until [#leave].
    void enter() {
        entered.incrementAndGet();
    }

    /// A thread that entered has nothing left to compute: one of the group may help the others
    /// instead.
    void leave() {
        entered.decrementAndGet();
        synchronized (loops) {
            if (!loops.isEmpty()) {
                loops.notifyAll();
            }
        }
    }

    /// The number of threads that have entered.
    int entered() {
        return entered.get();
    }

    /// Members of the group that may help now. A caller that has not entered counts like one that
    /// has.
    private int free() {
        return Math.max(0, threads - Math.max(1, entered.get()));
    }

    /// How many threads a loop can count on now, including the calling one.
    int available() {
        int callers = Math.max(1, entered.get());
        return 1 + (free() + callers - 1) / callers;
    }

    /// Into how many pieces, at most `most`, to divide each of `blocks` blocks of work so that
    /// every thread gets some.
    int piecesOfEach(int blocks, int most) {
        int threads = available();
        int wanted = threads == 1 ? 1 : (TASKS_PER_THREAD * threads + blocks - 1) / blocks;
        return Math.max(1, Math.min(wanted, most));
    }

    /// Runs `task` for every index in `[0, tasks)`, in any order and on any thread, and returns when all are done.
    ///
    /// If a task throws, no further tasks start, and the first exception is thrown here.
    void parallelFor(int tasks, Task task) {
        run(new Loop(tasks, task, false), tasks > 1 && free() > 0);
    }

    /// As [#parallelFor], but each thread mostly goes through consecutive indices.
    void parallelRanges(int tasks, Task task) {
        int parts = Math.clamp(tasks, 1, available());
        SharedRanges ranges = new SharedRanges(tasks, parts);
        Thread caller = Thread.currentThread();
        parallelFor(parts, (part, scratch) -> {
            // A helper leaves when every thread is needed for a batch of its own.
            boolean helps = !Thread.currentThread().equals(caller);
            takeAll(ranges, part, () -> !helps || free() > 0, task, scratch);
        });
        // The indices that helpers left behind.
        parallelFor(1, (one, scratch) -> takeAll(ranges, 0, () -> true, task, scratch));
    }

    private static void takeAll(
            SharedRanges ranges, int part, BooleanSupplier mayContinue, Task task, Scratch scratch) {
        try {
            for (int index = ranges.take(part); index >= 0; index = ranges.take(part)) {
                task.run(index, scratch);
                if (!mayContinue.getAsBoolean()) {
                    return;
                }
            }
        } catch (RuntimeException | Error e) {
            ranges.stop();
            throw e;
        }
    }

    /// As [#parallelFor], with the help of the whole group, whoever has entered: for results that
    /// other threads wait for.
    void parallelForAll(int tasks, Task task) {
        run(new Loop(tasks, task, true), tasks > 1 && !workers.isEmpty());
    }

    private void run(Loop loop, boolean shared) {
        if (loop.tasks == 0) {
            return;
        }
        if (shared) {
            post(loop);
        }
        Scratch scratch = borrow();
        try {
            loop.run(scratch);
        } finally {
            idle.push(scratch);
        }
        if (shared) {
            withdraw(loop);
            loop.await();
        }
        loop.rethrow();
    }

    /// Runs `body` over all of `[0, rows)`, in ranges large enough for a task each.
    void parallelRows(int rows, int elementsPerRow, RowRange body) {
        long work = (long) rows * elementsPerRow;
        int helpers = available();
        long most = helpers == 1 ? 1 : Math.max(1, work / ELEMENTS_PER_TASK);
        int count = (int) Math.min(Math.min(rows, 4L * helpers), most);
        parallelFor(count, (i, scratch) -> {
            int from = (int) ((long) rows * i / count);
            int to = (int) ((long) rows * (i + 1) / count);
            body.run(from, to, scratch);
        });
    }

    private Scratch borrow() {
        Scratch scratch = idle.poll();
        return scratch == null ? new Scratch() : scratch;
    }

    private void post(Loop loop) {
        synchronized (loops) {
            if (closed) {
                return;
            }
            loops.addLast(loop);
            posted++;
            loops.notifyAll();
        }
    }

    private void withdraw(Loop loop) {
        synchronized (loops) {
            loops.remove(loop);
        }
    }

    private void work(int number) {
        Scratch scratch = new Scratch();
        while (true) {
            Loop loop = next(number);
            if (loop == null) {
                return;
            }
            while (mayHelp(number, loop) && loop.step(scratch)) {
                // Whether it may continue is checked before every step.
            }
        }
    }

    /// Whether member `number` of the group, counted from 1, may help with a loop.
    private boolean mayHelp(int number, Loop loop) {
        return loop.forAll || number <= free();
    }

    private @Nullable Loop next(int number) {
        int seen = posted;
        for (int i = 0; i < SPINS && posted == seen && !closed; i++) {
            Thread.onSpinWait();
        }
        synchronized (loops) {
            while (true) {
                for (Loop loop : loops) {
                    if (loop.hasMore() && mayHelp(number, loop)) {
                        return loop;
                    }
                }
                if (closed) {
                    return null;
                }
                try {
                    loops.wait();
                } catch (InterruptedException e) {
                    // No caller has access to these threads: an interrupt has no meaning here.
                    continue;
                }
            }
        }
    }

    /// Stops the threads once they have nothing left to do.
    @Override
    public void close() {
        synchronized (loops) {
            closed = true;
            loops.notifyAll();
        }
    }

    private static final class Loop {
        private final int tasks;
        private final Task task;
        private final boolean forAll;
        private final AtomicInteger next = new AtomicInteger();
        private final AtomicInteger unfinished;
        private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        private final Thread caller = Thread.currentThread();

        Loop(int tasks, Task task, boolean forAll) {
            this.tasks = tasks;
            this.task = task;
            this.forAll = forAll;
            this.unfinished = new AtomicInteger(tasks);
        }

        boolean hasMore() {
            return next.get() < tasks;
        }

        void run(Scratch scratch) {
            while (step(scratch)) {
                // Until no index is left.
            }
        }

        /// Runs the task for the next index, unless there is none left.
        boolean step(Scratch scratch) {
            int index = hasMore() ? next.getAndIncrement() : tasks;
            if (index >= tasks) {
                return false;
            }
            try {
                if (failure.get() == null) {
                    task.run(index, scratch);
                }
            } catch (RuntimeException | Error e) {
                failure.compareAndSet(null, e);
            } finally {
                if (unfinished.decrementAndGet() == 0) {
                    LockSupport.unpark(caller);
                }
            }
            return true;
        }

        void await() {
            for (int i = 0; i < SPINS && unfinished.get() > 0; i++) {
                Thread.onSpinWait();
            }
            while (unfinished.get() > 0) {
                if (caller.isInterrupted()) {
                    // Parking would return at once. Threads of the same call check the interrupt
                    // status, so it stays set.
                    Thread.yield();
                } else {
                    LockSupport.park(this);
                }
            }
        }

        void rethrow() {
            switch (failure.get()) {
                case null -> {}
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                case Throwable e -> throw new IllegalStateException(e);
            }
        }
    }
}
