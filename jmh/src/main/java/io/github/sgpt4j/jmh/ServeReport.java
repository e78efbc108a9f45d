package io.github.sgpt4j.jmh;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.management.OperatingSystemMXBean;
import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.TextCut;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.server.ServerOptions;
import io.github.sgpt4j.server.SgptServer;
import io.github.sgpt4j.server.models.ServedModel;
import io.github.sgpt4j.server.models.ServedModels;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/// Measures the server under load beside the library: many clients that send one text per request and wait for its
/// answer, over loopback, and, in turn, one call of [BiEncoder#embed(List)] with all the texts, in the same process
/// with the same model. Every vector is compared to the bit.
///
/// Properties: `serve.seconds` of load in all (60), `serve.rounds` (6), `serve.clients` (64), `serve.texts` (1,024; a
/// quarter of them documents, the others queries), `serve.model` (a checkpoint; the built-in model unless given).
/// The exit code is 1 if a request failed or a vector differed.
public final class ServeReport {
    private static final double SECONDS = Integer.getInteger("serve.seconds", 60);
    private static final int ROUNDS = Integer.getInteger("serve.rounds", 6);
    private static final int CLIENTS = Integer.getInteger("serve.clients", 64);
    private static final int TEXTS = Integer.getInteger("serve.texts", 1024);
    private static final int DOCUMENTS = 4;
    private static final double WARM_UP_SECONDS = 15;
    private static final double NANOS = 1e9;
    private static final double NANOS_PER_MILLI = 1e6;

    private final BiEncoder encoder;
    private final InetSocketAddress address;
    private final List<String> texts = texts();
    private final long[] tokens;
    private final byte[][] requests = new byte[TEXTS][];
    private final byte[][] expected = new byte[TEXTS][];
    private final AtomicInteger next = new AtomicInteger();

    /// What one client saw in one turn.
    ///
    /// @param nanos of each request
    private record Seen(long tokens, List<Long> nanos, int errors, int different) {}

    /// A turn of one side.
    ///
    /// @param processorSeconds of this process, clients included
    private record Turn(double seconds, double processorSeconds, long tokens, List<Seen> clients) {
        double rate() {
            return tokens / seconds;
        }

        double processorRate() {
            return tokens / processorSeconds;
        }
    }

    /// Measures a turn.
    private static final class Clock {
        private final long start = System.nanoTime();
        private final long processorStart = processor();

        private static long processor() {
            return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
                    ? system.getProcessCpuTime()
                    : 0;
        }

        double seconds() {
            return (System.nanoTime() - start) / NANOS;
        }

        Turn turn(long tokens, List<Seen> clients) {
            return new Turn(seconds(), (processor() - processorStart) / NANOS, tokens, clients);
        }
    }

    private ServeReport(BiEncoder encoder, InetSocketAddress address) throws IOException {
        this.encoder = encoder;
        this.address = address;
        tokens = texts.stream()
                .mapToLong(text ->
                        encoder.tokenized(text, TextKind.TEXT, TextCut.USUAL).tokens())
                .toArray();
        float[][] vectors = encoder.embed(texts);
        ObjectMapper json = new ObjectMapper();
        for (int i = 0; i < TEXTS; i++) {
            // As the library gives them; base64, as most clients ask for it.
            Map<String, Object> body = Map.of("input", texts.get(i), "encoding_format", "base64", "normalize", false);
            requests[i] = LoadClient.post("/v1/embeddings", json.writeValueAsBytes(body));
            expected[i] = "\"embedding\":\"%s\""
                    .formatted(Base64.getEncoder().encodeToString(bytes(vectors[i])))
                    .getBytes(StandardCharsets.ISO_8859_1);
        }
    }

    private static byte[] bytes(float[] vector) {
        ByteBuffer bytes = ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(vector);
        return bytes.array();
    }

    private static List<String> texts() {
        List<String> texts = new ArrayList<>(Texts.documents(TEXTS / DOCUMENTS));
        texts.addAll(Texts.queries(TEXTS - texts.size()));
        Collections.shuffle(texts, new Random(5));
        return List.copyOf(texts);
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Settings.requireVectors();
        Machine.facts().forEach(fact -> say("- %s", fact));
        say("- %s", new Ours().description());
        Path folder = Optional.ofNullable(System.getProperty("serve.model"))
                .map(Path::of)
                .orElseGet(NanoModel::directory);
        Model model = Model.open(folder, ModelOptions.DEFAULT.withThreads(Settings.threads()));
        BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
        boolean good;
        try (SgptServer server = SgptServer.start(ServerOptions.DEFAULT.withAddress("127.0.0.1", 0))) {
            server.serve(new ServedModels(
                    List.of(new ServedModel("model", List.of(), model, Optional.of(encoder), Optional.empty()))));
            good = new ServeReport(encoder, server.address()).measure();
        }
        System.exit(good ? 0 : 1);
    }

    private boolean measure() throws IOException, InterruptedException {
        say(
                "- %d clients, one text per request, %d texts of %.0f tokens on average (%d to %d)",
                CLIENTS,
                TEXTS,
                Arrays.stream(tokens).average().orElse(0),
                Arrays.stream(tokens).min().orElse(0),
                Arrays.stream(tokens).max().orElse(0));
        say("");
        double turnSeconds = SECONDS / ROUNDS;
        library(WARM_UP_SECONDS);
        server(WARM_UP_SECONDS);
        long before = heap();
        List<Turn> served = new ArrayList<>();
        double[] ratios = new double[ROUNDS];
        double[] processorRatios = new double[ROUNDS];
        say("| round | server, tokens/s | embed, tokens/s | ratio | ratio by processor time |");
        say("|---:|---:|---:|---:|---:|");
        for (int round = 0; round < ROUNDS; round++) {
            boolean first = round % 2 == 0;
            Turn early = first ? server(turnSeconds) : library(turnSeconds);
            Turn late = first ? library(turnSeconds) : server(turnSeconds);
            Turn server = first ? early : late;
            Turn library = first ? late : early;
            served.add(server);
            ratios[round] = server.rate() / library.rate();
            processorRatios[round] = server.processorRate() / library.processorRate();
            say(
                    "| %d | %.0f | %.0f | %.3f | %.3f |",
                    round + 1, server.rate(), library.rate(), ratios[round], processorRatios[round]);
        }
        say("");
        say("- Ratio: %s", range(ratios));
        say("- Ratio by processor time, which other processes disturb less: %s", range(processorRatios));
        return summary(served, before, heap());
    }

    private static String range(double[] ratios) {
        double[] sorted = ratios.clone();
        Arrays.sort(sorted);
        return String.format(
                Locale.ROOT, "%.3f (%.3f - %.3f)", Rounds.median(sorted), sorted[0], sorted[sorted.length - 1]);
    }

    private boolean summary(List<Turn> served, long before, long after) throws IOException {
        List<Seen> seen =
                served.stream().flatMap(turn -> turn.clients().stream()).toList();
        double[] millis = seen.stream()
                .flatMap(client -> client.nanos().stream())
                .mapToDouble(nanos -> nanos / NANOS_PER_MILLI)
                .sorted()
                .toArray();
        int errors = seen.stream().mapToInt(Seen::errors).sum();
        int different = seen.stream().mapToInt(Seen::different).sum();
        double seconds = served.stream().mapToDouble(Turn::seconds).sum();
        say("- Requests: %d, %.1f per second", millis.length, millis.length / seconds);
        say(
                "- Milliseconds of a request: median %.1f, 99th percentile %.1f, longest %.1f",
                millis[millis.length / 2], millis[(int) (millis.length * 0.99)], millis[millis.length - 1]);
        say("- Errors: %d; vectors that differ: %d", errors, different);
        say("- Heap after a collection: %.1f MB before, %.1f MB after", before / 1e6, after / 1e6);
        say("- Batches: %s", batches());
        return errors == 0 && different == 0;
    }

    /// From the server's own figures.
    private String batches() throws IOException {
        try (LoadClient client = new LoadClient(address)) {
            client.ask(LoadClient.get("/metrics"));
            String figures = client.answer();
            double count = figure(figures, "te_batch_next_size_count");
            return String.format(
                    Locale.ROOT,
                    "%.0f, of %.1f texts and %.0f tokens on average",
                    count,
                    figure(figures, "te_batch_next_size_sum") / count,
                    figure(figures, "te_batch_next_tokens_sum") / count);
        }
    }

    private static double figure(String figures, String name) {
        return figures.lines()
                .filter(line -> line.startsWith(name + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
                .findFirst()
                .orElseThrow();
    }

    private static long heap() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private Turn library(double turnSeconds) {
        long all = Arrays.stream(tokens).sum();
        Clock clock = new Clock();
        long done = 0;
        while (clock.seconds() < turnSeconds) {
            float[][] vectors = encoder.embed(texts);
            if (vectors.length != TEXTS) {
                throw new IllegalStateException("%d vectors of %d texts".formatted(vectors.length, TEXTS));
            }
            done += all;
        }
        return clock.turn(done, List.of());
    }

    private Turn server(double turnSeconds) throws InterruptedException {
        Clock clock = new Clock();
        long end = System.nanoTime() + (long) (turnSeconds * NANOS);
        List<Seen> seen = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(CLIENTS)) {
            List<Future<Seen>> clients = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                clients.add(threads.submit(() -> client(end)));
            }
            for (Future<Seen> client : clients) {
                seen.add(client.get());
            }
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
        return clock.turn(seen.stream().mapToLong(Seen::tokens).sum(), seen);
    }

    private Seen client(long end) throws IOException {
        long done = 0;
        int errors = 0;
        int different = 0;
        List<Long> nanos = new ArrayList<>();
        try (LoadClient client = new LoadClient(address)) {
            long now = System.nanoTime();
            while (now < end) {
                int text = Math.floorMod(next.getAndIncrement(), TEXTS);
                int status = client.ask(requests[text]);
                if (status != 200) {
                    errors++;
                } else if (!client.answerHas(expected[text])) {
                    different++;
                } else {
                    done += tokens[text];
                }
                long later = System.nanoTime();
                nanos.add(later - now);
                now = later;
            }
        }
        return new Seen(done, nanos, errors, different);
    }

    private static void say(String format, Object... values) {
        System.out.println(String.format(Locale.ROOT, format, values));
    }
}
