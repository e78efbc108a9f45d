package io.github.sgpt4j.inference;

import io.github.sgpt4j.call.Cancellation;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/// Hands batches to several threads, until one of them fails or the call is cancelled.
public final class BatchSource<B> {
    /// A limit of tokens in progress on one device at the same time.
    static final class Room {
        private final long tokens;
        private long used;

        /// @param tokens maximum tokens; a larger batch runs alone
        Room(long tokens) {
            this.tokens = tokens;
        }

        private boolean takes(long more) {
            return used == 0 || used + more <= tokens;
        }
    }

    /// A batch and its number of tokens, which take up room until [#done].
    record Taken<B>(B batch, long tokens) {}

    private final Iterator<B> batches;
    private final ToLongFunction<B> tokens;
    private final Cancellation cancellation;
    /// Threads waiting for room.
    private final Set<Thread> waiting = new HashSet<>();
    private @Nullable B following;
    private boolean stopped;
    private Optional<Throwable> failure = Optional.empty();

    /// @param batches used by one thread at a time
    /// @param tokens number of tokens of a batch
    /// @param cancellation of the call, checked before each batch
    BatchSource(Iterator<B> batches, ToLongFunction<B> tokens, Cancellation cancellation) {
        this.batches = batches;
        this.tokens = tokens;
        this.cancellation = cancellation;
    }

    /// The next batch, once there is room for it; empty if there are no more.
    Optional<Taken<B>> next(Room room) {
        while (true) {
            cancellation.check();
            synchronized (this) {
                B batch = peek();
                if (batch == null) {
                    return Optional.empty();
                }
                if (room.takes(tokens.applyAsLong(batch))) {
                    return Optional.of(take(batch, room));
                }
                waiting.add(Thread.currentThread());
            }
            // Unlike wait(), this keeps the interrupt status, which other threads check.
            LockSupport.park(this);
        }
    }

    private void awaken() {
        waiting.forEach(LockSupport::unpark);
        waiting.clear();
    }

    /// The next batch if there is room for it now.
    synchronized Optional<Taken<B>> poll(Room room) {
        B batch = peek();
        return batch == null || !room.takes(tokens.applyAsLong(batch))
                ? Optional.empty()
                : Optional.of(take(batch, room));
    }

    /// Whether all batches have been handed out, or one has failed.
    synchronized boolean isEmpty() {
        return peek() == null;
    }

    private @Nullable B peek() {
        if (stopped) {
            return null;
        }
        if (following == null && batches.hasNext()) {
            following = batches.next();
        }
        return following;
    }

    private Taken<B> take(B batch, Room room) {
        following = null;
        Taken<B> taken = new Taken<>(batch, tokens.applyAsLong(batch));
        room.used += taken.tokens();
        return taken;
    }

    /// Releases the room of a finished batch.
    synchronized void done(Taken<B> taken, Room room) {
        room.used -= taken.tokens();
        awaken();
    }

    /// Stops handing out batches.
    synchronized void fail(Throwable thrown) {
        stopped = true;
        awaken();
        if (failure.isEmpty()) {
            failure = Optional.of(thrown);
        } else if (!failure.get().equals(thrown)) {
            failure.get().addSuppressed(thrown);
        }
    }

    /// Throws the first failure passed to [#fail].
    synchronized void throwFailure() {
        if (failure.isPresent()) {
            switch (failure.get()) {
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                case Throwable e -> throw new IllegalStateException(e);
            }
        }
    }
}
