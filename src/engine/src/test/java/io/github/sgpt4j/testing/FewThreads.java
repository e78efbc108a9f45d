package io.github.sgpt4j.testing;

import java.util.concurrent.Executor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/// A system with a limited number of threads: starting one more fails like in the virtual machine.
public final class FewThreads implements ThreadFactory, Executor {
    private final AtomicInteger left;

    public FewThreads(int threads) {
        left = new AtomicInteger(threads);
    }

    @Override
    public Thread newThread(Runnable work) {
        Thread thread = new Thread(work, "few") {
            @Override
            public void start() {
                if (left.getAndDecrement() <= 0) {
                    throw new OutOfMemoryError("unable to create native thread: for a test");
                }
                super.start();
            }
        };
        thread.setDaemon(true);
        return thread;
    }

    @Override
    public void execute(Runnable work) {
        newThread(work).start();
    }
}
