package io.github.sgpt4j.cli.progress;

import java.util.ArrayDeque;
import java.util.Deque;

/// The rate of progress over the last half minute: items skipped quickly at the beginning say nothing about the rest.
public final class Pace {
    private static final double WINDOW_SECONDS = 30;

    private final Deque<Sample> samples = new ArrayDeque<>();

    private record Sample(double seconds, long value) {}

    /// @param seconds the time, not before that of the previous call
    public void add(double seconds, long value) {
        samples.addLast(new Sample(seconds, value));
        while (samples.size() > 2 && seconds - samples.getFirst().seconds() > WINDOW_SECONDS) {
            samples.removeFirst();
        }
    }

    /// The rate; 0 while it is unknown.
    public double perSecond() {
        if (samples.size() < 2) {
            return 0;
        }
        double seconds = samples.getLast().seconds() - samples.getFirst().seconds();
        long grown = samples.getLast().value() - samples.getFirst().value();
        return seconds > 0 ? Math.max(0, grown / seconds) : 0;
    }
}
