package io.github.sgpt4j.jmh;

import io.github.sgpt4j.jmh.Rounds.Contender;
import io.github.sgpt4j.jmh.Rounds.Times;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The report's section on whether 8-bit weights would pay off, on one thread.
final class Int8Report {
    private static final int MEGAFLOATS = 85;

    /// Runs of a tile per timed call, since one takes only microseconds.
    private static final int REPEATS = 1000;

    private final Rounds rounds;
    private final ReportTable table;

    Int8Report(Rounds rounds, ReportTable table) {
        this.rounds = rounds;
        this.table = table;
    }

    void print() {
        table.heading("8-bit weights, one thread", "Loop", "Gop/s", "÷ fp32: median (min – max)");
        rows(Arrays.stream(Int8Study.Kind.values())
                .map(kind -> Int8Study.tile(kind).repeated(REPEATS))
                .toList());
        for (int rows : new int[] {1, 16}) {
            try (Arena arena = Arena.ofShared()) {
                List<Int8Study.Loop> loops = new ArrayList<>();
                for (int bits : new int[] {32, 16, 8}) {
                    loops.add(Int8Study.stream(arena, bits, rows, MEGAFLOATS));
                }
                rows(loops);
            }
        }
    }

    private void rows(List<Int8Study.Loop> loops) {
        List<Times> times = rounds.measure(loops.stream()
                .map(loop -> new Contender(loop.name(), loop.body()))
                .toList());
        for (int i = 0; i < loops.size(); i++) {
            Int8Study.Loop loop = loops.get(i);
            double first = loops.getFirst().operations();
            table.row(
                    loop.name(),
                    ReportTable.number(loop.operations() / times.get(i).median() / 1e9),
                    ReportTable.spread(Rounds.ratios(
                            times.getFirst(), times.get(i), (base, own) -> loop.operations() / own / (first / base))));
        }
    }
}
