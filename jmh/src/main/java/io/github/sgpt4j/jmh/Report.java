package io.github.sgpt4j.jmh;

import io.github.sgpt4j.jmh.ReportTable.Unit;
import io.github.sgpt4j.jmh.Rounds.Contender;
import io.github.sgpt4j.jmh.Rounds.Times;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Function;

/// Runs our engine and the other libraries alternately in one process and prints a Markdown table of ratios.
///
/// It measures the same operations as the benchmark classes, with the same code; every library's results are compared
/// with ours before anything is timed.
public final class Report {
    private final ReportOptions options;
    private final Rounds rounds;
    private final ReportTable table = new ReportTable(System.out);
    private final List<Peer> libraries;
    private final List<String> notes = new ArrayList<>();
    private final Path checkpoint;
    private final List<String> documents;
    private final List<String> queries;

    private Report(ReportOptions options) {
        this.options = options;
        this.rounds = new Rounds(options.rounds(), options.quick() ? 1.5 : 6, options.quick() ? 0.3 : 1);
        this.libraries = Peer.all().stream().filter(options::includes).toList();
        this.checkpoint = RandomCheckpoint.directory(options.shape());
        this.documents = Texts.documents(options.quick() ? 24 : 96);
        this.queries = Texts.queries(options.quick() ? 64 : 256);
    }

    public static void main(String[] arguments) {
        Settings.requireVectors();
        new Report(options(arguments)).run();
    }

    private static ReportOptions options(String... arguments) {
        try {
            return ReportOptions.parse(arguments);
        } catch (IllegalArgumentException e) {
            Settings.refuse(Objects.toString(e.getMessage()));
            throw e;
        }
    }

    private void run() {
        int[] tokens = Checked.tokens(checkpoint, documents);
        Machine.facts().forEach(fact -> System.out.println("- " + fact));
        libraries.forEach(library -> System.out.printf("- %s: %s%n", library.name(), library.description()));
        System.out.printf(
                Locale.ROOT,
                "- Model: %s, random fp32 weights, %s, %s%n",
                options.shape(),
                Settings.activation(),
                BenchmarkTokenizer.description());
        System.out.printf(
                Locale.ROOT,
                "- Texts: %d documents of %.0f tokens on average (at most %d), %d queries of %.1f%n%n",
                documents.size(),
                Arrays.stream(tokens).average().orElse(0),
                Settings.DOCUMENT_TOKENS,
                queries.size(),
                Arrays.stream(Checked.tokens(checkpoint, queries)).average().orElse(0));
        if (List.of("embed", "latency", "forward", "score", "matmul", "tokenize", "load").stream()
                .anyMatch(options::wants)) {
            table.questions();
        }
        section("embed", this::embed);
        section("latency", this::latency);
        section("forward", this::forward);
        section("score", this::score);
        section("matmul", this::matmul);
        section("tokenize", this::tokenize);
        section("load", this::load);
        section("train", () -> notes.addAll(new TrainReport(rounds, table, options).print(libraries)));
        section("weights", () -> new WeightsReport(rounds, table, options.shape(), documents, median(queries)).print());
        section("scale", () -> new ScaleReport(rounds, table, options).print());
        System.out.println();
        notes.forEach(note -> System.out.println("- " + note));
    }

    private void section(String name, Runnable body) {
        if (options.wants(name)) {
            System.err.println("jmh/run: " + name + " ...");
            body.run();
        }
    }

    /// The results of all libraries that support an operation; exceptions of others become notes.
    private <T> List<Named<T>> open(Function<Peer, T> opener) {
        List<Named<T>> opened = new ArrayList<>();
        for (Peer library : libraries) {
            try {
                opened.add(new Named<>(library.name(), opener.apply(library)));
            } catch (UnsupportedOperationException e) {
                continue; // The library does not support this.
            } catch (RuntimeException | LinkageError e) {
                notes.add("%s left out: %s".formatted(library.name(), e));
            }
        }
        return opened;
    }

    private record Named<T>(String library, T value) {}

    private <T> List<Times> measure(List<Named<T>> opened, java.util.function.Consumer<T> body) {
        return rounds.measure(opened.stream()
                .map(named -> new Contender(named.library(), () -> body.accept(named.value())))
                .toList());
    }

    private static void closeAll(List<? extends Named<? extends AutoCloseable>> opened) {
        for (Named<? extends AutoCloseable> named : opened) {
            try {
                named.value().close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private List<Named<Peer.Embedder>> embedders() {
        return open(library -> Checked.embedder(library, options.shape(), checkpoint, documents, queries));
    }

    private void embed() {
        List<Named<Peer.Embedder>> opened = embedders();
        int tokens = Arrays.stream(Checked.tokens(checkpoint, documents)).sum();
        List<Times> times = measure(opened, e -> e.embed(documents));
        table.rows("Embed documents", new Unit("texts/s", documents.size()), times);
        table.rows("Embed documents", new Unit("tokens/s", tokens), times.subList(0, 1));
        table.rows("Embed queries", new Unit("texts/s", queries.size()), measure(opened, e -> e.embed(queries)));
        closeAll(opened);
    }

    private void latency() {
        List<Named<Peer.Embedder>> opened = embedders();
        List<String> oneDocument = List.of(median(documents));
        table.rows("Embed one document", Unit.milliseconds(), measure(opened, e -> e.embed(oneDocument)));
        List<String> oneQuery = List.of(median(queries));
        table.rows("Embed one query", Unit.milliseconds(), measure(opened, e -> e.embed(oneQuery)));
        closeAll(opened);
    }

    /// The text of median length.
    private static String median(List<String> texts) {
        return texts.stream()
                .sorted(java.util.Comparator.comparingInt(String::length))
                .toList()
                .get(texts.size() / 2);
    }

    /// Compares the rate of a whole forward pass with that of its matrix products.
    private void forward() {
        List<String> texts = Texts.longDocuments(options.quick() ? 14 : 28);
        int[] tokens = Checked.tokens(checkpoint, texts);
        double flops = Arrays.stream(tokens)
                .mapToDouble(n -> (double) options.shape().flops(n))
                .sum();
        List<Named<Peer.Embedder>> opened = embedders();
        List<Named<LayerProducts>> products =
                open(library -> LayerProducts.open(library, options.shape(), Settings.threads()));
        List<Contender> contenders = new ArrayList<>();
        opened.forEach(
                e -> contenders.add(new Contender(e.library(), () -> e.value().embed(texts))));
        products.forEach(
                p -> contenders.add(new Contender(p.library(), () -> p.value().run())));
        FmaPeak peak = new FmaPeak(Settings.threads());
        contenders.add(new Contender("peak", peak::run));
        List<Times> times = rounds.measure(contenders);
        peak.close();
        List<Times> passes = times.subList(0, opened.size());
        List<Times> rates = times.subList(opened.size(), times.size() - 1);
        Times best = times.getLast();
        double work = products.getFirst().value().flops();
        table.rows(
                "A layer's products, 4096 rows",
                new Unit("GFLOP/s", work / 1e9),
                rates,
                share(work, rates.getFirst(), peak, best));
        table.rows(
                "Embed texts of 300 tokens",
                new Unit("GFLOP/s", flops / 1e9),
                passes,
                share(flops, passes.getFirst(), peak, best));
        table.rows("Independent multiply-adds (FMA peak)", new Unit("GFLOP/s", peak.flops() / 1e9), List.of(best));
        for (Times pass : passes) {
            double[] fractions = new double[pass.seconds().length];
            Arrays.setAll(fractions, r -> {
                double product = rates.stream()
                        .mapToDouble(rate -> work / rate.seconds()[r])
                        .max()
                        .orElse(Double.NaN);
                return flops / pass.seconds()[r] / product;
            });
            notes.add("Whole forward pass of %s on texts of 300 tokens ÷ the best rate of a layer's products: %s"
                    .formatted(pass.library(), ReportTable.spread(fractions)));
        }
        closeAll(opened);
        closeAll(products);
    }

    /// The share of the measured peak that an operation reached.
    private static String share(double flops, Times times, FmaPeak peak, Times best) {
        return ReportTable.spread(Rounds.ratios(times, best, (own, other) -> flops / own / (peak.flops() / other)));
    }

    private void score() {
        List<String> texts = documents.subList(0, Math.min(documents.size(), options.quick() ? 16 : 64));
        String query = median(queries);
        List<Named<Peer.Scorer>> opened =
                open(library -> Checked.scorer(library, options.shape(), checkpoint, query, texts));
        table.rows(
                "Score a query's documents",
                new Unit("pairs/s", texts.size()),
                measure(opened, s -> s.score(query, texts)));
        closeAll(opened);
    }

    private void matmul() {
        for (int threads : Settings.threads() == 1 ? new int[] {1} : new int[] {1, Settings.threads()}) {
            try (FmaPeak peak = new FmaPeak(threads)) {
                for (MatmulShape shape : LayerProducts.shapes(options.shape(), options.quick())) {
                    product(shape, threads, peak);
                }
            }
        }
    }

    private void product(MatmulShape shape, int threads, FmaPeak peak) {
        List<Named<Peer.Product>> opened = open(library -> shape.open(library, threads));
        List<Contender> contenders = new ArrayList<>();
        opened.forEach(
                p -> contenders.add(new Contender(p.library(), () -> p.value().run())));
        contenders.add(new Contender("peak", peak::run));
        List<Times> times = rounds.measure(contenders);
        table.rows(
                "Product %s, %d thread%s".formatted(shape, threads, threads == 1 ? "" : "s"),
                new Unit("GFLOP/s", shape.flops() / 1e9),
                times.subList(0, opened.size()),
                share(shape.flops(), times.getFirst(), peak, times.getLast()));
        closeAll(opened);
    }

    private void tokenize() {
        int count = options.quick() ? 200 : 1000;
        tokenize("documents", Texts.documents(count));
        tokenize("made-up words, each once", Texts.unknownWords(count));
        tokenize("words of many scripts, each once", Texts.manyScripts(count));
    }

    private void tokenize(String what, List<String> texts) {
        List<Named<Peer.Encoder>> opened = open(library -> Checked.encoder(library, checkpoint, texts));
        double megabytes = texts.stream()
                        .mapToLong(text -> text.getBytes(StandardCharsets.UTF_8).length)
                        .sum()
                / 1e6;
        table.rows(
                "Tokenize %s, 1 thread".formatted(what),
                new Unit("MB/s", megabytes),
                measure(opened, e -> texts.forEach(e::encode)));
        closeAll(opened);
    }

    private void load() {
        List<String> text = List.of(median(queries));
        List<Named<Peer>> opened = open(library -> {
            LoadBenchmark.openAndEmbed(library, options.shape(), checkpoint, text);
            return library;
        });
        table.rows(
                "Open and embed one query",
                Unit.milliseconds(),
                measure(opened, l -> LoadBenchmark.openAndEmbed(l, options.shape(), checkpoint, text)));
    }
}
