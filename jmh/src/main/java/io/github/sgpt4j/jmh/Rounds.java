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

    List<Times> measure(List<Contender> contenders) {
        List<Times> times = new ArrayList<>();
        for (Contender contender : contenders) {
            turn(contender, warmUpSeconds);
            times.add(new Times(contender.library(), new double[rounds]));
        }
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < contenders.size(); i++) {
                int who = round % 2 == 0 ? i : contenders.size() - 1 - i;
                times.get(who).seconds()[round] = turn(contenders.get(who), turnSeconds);
            }
        }
        return times;
    }

    private static double turn(Contender contender, double least) {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        long calls = 0;
        long start = System.nanoTime();
        double seconds;
        do {
            contender.body().run();
            calls++;
            seconds = (System.nanoTime() - start) / 1e9;
        } while (seconds < least);
        return seconds / calls;
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
