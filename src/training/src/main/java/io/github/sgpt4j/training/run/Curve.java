package io.github.sgpt4j.training.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.training.TrainingStep;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/// The course of a training: a JSON object per step and per evaluation in `curve.jsonl`, written at once, and a picture
/// of it in `curve.svg`.
final class Curve implements Closeable {
    static final String LINES = "curve.jsonl";
    static final String PICTURE = "curve.svg";

    private static final ObjectMapper JSON = new ObjectMapper();
    /// A line is a few hundred characters; a longer one is not ours.
    private static final int MAX_LINE = 1 << 14;

    private final Path folder;
    private final CurvePicture picture;
    private final Writer writer;
    private final NavigableMap<Long, Map<String, Double>> scores;

    private Curve(Path folder, CurvePicture picture, Writer writer, NavigableMap<Long, Map<String, Double>> scores) {
        this.folder = folder;
        this.picture = picture;
        this.writer = writer;
        this.scores = scores;
    }

    /// Continues a curve after a step, or begins one: later lines are removed, as is a line that was cut off.
    ///
    /// @param metric name of the score in the picture; empty for none
    static Curve after(long step, Path folder, long totalSteps, String metric) throws IOException {
        Path file = folder.resolve(LINES);
        CurvePicture picture = new CurvePicture(totalSteps, metric);
        NavigableMap<Long, Map<String, Double>> scores = new TreeMap<>();
        Path kept = folder.resolve("." + LINES + ".tmp");
        try (Writer out = Files.newBufferedWriter(kept, StandardCharsets.UTF_8)) {
            if (Files.exists(file)) {
                try (BufferedReader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
                    copyUntil(step, in, out, picture, scores);
                }
            }
        }
        Files.move(kept, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        return new Curve(
                folder,
                picture,
                Files.newBufferedWriter(file, StandardCharsets.UTF_8, StandardOpenOption.APPEND),
                scores);
    }

    private static void copyUntil(
            long step,
            BufferedReader in,
            Writer out,
            CurvePicture picture,
            NavigableMap<Long, Map<String, Double>> scores)
            throws IOException {
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode node;
            try {
                node = JSON.readTree(line.length() > MAX_LINE ? "" : line);
            } catch (JsonProcessingException e) {
                return;
            }
            if (!node.isObject() || node.path("step").asLong(Long.MAX_VALUE) > step) {
                return;
            }
            out.write(line);
            out.write('\n');
            if (node.has("loss")) {
                picture.step(
                        node.path("step").asLong(),
                        node.path("loss").asDouble(),
                        node.path("lr").asDouble());
            } else {
                Map<String, Double> found = new LinkedHashMap<>();
                node.properties().stream()
                        .filter(entry -> !entry.getKey().equals("step"))
                        .forEach(entry ->
                                found.put(entry.getKey(), entry.getValue().asDouble()));
                scores.put(node.path("step").asLong(), found);
                draw(picture, node.path("step").asLong(), found);
            }
        }
    }

    void step(TrainingStep step) throws IOException {
        ObjectNode node = JSON.createObjectNode();
        node.put("step", step.step());
        node.put("epoch", step.epoch());
        node.put("loss", step.loss());
        node.put("accuracy", step.accuracy());
        node.put("norm", step.gradientNorm());
        node.put("clipped", step.clipFactor() < 1);
        node.put("lr", step.learningRate());
        node.put("tokens", step.tokens());
        node.put("tokens_per_second", step.seconds() > 0 ? Math.rint(step.tokens() / step.seconds()) : 0);
        node.put("seconds", step.seconds());
        write(node);
        picture.step(step.step(), step.loss(), step.learningRate());
    }

    /// @param found scores by name
    void scores(long step, Map<String, Double> found) throws IOException {
        ObjectNode node = JSON.createObjectNode();
        node.put("step", step);
        found.forEach(node::put);
        write(node);
        scores.put(step, found);
        draw(picture, step, found);
    }

    private static void draw(CurvePicture picture, long step, Map<String, Double> found) {
        if (found.containsKey(picture.metric())) {
            picture.score(step, found.get(picture.metric()));
        }
    }

    /// The scores of all evaluations, by step and name.
    NavigableMap<Long, Map<String, Double>> scores() {
        return scores;
    }

    private void write(ObjectNode node) throws IOException {
        writer.write(JSON.writeValueAsString(node));
        writer.write('\n');
        writer.flush();
    }

    /// Draws the picture again.
    void draw() throws IOException {
        Path work = folder.resolve("." + PICTURE + ".tmp");
        Files.writeString(work, picture.svg());
        Files.move(work, folder.resolve(PICTURE), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public void close() throws IOException {
        writer.close();
    }
}
