package io.github.sgpt4j.jmh;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleBinaryOperator;

/// Times several implementations alternately, A B, B A, A B, …, so that disturbances on the machine affect all alike.
///
/// @param rounds number of turns of each
/// @param warmUpSeconds minimum time that each runs before the first round
/// @param turnSeconds minimum time of a turn
record Rounds(int rounds, double warmUpSeconds, double turnSeconds) {
    /// A pause in which spinning threads of the previous contender go to sleep.
    private static final long PAUSE_MILLIS = 150;

    /// An implementation to be timed.
    ///
    /// @param library name of the library
    record Contender(String library, Runnable body) {}

    /// Seconds per call, one for each round.
    record Times(String library, double[] seconds) {
        double median() {
            return Rounds.median(seconds);
        }
    }

    /// What is measured.
    @FunctionalInterface
    interface Clock {
        /// Time that passes everywhere alike.
        Clock WALL = contender -> System.nanoTime() / 1e9;

        /// Seconds up to now.
        ///
        /// @param contender index of the contender whose turn begins or ends
        double seconds(int contender);
    }

    List<Times> measure(List<Contender> contenders) {
        return measure(contenders, List.of(Clock.WALL)).getFirst();
    }

    /// Measures the same turns with several clocks.
    ///
    /// @return for each clock the times of all contenders
    List<List<Times>> measure(List<Contender> contenders, List<Clock> clocks) {
        List<List<Times>> times = new ArrayList<>();
        for (int clock = 0; clock < clocks.size(); clock++) {
            times.add(contenders.stream()
                    .map(contender -> new Times(contender.library(), new double[rounds]))
                    .toList());
        }
        for (int i = 0; i < contenders.size(); i++) {
            turn(contenders, i, warmUpSeconds, clocks);
        }
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < contenders.size(); i++) {
                int who = round % 2 == 0 ? i : contenders.size() - 1 - i;
                double[] seconds = turn(contenders, who, turnSeconds, clocks);
                for (int clock = 0; clock < seconds.length; clock++) {
                    times.get(clock).get(who).seconds()[round] = seconds[clock];
                }
            }
        }
        return times;
    }

    private static double[] turn(List<Contender> contenders, int who, double least, List<Clock> clocks) {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Runnable body = contenders.get(who).body();
        double[] starts =
                clocks.stream().mapToDouble(clock -> clock.seconds(who)).toArray();
        double start = Clock.WALL.seconds(who);
        int calls = 0;
        do {
            body.run();
            calls++;
        } while (Clock.WALL.seconds(who) - start < least);
        double[] perCall = new double[starts.length];
        for (int clock = 0; clock < starts.length; clock++) {
            perCall[clock] = (clocks.get(clock).seconds(who) - starts[clock]) / calls;
        }
        return perCall;
    }

    /// Applies a function to the seconds of both in each round.
    static double[] ratios(Times one, Times other, DoubleBinaryOperator function) {
        double[] ratios = new double[one.seconds().length];
        Arrays.setAll(ratios, r -> function.applyAsDouble(one.seconds()[r], other.seconds()[r]));
        return ratios;
    }

    static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
