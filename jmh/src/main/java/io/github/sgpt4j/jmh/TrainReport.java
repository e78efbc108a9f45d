package io.github.sgpt4j.jmh;

import io.github.sgpt4j.jmh.ReportTable.Unit;
import io.github.sgpt4j.jmh.Rounds.Clock;
import io.github.sgpt4j.jmh.Rounds.Contender;
import io.github.sgpt4j.jmh.Rounds.Times;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/// Speed and memory of training: the embeddings of texts and, for a loss of them, the gradients of all biases (BitFit).
///
/// A step goes through each batch once, forward and backward. A loss that compares texts of different batches needs, in
/// addition, a second forward pass or memory for the activations of all batches; that holds for all libraries.
final class TrainReport {
    private static final com.sun.management.OperatingSystemMXBean SYSTEM =
            (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    /// Texts whose activations are measured, the longest ones.
    private static final int KEPT_TEXTS = 32;

    /// Texts whose gradients are compared, a query first.
    private static final int CHECKED_TEXTS = 4;

    private final Rounds rounds;
    private final ReportTable table;
    private final ModelShape shape;
    private final Path checkpoint;
    private final List<String> texts;

    TrainReport(Rounds rounds, ReportTable table, ReportOptions options) {
        this.rounds = rounds;
        this.table = table;
        this.shape = options.shape();
        this.checkpoint = RandomCheckpoint.directory(shape);
        this.texts = Texts.triples(options.quick() ? 64 : 256);
    }

    /// A library that agrees with ours.
    private record Side(String library, Peer.Trainer trainer) {}

    /// @return a sentence for each library that was left out, and one about the texts
    List<String> print(List<Peer> libraries) {
        List<String> notes = new ArrayList<>();
        int[] tokens = Checked.tokens(checkpoint, texts);
        int sum = Arrays.stream(tokens).sum();
        notes.add(String.format(
                Locale.ROOT,
                "Texts for training: %d, every third a query; queries have %.1f tokens on average, passages %.1f (at most"
                        + " %d)",
                texts.size(),
                mean(tokens, i -> i % 3 == 0),
                mean(tokens, i -> i % 3 != 0),
                Arrays.stream(tokens).max().orElse(0)));
        List<Side> sides = open(libraries, notes);
        memory(sides);
        speed(sides, sum);
        sides.forEach(side -> side.trainer().close());
        return notes;
    }

    private static double mean(int[] tokens, IntPredicate chosen) {
        return IntStream.range(0, tokens.length)
                .filter(chosen)
                .map(i -> tokens[i])
                .average()
                .orElse(0);
    }

    private List<Side> open(List<Peer> libraries, List<String> notes) {
        List<Side> sides = new ArrayList<>();
        for (Peer library : libraries) {
            try {
                sides.add(new Side(
                        library.name(), Checked.trainer(library, shape, checkpoint, texts.subList(0, CHECKED_TEXTS))));
            } catch (UnsupportedOperationException e) {
                continue; // The library does not train.
            } catch (RuntimeException | LinkageError e) {
                notes.add("%s left out of training: %s".formatted(library.name(), e));
            }
        }
        return sides;
    }

    /// Before anything large is computed, as [OwnTrainer#keptBytes] requires.
    private void memory(List<Side> sides) {
        List<String> longest = texts.stream()
                .sorted(Comparator.comparingInt(String::length).reversed())
                .limit(KEPT_TEXTS)
                .toList();
        int tokens = Arrays.stream(Checked.tokens(checkpoint, longest)).sum();
        table.heading("Training: memory kept between forward and backward", "Library", "Tokens", "MB", "kB per token");
        for (Side side : sides) {
            double bytes = side.trainer().keptBytes(longest);
            table.row(
                    side.library(),
                    ReportTable.count(tokens),
                    ReportTable.number(bytes / 1e6),
                    ReportTable.number(bytes / tokens / 1e3));
        }
    }

    private void speed(List<Side> sides, int tokens) {
        float[][] directions = Checked.directions(texts.size(), shape.hidden());
        List<Contender> contenders = sides.stream()
                .map(side -> new Contender(side.library(), () -> side.trainer().step(texts, directions)))
                .toList();
        List<List<Times>> times = rounds.measure(
                contenders,
                List.of(
                        Clock.WALL,
                        contender -> sides.get(contender).trainer().backwardSeconds(),
                        contender -> SYSTEM.getProcessCpuTime() / 1e9));
        table.heading(
                "Training: speed", "Question", "Unit", "Ours", "Peer", "Its value", "Ours ÷ peer: median (min – max)");
        Unit rate = new Unit("tokens/s", tokens);
        rows("Forward and backward", rate, times.get(0));
        rows("Backward alone", rate, times.get(1));
        rows("Tokenizer and forward alone", rate, difference(times.get(0), times.get(1)));
        rows("Forward and backward", new Unit("tokens per second of processor time", tokens), times.get(2));
    }

    private static List<Times> difference(List<Times> whole, List<Times> part) {
        List<Times> rest = new ArrayList<>();
        for (int i = 0; i < whole.size(); i++) {
            rest.add(new Times(whole.get(i).library(), Rounds.ratios(whole.get(i), part.get(i), (a, b) -> a - b)));
        }
        return rest;
    }

    private void rows(String question, Unit unit, List<Times> times) {
        Times ours = times.getFirst();
        if (times.size() == 1) {
            table.row(question, unit.name(), value(unit, ours), ReportTable.NONE, ReportTable.NONE, ReportTable.NONE);
        }
        for (Times peer : times.subList(1, times.size())) {
            double[] ratios = Rounds.ratios(ours, peer, (own, other) -> unit.value(own) / unit.value(other));
            table.row(
                    question,
                    unit.name(),
                    value(unit, ours),
                    peer.library(),
                    value(unit, peer),
                    ReportTable.spread(ratios));
        }
    }

    private static String value(Unit unit, Times times) {
        return ReportTable.number(unit.value(times.median()));
    }
}
