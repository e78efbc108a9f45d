package io.github.sgpt4j.cli.progress;

import java.util.ArrayDeque;
import java.util.Deque;

/// How fast something grows, as of the last half minute: what was passed over quickly at the beginning says
/// nothing about the rest.
public final class Pace {
    private static final double WINDOW_SECONDS = 30;

    private final Deque<Sample> samples = new ArrayDeque<>();

    private record Sample(double seconds, long value) {}

    /// @param seconds the time, not before that of the call before
    public void add(double seconds, long value) {
        samples.addLast(new Sample(seconds, value));
        while (samples.size() > 2 && seconds - samples.getFirst().seconds() > WINDOW_SECONDS) {
            samples.removeFirst();
        }
    }

    /// 0 while nothing can be said.
    public double perSecond() {
        if (samples.size() < 2) {
            return 0;
        }
        double seconds = samples.getLast().seconds() - samples.getFirst().seconds();
        long grown = samples.getLast().value() - samples.getFirst().value();
        return seconds > 0 ? Math.max(0, grown / seconds) : 0;
    }
}
