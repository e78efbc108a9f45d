package io.github.sgpt4j.spark.partition;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.error.CancelledException;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;

/// The engines of a virtual machine: one for each [EngineSettings], opened when it is first needed and
/// shared by all tasks with these settings.
///
/// An engine that no task uses stays open for the next task. It is closed when an engine with other
/// settings is opened, so that a machine need not hold the models of earlier stages, and when the
/// virtual machine ends. Safe to share between threads.
public final class Engines {
    private static final Engines OF_THIS_JVM = ofThisJvm();

    private final ReentrantLock lock = new ReentrantLock();
    private final Map<EngineSettings, Shared> open = new HashMap<>();
    private long opened;

    Engines() {}

    private static Engines ofThisJvm() {
        Engines engines = new Engines();
        Runtime.getRuntime().addShutdownHook(new Thread(engines::closeIdle, "sgpt4j-engines"));
        return engines;
    }

    /// Those that tasks share.
    public static Engines shared() {
        return OF_THIS_JVM;
    }

    /// An engine and the number of tasks that use it.
    private static final class Shared {
        private final Engine engine;
        private int users;

        Shared(Engine engine) {
            this.engine = engine;
        }
    }

    /// A task's use of an engine, until it is closed. Closing it again does nothing.
    public final class Lease implements AutoCloseable {
        private final Shared shared;
        private final AtomicBoolean closed = new AtomicBoolean();

        private Lease(Shared shared) {
            this.shared = shared;
        }

        /// Embeds; borrowed until the lease is closed.
        ///
        /// @throws IllegalStateException if the lease is closed
        public BiEncoder biEncoder() {
            return engine().biEncoder();
        }

        /// Scores; borrowed until the lease is closed.
        ///
        /// @throws io.github.sgpt4j.error.SgptException if the model cannot score
        /// @throws IllegalStateException if the lease is closed
        public CrossEncoder crossEncoder() {
            return engine().crossEncoder();
        }

        private Engine engine() {
            if (closed.get()) {
                throw new IllegalStateException("lease of an engine: it is closed");
            }
            return shared.engine;
        }

        @Override
        public void close() {
            if (closed.compareAndSet(false, true)) {
                lock.lock();
                try {
                    shared.users--;
                } finally {
                    lock.unlock();
                }
            }
        }
    }

    /// Starts to use the engine with some settings, and opens it if it is not open. Other tasks that
    /// need an engine wait meanwhile.
    ///
    /// @return to be closed by the caller
    /// @throws io.github.sgpt4j.error.SgptException if the model cannot be opened
    /// @throws CancelledException if the thread is interrupted
    public Lease use(EngineSettings settings) {
        try {
            lock.lockInterruptibly();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancelledException("opening an engine was cancelled: the calling thread was interrupted");
        }
        try {
            Shared shared = open.get(settings);
            if (shared == null) {
                closeIdle();
                shared = new Shared(Engine.open(settings));
                open.put(settings, shared);
                opened++;
            }
            shared.users++;
            return new Lease(shared);
        } finally {
            lock.unlock();
        }
    }

    /// Closes the engines that no task uses.
    public void closeIdle() {
        lock.lock();
        try {
            Iterator<Shared> all = open.values().iterator();
            while (all.hasNext()) {
                Shared shared = all.next();
                if (shared.users == 0) {
                    all.remove();
                    shared.engine.close();
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /// Number of engines that are open now.
    public int size() {
        lock.lock();
        try {
            return open.size();
        } finally {
            lock.unlock();
        }
    }

    /// Number of engines that were ever opened.
    public long opened() {
        lock.lock();
        try {
            return opened;
        } finally {
            lock.unlock();
        }
    }
}
