package io.github.sgpt4j.training.step;

import io.github.sgpt4j.error.CancelledException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/// Work on several devices at the same time, each with a thread of its own; on a single one with the caller's.
public final class DeviceWork {
    private final IntConsumer share;
    private final List<Thread> threads;
    private final List<Optional<Throwable>> failures = new ArrayList<>();

    private DeviceWork(int devices, IntConsumer share) {
        this.share = share;
        threads = IntStream.range(0, devices)
                .mapToObj(device -> Thread.ofPlatform()
                        .daemon()
                        .name("sgpt4j-train-" + device)
                        .unstarted(() -> attempt(device, () -> share.accept(device))))
                .toList();
        threads.forEach(_ -> failures.add(Optional.empty()));
    }

    /// Does the share of each device, and returns when all have ended. A failure ends the others, as does an interrupt
    /// of
    /// the calling thread, whose status stays set.
    ///
    /// @param share gets the number of a device
    /// @throws RuntimeException that of the first device that failed by itself
    /// @throws CancelledException if this thread is interrupted
    public static void each(int devices, IntConsumer share) {
        if (devices == 1) {
            share.accept(0);
            return;
        }
        if (Thread.currentThread().isInterrupted()) {
            throw new CancelledException("training was interrupted");
        }
        new DeviceWork(devices, share).run();
    }

    private void run() {
        for (int device = 0; device < threads.size(); device++) {
            Thread thread = threads.get(device);
            // The system may be out of threads.
            attempt(device, thread::start);
        }
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                    threads.forEach(Thread::interrupt);
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        throwFailure();
    }

    private void attempt(int device, Runnable work) {
        try {
            work.run();
        } catch (RuntimeException | Error e) {
            synchronized (failures) {
                failures.set(device, Optional.of(e));
            }
            threads.forEach(Thread::interrupt);
        }
    }

    private void throwFailure() {
        List<Throwable> all;
        synchronized (failures) {
            all = failures.stream().flatMap(Optional::stream).toList();
        }
        Optional<Throwable> own = all.stream()
                .filter(failure -> !(failure instanceof CancelledException))
                .findFirst();
        switch (own.or(() -> all.stream().findFirst()).orElse(null)) {
            case null -> {
                // All is done.
            }
            case Error e -> throw e;
            case RuntimeException e -> throw e;
            case Throwable e -> throw new IllegalStateException(e);
        }
    }
}
