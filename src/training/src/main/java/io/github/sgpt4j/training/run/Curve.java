package io.github.sgpt4j.training.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.training.TrainingStep;
import io.github.sgpt4j.weightstools.FileFailures;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.stream.DoubleStream;

/// The course of a training: a JSON object per step and per evaluation in `curve.jsonl`, written at once, and a picture
/// of it in `curve.svg`. An interrupt of the thread does not disturb the writing.
final class Curve implements Closeable {
    static final String LINES = "curve.jsonl";
    static final String PICTURE = "curve.svg";

    private static final ObjectMapper JSON = new ObjectMapper();
    /// A line is a few hundred bytes; a longer one is not ours.
    private static final int MAX_LINE = 1 << 14;

    private static final String STEP = "step";
    private static final String LOSS = "loss";
    private static final String RATE = "lr";

    private final Path folder;
    private final CurvePicture picture;
    private final NavigableMap<Long, Map<String, Double>> scores = new TreeMap<>();
    private OutputStream out = OutputStream.nullOutputStream();
    /// Lines that were taken from an earlier process.
    private long taken;
    /// The last step among them.
    private long last;
    private Optional<String> notice = Optional.empty();

    private Curve(Path folder, CurvePicture picture) {
        this.folder = folder;
        this.picture = picture;
    }

    /// Continues a curve after a step, or begins one: later lines are removed, as is a line that was cut off, and what
    /// is behind a line that is not ours. [#notice] tells if steps are missing then.
    ///
    /// @param metric name of the score in the picture; empty for none
    static Curve after(long step, Path folder, long totalSteps, String metric) throws IOException {
        Curve curve = new Curve(folder, new CurvePicture(totalSteps, metric));
        Path file = folder.resolve(LINES);
        Path kept = folder.resolve("." + LINES + ".tmp");
        try {
            // Not through a link that somebody has put there.
            Files.deleteIfExists(kept);
            curve.out = new FileOutputStream(kept.toFile());
            try {
                // A pipe, say, would be waited for without end.
                if (Files.isRegularFile(file)) {
                    curve.takeUntil(step, file);
                }
                curve.requireSteps(step, file);
            } catch (IOException | RuntimeException | Error e) {
                curve.out.close();
                throw e;
            }
            // The stream stays open: it goes on writing to the file under its new name.
            Files.move(kept, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
            return curve;
        } catch (IOException e) {
            throw FileFailures.named(file, e);
        }
    }

    private void takeUntil(long step, Path file) throws IOException {
        try (InputStream in = new BufferedInputStream(new FileInputStream(file.toFile()))) {
            for (byte[] line = line(in); line.length > 0; line = line(in)) {
                JsonNode node;
                try {
                    node = JSON.readTree(line);
                } catch (JsonProcessingException e) {
                    return;
                }
                if (!isOurs(node) || node.path(STEP).longValue() > step) {
                    return;
                }
                out.write(line);
                out.write('\n');
                taken++;
                take(node);
            }
        }
    }

    /// Whatever a kill cuts off is behind the step after which a state was saved.
    private void requireSteps(long step, Path file) {
        if (last < step) {
            notice = Optional.of("%s: line %d is damaged or missing: steps %d to %d are left out of the curve"
                    .formatted(file, taken + 1, last + 1, step));
        }
    }

    /// The file of lines.
    Path file() {
        return folder.resolve(LINES);
    }

    /// What is missing of what an earlier process wrote, a sentence.
    Optional<String> notice() {
        return notice;
    }

    /// The next line; empty where the file ends, and for one that is too long.
    private static byte[] line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = in.read(); next >= 0 && next != '\n'; next = in.read()) {
            if (line.size() == MAX_LINE) {
                return new byte[0];
            }
            line.write(next);
        }
        return line.toByteArray();
    }

    /// Whether an object can have been written here: a step, and finite numbers.
    private static boolean isOurs(JsonNode node) {
        return node.isObject()
                && node.path(STEP).isIntegralNumber()
                && node.path(STEP).canConvertToLong()
                && node.path(STEP).longValue() >= 0
                && node.properties().stream()
                        .map(Map.Entry::getValue)
                        .allMatch(
                                value -> value.isBoolean() || value.isNumber() && Double.isFinite(value.doubleValue()));
    }

    private void take(JsonNode node) {
        long step = node.path(STEP).asLong();
        if (node.has(LOSS)) {
            last = step;
            picture.step(step, node.path(LOSS).asDouble(), node.path(RATE).asDouble());
        } else {
            Map<String, Double> found = new LinkedHashMap<>();
            node.properties().stream()
                    .filter(entry -> !entry.getKey().equals(STEP))
                    .forEach(entry -> found.put(entry.getKey(), entry.getValue().asDouble()));
            take(step, found);
        }
    }

    private void take(long step, Map<String, Double> found) {
        scores.put(step, found);
        if (found.containsKey(picture.metric())) {
            picture.score(step, found.get(picture.metric()));
        }
    }

    void step(TrainingStep step) throws IOException {
        ObjectNode node = JSON.createObjectNode();
        node.put(STEP, step.step());
        node.put("epoch", step.epoch());
        node.put(LOSS, step.loss());
        step.accuracy().ifPresent(value -> node.put("accuracy", value));
        node.put("norm", step.gradientNorm());
        node.put("clipped", step.clipFactor() < 1);
        node.put(RATE, step.learningRate());
        node.put("tokens", step.tokens());
        node.put("tokens_per_second", step.seconds() > 0 ? Math.rint(step.tokens() / step.seconds()) : 0);
        node.put("seconds", step.seconds());
        write(node);
        picture.step(step.step(), step.loss(), step.learningRate());
    }

    /// @param found scores by name
    void scores(long step, Map<String, Double> found) throws IOException {
        ObjectNode node = JSON.createObjectNode();
        node.put(STEP, step);
        found.forEach(node::put);
        write(node);
        take(step, found);
    }

    /// The scores of all evaluations, by step and name.
    NavigableMap<Long, Map<String, Double>> scores() {
        return scores;
    }

    /// The best of the scores in the picture, and of one that is known from elsewhere.
    OptionalDouble best(OptionalDouble known) {
        return DoubleStream.concat(
                        known.stream(),
                        scores.values().stream()
                                .filter(found -> found.containsKey(picture.metric()))
                                .mapToDouble(found -> found.get(picture.metric())))
                .max();
    }

    private void write(ObjectNode node) throws IOException {
        try {
            out.write((JSON.writeValueAsString(node) + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw FileFailures.named(folder.resolve(LINES), e);
        }
    }

    /// Draws the picture again.
    void draw() throws IOException {
        Path file = folder.resolve(PICTURE);
        Path work = folder.resolve("." + PICTURE + ".tmp");
        try {
            Files.deleteIfExists(work);
            try (OutputStream drawn = new FileOutputStream(work.toFile())) {
                drawn.write(picture.svg().getBytes(StandardCharsets.UTF_8));
            }
            Files.move(work, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw FileFailures.named(file, e);
        }
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
