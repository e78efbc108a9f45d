package io.github.sgpt4j.jmh;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.IndexOptions;
import io.github.sgpt4j.retrieval.SearchOptions;
import io.github.sgpt4j.retrieval.SemanticIndex;
import io.github.sgpt4j.retrieval.VectorStorage;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.corpus.Metadata;
import io.github.sgpt4j.retrieval.filter.Filter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/// Measures quality and speed of search in an index of many vectors: embeddings of word windows ([WordWindows]) by
/// the built-in model. Recall is the share of the ten nearest neighbours, determined by exhaustive search, that the
/// graph search finds. Filters that accept one in 2 and one in 1,000 documents are compared with none.
///
/// Properties: `index.documents` (100,000), `index.queries` (1,000), `index.connections`, `index.beamWidth`,
/// `index.storage` (both unless given), `sgpt4j.jmh.data` for its files, including cached embeddings.
public final class IndexReport {
    private static final int DOCUMENTS = Integer.getInteger("index.documents", 100_000);
    private static final int QUERIES = Integer.getInteger("index.queries", 1_000);
    private static final int BATCH = 4096;
    private static final int K = 10;
    private static final int[] CANDIDATES = {10, 30, 50, 100, 200};
    /// One in so many documents is accepted by a filter.
    private static final int[] SHARES = {2, 1000};
    private static final double NANOS = 1e9;
    private static final double NANOS_PER_MILLI = 1e6;

    private final Path folder;
    private final BiEncoder encoder;
    private final List<String> texts;
    private final float[][] documents;
    private final float[][] queries;

    private IndexReport(Path folder, BiEncoder encoder) throws IOException {
        this.folder = folder;
        this.encoder = encoder;
        List<String> all = new WordWindows(1).take(DOCUMENTS + QUERIES);
        texts = all.subList(0, DOCUMENTS);
        documents = embed("documents", texts, TextKind.DOCUMENT);
        queries = embed("queries", all.subList(DOCUMENTS, all.size()), TextKind.QUERY);
    }

    public static void main(String[] arguments) throws IOException {
        Settings.requireVectors();
        Machine.facts().forEach(fact -> say("- %s", fact));
        say("- %s", new Ours().description());
        Path folder = Files.createDirectories(Settings.dataDirectory().resolve("index"));
        ModelOptions threads = ModelOptions.DEFAULT.withThreads(Settings.threads());
        try (BiEncoder encoder = BiEncoder.open(NanoModel.directory(), threads, BiEncoderOptions.DEFAULT)) {
            IndexReport report = new IndexReport(folder, encoder);
            String only = System.getProperty("index.storage", "");
            for (VectorStorage storage : VectorStorage.values()) {
                if (only.isEmpty() || only.equalsIgnoreCase(storage.name())) {
                    report.measure(storage);
                }
            }
        }
    }

    private float[][] embed(String name, List<String> all, TextKind kind) throws IOException {
        // The cache key covers texts and model.
        int contents = 31 * all.hashCode() + encoder.fingerprint().hashCode();
        Path file = folder.resolve("%s-%d-%08x.f32".formatted(name, all.size(), contents));
        int width = encoder.dimension();
        if (Files.exists(file) && Files.size(file) == 4L * all.size() * width) {
            return read(file, all.size(), width);
        }
        long start = System.nanoTime();
        float[][] vectors = encoder.embed(all, kind);
        say("embedded %,d %s: %,.0f/s", all.size(), name, all.size() / seconds(start));
        ByteBuffer bytes = ByteBuffer.allocate(4 * all.size() * width);
        FloatBuffer floats = bytes.asFloatBuffer();
        for (float[] vector : vectors) {
            floats.put(vector);
        }
        Files.write(file, bytes.array());
        return vectors;
    }

    private static float[][] read(Path file, int rows, int width) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            FloatBuffer floats = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size())
                    .asFloatBuffer();
            float[][] vectors = new float[rows][width];
            for (float[] vector : vectors) {
                floats.get(vector);
            }
            return vectors;
        }
    }

    private void measure(VectorStorage storage) throws IOException {
        IndexOptions options = new IndexOptions(
                storage,
                Integer.getInteger("index.connections", IndexOptions.DEFAULT.connections()),
                Integer.getInteger("index.beamWidth", IndexOptions.DEFAULT.beamWidth()));
        Path path = folder.resolve("lucene");
        delete(path);
        say("%s", options);
        long start = System.nanoTime();
        try (SemanticIndex index = SemanticIndex.open(path, encoder, options)) {
            for (int from = 0; from < DOCUMENTS; from += BATCH) {
                add(index, from, Math.min(DOCUMENTS, from + BATCH));
            }
            say("indexed: %,.0f documents/s with commits every %,d", DOCUMENTS / seconds(start), BATCH);
            start = System.nanoTime();
        }
        say("waited for merges: %.1f s more; %,d MB", seconds(start), size(path) / 1_000_000);
        try (SemanticIndex index = SemanticIndex.open(path, encoder)) {
            search(index, "as committed");
            start = System.nanoTime();
            index.optimize();
            say("optimized in %.1f s", seconds(start));
            search(index, "optimized");
            for (int share : SHARES) {
                filtered(index, share);
            }
        }
        delete(path);
    }

    private void add(SemanticIndex index, int from, int to) throws IOException {
        List<Document> batch = new ArrayList<>();
        for (int i = from; i < to; i++) {
            batch.add(Document.of(Integer.toString(i), texts.get(i)).withMetadata(metadata(i)));
        }
        index.add(batch, Arrays.copyOfRange(documents, from, to));
        index.commit();
    }

    private static Metadata metadata(int document) {
        Map<String, Object> values = new LinkedHashMap<>();
        for (int share : SHARES) {
            values.put("mod%d".formatted(share), document % share);
        }
        return Metadata.of(values);
    }

    /// Searches with a filter, each query right after the same without one, so that both meet the same load.
    private void filtered(SemanticIndex index, int share) throws IOException {
        SearchOptions all = SearchOptions.DEFAULT.withLimit(K);
        SearchOptions some = all.withFilter(Filter.equal("mod%d".formatted(share), 0));
        List<Set<String>> nearest = new ArrayList<>();
        run(index, some.withExact(true), nearest);
        double[][] millis = new double[2][queries.length];
        long hits = 0;
        for (int round = 0; round < 2; round++) {
            hits = 0;
            for (int i = 0; i < queries.length; i++) {
                millis[0][i] = run(index, all, i, new HashSet<>());
                Set<String> found = new HashSet<>();
                millis[1][i] = run(index, some, i, found);
                found.retainAll(nearest.get(i));
                hits += found.size();
            }
        }
        long possible = nearest.stream().mapToLong(Set::size).sum();
        say(
                "optimized, a filter for one in %,d: recall@%d %.4f, %s",
                share, K, hits / (double) possible, latencies(millis[1]));
        say(
                "  without it: %s; with it %.2f times the median",
                latencies(millis[0]), median(millis[1]) / median(millis[0]));
    }

    private void search(SemanticIndex index, String state) throws IOException {
        SearchOptions options = SearchOptions.DEFAULT.withLimit(K);
        List<Set<String>> nearest = new ArrayList<>();
        double[] exact = run(index, options.withExact(true), nearest);
        say("%s, exact: %s", state, latencies(exact));
        for (int candidates : CANDIDATES) {
            List<Set<String>> found = new ArrayList<>();
            SearchOptions graph = options.withCandidates(candidates);
            run(index, graph, new ArrayList<>());
            double[] millis = run(index, graph, found);
            long hits = 0;
            for (int i = 0; i < found.size(); i++) {
                found.get(i).retainAll(nearest.get(i));
                hits += found.get(i).size();
            }
            say(
                    "%s, %d candidates: recall@%d %.4f, %s",
                    state, candidates, K, hits / (double) (K * QUERIES), latencies(millis));
        }
    }

    private double[] run(SemanticIndex index, SearchOptions options, List<Set<String>> found) throws IOException {
        double[] millis = new double[queries.length];
        for (int i = 0; i < queries.length; i++) {
            Set<String> ids = new HashSet<>();
            millis[i] = run(index, options, i, ids);
            found.add(ids);
        }
        return millis;
    }

    /// @return milliseconds
    private double run(SemanticIndex index, SearchOptions options, int query, Set<String> found) throws IOException {
        long start = System.nanoTime();
        List<Hit> hits = index.search(queries[query], options);
        double millis = (System.nanoTime() - start) / NANOS_PER_MILLI;
        hits.forEach(hit -> found.add(hit.document().id()));
        return millis;
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    private static String latencies(double[] millis) {
        double[] sorted = millis.clone();
        Arrays.sort(sorted);
        double sum = Arrays.stream(sorted).sum();
        return String.format(
                Locale.ROOT,
                "p50 %.2f ms, p99 %.2f ms, %,.0f queries/s on one thread",
                sorted[sorted.length / 2],
                sorted[sorted.length * 99 / 100],
                1000 * sorted.length / sum);
    }

    private static double seconds(long start) {
        return (System.nanoTime() - start) / NANOS;
    }

    private static long size(Path path) throws IOException {
        try (Stream<Path> files = Files.list(path)) {
            return files.mapToLong(file -> file.toFile().length()).sum();
        }
    }

    private static void delete(Path path) throws IOException {
        if (!Files.exists(path)) {
            return;
        }
        try (Stream<Path> files = Files.walk(path)) {
            files.sorted(Comparator.reverseOrder()).forEach(file -> {
                try {
                    Files.delete(file);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }

    private static void say(String form, Object... values) {
        System.out.println(String.format(Locale.ROOT, form, values));
    }
}
