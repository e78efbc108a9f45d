package io.github.sgpt4j.weightstools.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The body of a response as a stream that gives up when no byte, or too few bytes, arrive for a while.
/// Holds only a few pieces of the body at a time. Connection failures are [TransientException]s.
final class BodyStream extends InputStream implements HttpResponse.BodySubscriber<BodyStream> {
    private sealed interface Event {
        record Data(List<ByteBuffer> buffers) implements Event {}

        record Failed(Throwable failure) implements Event {}

        record Ended() implements Event {}
    }

    private static final int PIECES_AHEAD = 4;

    private final Duration timeout;
    private final RateFloor floor;
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final Deque<ByteBuffer> pending = new ArrayDeque<>();
    private final CompletableFuture<Flow.Subscription> subscription = new CompletableFuture<>();
    private @Nullable Event last;
    private RateFloor.@Nullable Meter meter;

    /// @param timeout longest time without a byte
    /// @param floor ends transfers that are too slow
    BodyStream(Duration timeout, RateFloor floor) {
        this.timeout = timeout;
        this.floor = floor;
    }

    @Override
    public CompletionStage<BodyStream> getBody() {
        return CompletableFuture.completedStage(this);
    }

    @Override
    public void onSubscribe(Flow.Subscription given) {
        if (subscription.complete(given)) {
            given.request(PIECES_AHEAD);
        } else {
            given.cancel();
        }
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
        events.add(new Event.Data(buffers));
    }

    @Override
    public void onError(Throwable failure) {
        events.add(new Event.Failed(failure));
    }

    @Override
    public void onComplete() {
        events.add(new Event.Ended());
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        RateFloor.Meter measured = meter;
        if (measured == null) {
            measured = floor.start();
            meter = measured;
        }
        int count = take(bytes, offset, length);
        if (count > 0) {
            measured.add(count);
        }
        return count;
    }

    private int take(byte[] bytes, int offset, int length) throws IOException {
        while (length > 0 && pending.isEmpty()) {
            if (last == null) {
                last = next();
            }
            switch (last) {
                case Event.Data data -> {
                    data.buffers().stream().filter(ByteBuffer::hasRemaining).forEach(pending::add);
                    last = null;
                    subscription.thenAccept(s -> s.request(1));
                }
                case Event.Failed failed -> throw broken(failed.failure());
                case Event.Ended _ -> {
                    return -1;
                }
            }
        }
        if (length == 0) {
            return 0;
        }
        ByteBuffer buffer = pending.getFirst();
        int count = Math.min(length, buffer.remaining());
        buffer.get(bytes, offset, count);
        if (!buffer.hasRemaining()) {
            pending.removeFirst();
        }
        return count;
    }

    private Event next() throws IOException {
        try {
            Event event = events.poll(timeout.toMillis(), TimeUnit.MILLISECONDS);
            if (event == null) {
                throw new TransientException("no byte arrived for %d seconds".formatted(timeout.toSeconds()));
            }
            return event;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Retries.interrupted(e);
        }
    }

    private static TransientException broken(Throwable failure) {
        return new TransientException("the connection broke: " + failure.getMessage(), failure);
    }

    /// Reads the rest if it is short and arrives soon, so that the connection can be reused, and
    /// closes.
    void discard(int most) throws IOException {
        try (this) {
            long began = System.nanoTime();
            byte[] bytes = new byte[most];
            int left = most;
            int count = 0;
            while (count >= 0 && left > 0 && System.nanoTime() - began < timeout.toNanos()) {
                count = read(bytes, 0, left);
                left -= count;
            }
        }
    }

    @Override
    public void close() {
        if (meter != null) {
            meter.close();
        }
        subscription.thenAccept(Flow.Subscription::cancel);
    }
}
