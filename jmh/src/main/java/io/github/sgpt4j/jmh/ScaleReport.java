package io.github.sgpt4j.jmh;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.Pooling;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.jmh.Rounds.Contender;
import io.github.sgpt4j.jmh.Rounds.Times;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;

/// Shows how cost and memory grow with the number of texts, their length and the token budget.
///
/// The number of texts is varied with the smallest shape, where overhead is most visible.
final class ScaleReport {
    private static final int[] TEXTS = {1_000, 10_000, 100_000};
    private static final int[] LENGTHS = {25, 50, 100, 150, 200, 250, 300};
    /// What the CPU computes at a time by default.
    private static final int BATCH_TOKENS = 4096;

    private static final int[] BUDGETS = {1024, 4096, 16_384};
    /// Number of texts for the comparison of budgets.
    private static final int MANY = 10_000;

    private static final int HEADER_BYTES = 16;
    private static final int REFERENCE_BYTES = 4;

    private final Rounds rounds;
    private final ReportTable table;
    private final ReportOptions options;

    ScaleReport(Rounds rounds, ReportTable table, ReportOptions options) {
        this.rounds = rounds;
        this.table = table;
        this.options = options;
    }

    void print() {
        Path small = RandomCheckpoint.directory(ModelShape.TINY);
        try (Model model = Ours.openModel(small, Settings.threads(), Dtype.FP32)) {
            byTexts(small, model);
            byBudget(small, model);
        }
        try (Model model =
                Ours.openModel(RandomCheckpoint.directory(options.shape()), Settings.threads(), Dtype.FP32)) {
            byLength(model);
        }
    }

    private static BiEncoder encoder(Model model, int maxTokens, int budget) {
        return BiEncoder.of(
                model,
                BiEncoderOptions.DEFAULT
                        .withPooling(Pooling.WEIGHTEDMEAN)
                        .withMaxLength(maxTokens)
                        .withBatchTokens(budget));
    }

    /// Texts, with the bytes of their ids and result vectors.
    private record Work(List<String> texts, long tokens, long idBytes, long vectorBytes) {
        static Work of(List<String> texts, Path checkpoint, int dimension) {
            int[] lengths = Checked.tokens(checkpoint, texts);
            long tokens = 0;
            long idBytes = 0;
            for (int length : lengths) {
                tokens += length;
                idBytes += REFERENCE_BYTES + arrayBytes(length);
            }
            return new Work(texts, tokens, idBytes, REFERENCE_BYTES + arrayBytes(dimension));
        }

        /// Size of an `int[]` or `float[]`, rounded up to eight bytes.
        private static long arrayBytes(int length) {
            return (HEADER_BYTES + 4L * length + 7) / 8 * 8;
        }

        long resultBytes() {
            return idBytes + texts.size() * vectorBytes;
        }
    }

    private void byTexts(Path checkpoint, Model model) {
        BiEncoder encoder = encoder(model, Settings.DOCUMENT_TOKENS, BATCH_TOKENS);
        int[] counts = options.quick() ? Arrays.copyOf(TEXTS, 2) : TEXTS;
        List<String> all = Texts.generated(counts[counts.length - 1]);
        List<Work> works = new ArrayList<>();
        for (int count : counts) {
            works.add(Work.of(all.subList(0, count), checkpoint, encoder.dimension()));
        }
        // The largest number takes so long that one warm-up and three turns are enough.
        Rounds few = new Rounds(Math.min(3, rounds.rounds()), rounds.warmUpSeconds(), rounds.turnSeconds());
        List<Times> times = few.measure(works.stream()
                .map(work -> new Contender(ReportTable.count(work.texts().size()), () -> encoder.embed(work.texts())))
                .toList());
        table.heading(
                "Cost and memory by number of texts (%s, budget %d tokens)".formatted(ModelShape.TINY, BATCH_TOKENS),
                "Texts",
                "Tokens",
                "µs per text",
                "÷ %s texts: median (min – max)".formatted(ReportTable.count(TEXTS[0])),
                "Bytes allocated per text",
                "of these, ids and vector",
                "others per token",
                "Largest live heap beyond vectors, MB");
        for (int i = 0; i < works.size(); i++) {
            row(checkpoint, encoder, works.get(i), times.get(i), times.getFirst());
        }
    }

    private void row(Path checkpoint, BiEncoder encoder, Work work, Times times, Times first) {
        int count = work.texts().size();
        long allocated = Footprint.allocated(() -> encoder.embed(work.texts()));
        table.row(
                ReportTable.count(count),
                ReportTable.count(work.tokens()),
                ReportTable.number(times.median() / count * 1e6),
                ReportTable.spread(Rounds.ratios(times, first, (own, base) -> own / count / (base / TEXTS[0]))),
                ReportTable.number((double) allocated / count),
                ReportTable.number((double) work.resultBytes() / count),
                ReportTable.number((double) (allocated - work.resultBytes()) / work.tokens()),
                ReportTable.number(largestLive(checkpoint, BATCH_TOKENS, work) / 1e6));
    }

    /// The largest live heap, without finished vectors. Opens the model anew: otherwise, arrays that its
    /// backend keeps from earlier work would already be live at the start.
    private static long largestLive(Path checkpoint, int budget, Work work) {
        try (Model model = Ours.openModel(checkpoint, Settings.threads(), Dtype.FP32)) {
            BiEncoder encoder = encoder(model, Settings.DOCUMENT_TOKENS, budget);
            AtomicLong done = new AtomicLong();
            return Footprint.largestLive(
                    () -> {
                        done.set(0);
                        encoder.embed(work.texts(), TextKind.TEXT, (texts, of) -> done.set(texts));
                    },
                    () -> done.get() * work.vectorBytes());
        }
    }

    private void byBudget(Path checkpoint, Model model) {
        List<String> texts = Texts.generated(MANY);
        List<BiEncoder> encoders = new ArrayList<>();
        for (int budget : BUDGETS) {
            encoders.add(encoder(model, Settings.DOCUMENT_TOKENS, budget));
        }
        Work work = Work.of(texts, checkpoint, encoders.getFirst().dimension());
        List<Times> times = rounds.measure(encoders.stream()
                .map(encoder -> new Contender("ours", () -> encoder.embed(texts)))
                .toList());
        table.heading(
                "Memory by token budget (%s, %s texts)".formatted(ModelShape.TINY, ReportTable.count(MANY)),
                "Tokens per batch",
                "µs per text",
                "÷ %d tokens: median (min – max)".formatted(BUDGETS[0]),
                "Largest live heap beyond vectors, MB");
        for (int i = 0; i < BUDGETS.length; i++) {
            table.row(
                    ReportTable.count(BUDGETS[i]),
                    ReportTable.number(times.get(i).median() / MANY * 1e6),
                    ReportTable.spread(Rounds.ratios(times.get(i), times.getFirst(), (o, base) -> o / base)),
                    ReportTable.number(largestLive(checkpoint, BUDGETS[i], work) / 1e6));
        }
    }

    private void byLength(Model model) {
        int tokens = options.quick() ? 1500 : 6000;
        List<Contender> contenders = new ArrayList<>();
        List<BiEncoder> encoders = new ArrayList<>();
        List<List<String>> texts = new ArrayList<>();
        for (int length : LENGTHS) {
            BiEncoder encoder = encoder(model, length, BATCH_TOKENS);
            List<String> own = Texts.longDocuments(tokens / length);
            encoders.add(encoder);
            texts.add(own);
            contenders.add(new Contender(Integer.toString(length), () -> encoder.embed(own)));
        }
        List<Times> times = rounds.measure(contenders);
        table.heading(
                "Cost by length (%s, %s tokens in all)".formatted(options.shape(), ReportTable.count(tokens)),
                "Tokens per text",
                "µs per token",
                "÷ %d tokens: median (min – max)".formatted(LENGTHS[0]),
                "the same for floating-point operations",
                "Bytes allocated per token, including ids and vectors");
        for (int i = 0; i < LENGTHS.length; i++) {
            int length = LENGTHS[i];
            BiEncoder encoder = encoders.get(i);
            List<String> own = texts.get(i);
            double all = (double) length * own.size();
            double firstAll = (double) LENGTHS[0] * texts.getFirst().size();
            double flops = (double) options.shape().flops(length) / length;
            double firstFlops = (double) options.shape().flops(LENGTHS[0]) / LENGTHS[0];
            table.row(
                    Integer.toString(length),
                    ReportTable.number(times.get(i).median() / all * 1e6),
                    ReportTable.spread(
                            Rounds.ratios(times.get(i), times.getFirst(), (o, base) -> o / all / (base / firstAll))),
                    String.format(Locale.ROOT, "%.2f", flops / firstFlops),
                    ReportTable.number(Footprint.allocated(() -> encoder.embed(own)) / all));
        }
    }
}
