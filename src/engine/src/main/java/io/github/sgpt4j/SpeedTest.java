package io.github.sgpt4j;

import io.github.sgpt4j.SpeedReport.Parts;
import io.github.sgpt4j.SpeedReport.Rate;
import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.TimedBackend;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.checkpoint.Checkpoint;
import io.github.sgpt4j.inference.Lanes;
import io.github.sgpt4j.inference.TokenLoad;
import io.github.sgpt4j.inference.TokenWork;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.model.NamedShape;
import io.github.sgpt4j.model.family.Family;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.Weights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/// Measures how fast devices compute a model. Texts of random tokens, all of one length, are embedded
/// and scored, without a tokenizer. Speed does not depend on the values of the weights, so a model may
/// also be a shape with random weights.
public final class SpeedTest implements AutoCloseable {
    private static final int USUAL_TOKENS = 300;
    private static final long SEED = 20220217;
    private static final double NANOS = 1e9;

    private final Weights weights;
    private final Devices.Opened devices;
    /// The first device, the only one whose operations are timed.
    private final TimedBackend timed;
    private final Lanes lanes;
    private final int batchTokens;
    private volatile boolean closed;

    private SpeedTest(Weights weights, long parameters, Devices.Opened devices, Function<Backend, Decoder> load) {
        this.weights = weights;
        this.devices = devices;
        timed = new TimedBackend(devices.backends().getFirst());
        List<Decoder> decoders = new ArrayList<>();
        decoders.add(load.apply(timed));
        devices.backends().stream().skip(1).map(load).forEach(decoders::add);
        lanes = new Lanes(decoders);
        batchTokens = lanes.usualBatchTokens(parameters);
    }

    /// Names that [#ofShape] knows.
    public static List<String> shapes() {
        return NamedShape.ALL.stream().map(NamedShape::name).toList();
    }

    /// A published model's shape with random weights; the caller closes it.
    ///
    /// @throws IllegalArgumentException if no shape has that name
    /// @throws io.github.sgpt4j.error.SgptException if the device is unavailable
    public static SpeedTest ofShape(String name, ModelOptions options) {
        NamedShape shape = NamedShape.parse(name);
        Devices.Opened devices = Devices.open(options, shape.parameters(), shape.fitsHalf());
        return open(
                devices,
                () -> shape.randomWeights(stored(options, devices), SEED),
                shape.parameters(),
                (weights, backend) -> Decoder.load(shape, weights, backend));
    }

    /// A checkpoint directory; the caller closes it.
    ///
    /// @throws io.github.sgpt4j.error.SgptException as [Model#open]
    public static SpeedTest of(Path directory, ModelOptions options) {
        Checkpoint checkpoint = Checkpoint.open(directory, options.baseModel(), options.biases());
        Weights weights = checkpoint.openWeights();
        try {
            return open(
                    Devices.open(
                            options,
                            weights.elements(),
                            Family.of(checkpoint.configuration()).fitsHalf()),
                    () -> weights,
                    weights.elements(),
                    (opened, backend) -> Decoder.load(checkpoint.configuration(), opened, backend));
        } catch (RuntimeException | Error e) {
            weights.close();
            throw e;
        }
    }

    private static SpeedTest open(
            Devices.Opened devices,
            Supplier<Weights> open,
            long parameters,
            BiFunction<Weights, Backend, Decoder> load) {
        try {
            Weights weights = open.get();
            try {
                return weights.mapped()
                        .opening(() ->
                                new SpeedTest(weights, parameters, devices, backend -> load.apply(weights, backend)));
            } catch (RuntimeException | Error e) {
                weights.close();
                throw e;
            }
        } catch (RuntimeException | Error e) {
            devices.backends().forEach(Backend::close);
            throw e;
        }
    }

    /// The type that random weights are stored in: that of the computation, to avoid needless
    /// conversion.
    private static ElementType stored(ModelOptions options, Devices.Opened devices) {
        boolean cpu = devices.backends().getFirst().name().equals("cpu");
        return switch (options.dtype()) {
            case AUTO -> cpu ? ElementType.F32 : ElementType.BF16;
            case FP32, TF32 -> ElementType.F32;
            case BF16, FP8 -> ElementType.BF16;
            case FP16 -> ElementType.F16;
        };
    }

    /// Finds out by short trials how much fits into a time. The device's best rates are measured with them.
    ///
    /// @param texts number of texts in a pass; 0 for as many as fill the batches, or fewer if the time does
    ///     not suffice for three passes
    /// @param tokens tokens per text
    /// @param queryTokens tokens of the query that is scored after each text
    /// @param batchTokens maximum tokens computed at the same time on a device
    /// @param seconds of the whole, trials included; at least 0, finite
    /// @throws IllegalArgumentException if a number is out of range, or a text with its query is longer
    ///     than the model allows
    /// @throws IllegalStateException if this is closed, before or during the call
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted
    public SpeedPlan plan(int texts, int tokens, int queryTokens, int batchTokens, double seconds) {
        requireOpen();
        if (!(seconds >= 0) || Double.isInfinite(seconds)) {
            throw new IllegalArgumentException("seconds: expected a finite number of at least 0, got " + seconds);
        }
        TokenLoad load = new TokenLoad(texts == 0 ? 1 : texts, tokens, queryTokens, batchTokens);
        int longest = lanes.any().config().longest();
        if (tokens + (long) queryTokens > longest) {
            throw new IllegalArgumentException(
                    "expected a text with its query of at most %d tokens (the model's maximum), got %d"
                            .formatted(longest, tokens + (long) queryTokens));
        }
        SpeedTrials trials =
                new SpeedTrials(lanes, new Ceilings(devices.backends().getFirst()), cancellation());
        int usual = usualTexts(tokens, batchTokens);
        return Model.whileOpen(
                this::requireOpen, () -> weights.mapped().reading(() -> trials.plan(texts, usual, load, seconds)));
    }

    /// Measures what was planned. Embedding and scoring each run once to warm up, then at least three times
    /// and until the planned time has passed.
    ///
    /// @param plan of this object
    /// @throws IllegalStateException if this is closed, before or during the call
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted
    public SpeedReport run(SpeedPlan plan) {
        requireOpen();
        return Model.whileOpen(this::requireOpen, () -> weights.mapped().reading(() -> report(plan)));
    }

    private static Cancellation cancellation() {
        return Cancellation.ofThisThread("measuring speed");
    }

    private SpeedReport report(SpeedPlan plan) {
        Cancellation cancellation = cancellation();
        TokenLoad load = new TokenLoad(plan.texts(), plan.tokens(), plan.queryTokens(), plan.batchTokens());
        TokenWork work = load.draw(lanes);
        double share = plan.embedShare();
        double[] embed = passes(() -> work.embed(lanes, cancellation), share * plan.passSeconds());
        double[] score = passes(() -> work.score(lanes, cancellation), (1 - share) * plan.passSeconds());
        String names = devices.backends().stream().map(Backend::name).collect(Collectors.joining(","));
        return new SpeedReport(
                names,
                rate(embed, load.texts()),
                rate(embed, (double) load.texts() * load.tokens()),
                rate(score, load.texts()),
                parts(work, cancellation),
                plan.ceiling());
    }

    /// Why `auto` chose the CPU although this machine seems to have a GPU, or empty.
    public Optional<String> deviceNotice() {
        return devices.notice();
    }

    /// As [Model#noticesInUse].
    public List<String> noticesInUse() {
        return devices.noticesInUse();
    }

    /// Tokens of a typical document: 300, or as many as the model allows together with a query.
    public int usualTokens(int queryTokens) {
        return Math.clamp(lanes.any().config().maxPositions() - (long) queryTokens, 1, USUAL_TOKENS);
    }

    /// As [Model#batchTokens].
    public int batchTokens() {
        return batchTokens;
    }

    /// Texts of a pass that says how fast long lists are embedded: so many that two batches are full for each that is
    /// under way at a time.
    ///
    /// @param tokens tokens of each text
    /// @param batchTokens most tokens computed at the same time on a device
    public int usualTexts(int tokens, int batchTokens) {
        long together = Math.max(1, batchTokens / tokens);
        return Math.toIntExact(Math.min(Integer.MAX_VALUE, 2 * together * lanes.batchesInFlight()));
    }

    private Parts parts(TokenWork load, Cancellation cancellation) {
        Lanes first = new Lanes(List.of(lanes.any()));
        if (lanes.decoders().size() > 1) {
            // Warms up: this device may not have had a batch yet.
            load.embed(first, cancellation);
        }
        timed.start();
        load.embed(first, cancellation);
        TimedBackend.Times times = timed.stop();
        double all = times.productSeconds() + times.attentionSeconds() + times.otherSeconds();
        return new Parts(
                times.productSeconds() / all,
                times.attentionSeconds() / all,
                times.otherSeconds() / all,
                times.productFlops() / times.productSeconds(),
                times.attentionFlops() / times.attentionSeconds(),
                times.otherBytes() / times.otherSeconds());
    }

    /// Seconds of each pass; as many as end closest to the given time, and at least three.
    static double[] passes(Runnable pass, double seconds) {
        pass.run();
        List<Double> times = new ArrayList<>();
        long begin = System.nanoTime();
        while (times.size() < SpeedPlan.MIN_PASSES
                || (System.nanoTime() - begin) / NANOS + times.getLast() / 2 < seconds) {
            long start = System.nanoTime();
            pass.run();
            times.add((System.nanoTime() - start) / NANOS);
        }
        return times.stream().mapToDouble(Double::doubleValue).toArray();
    }

    static Rate rate(double[] seconds, double items) {
        double[] sorted = seconds.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        double median = sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new Rate(items / median, items / sorted[sorted.length - 1], items / sorted[0], sorted.length);
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("speed test is closed");
        }
    }

    /// Releases memory and threads. Closing again does nothing.
    @Override
    public void close() {
        closed = true;
        devices.backends().forEach(Backend::close);
        weights.close();
    }
}
