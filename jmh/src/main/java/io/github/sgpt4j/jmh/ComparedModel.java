package io.github.sgpt4j.jmh;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.Pooling;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// sgpt4j's side of `jmh/gpu/compare.py`: opens a checkpoint once, then answers requests, one JSON object per line.
///
/// Arguments are the checkpoint's folder, device and type. The first answer is `{"device": …}`; then for
///
/// - `{"do": "embed", "texts": […], "batch_tokens": N, "seconds": S}`: texts are embedded by their weighted mean, as
///   often as fits into the time and at least once, after a pass that does not count: `{"passes": …, "seconds": …}`;
/// - `{"do": "score", "query": "…", …}`: the same, scoring the query after each text;
/// - `{"do": "vectors", "texts": […], "batch_tokens": N}`: `{"vectors": [[…], …]}`.
///
/// The end of the input ends the program.
public final class ComparedModel implements AutoCloseable {
    /// Text, a space, then the query.
    private static final String PROMPT = "{} ";

    private static final double NANOS = 1e9;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Model model;

    private ComparedModel(Model model) {
        this.model = model;
    }

    public static void main(String[] arguments) throws IOException {
        if (arguments.length != 3) {
            System.err.println("usage: ComparedModel FOLDER DEVICE DTYPE");
            System.exit(2);
        }
        ModelOptions options = ModelOptions.DEFAULT
                .withDevice(arguments[1])
                .withDtype(Dtype.valueOf(arguments[2].toUpperCase(Locale.ROOT)));
        try (ComparedModel compared = new ComparedModel(Model.open(Path.of(arguments[0]), options));
                BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
                PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8)) {
            answers.println(JSON.createObjectNode().put("device", compared.model.device()));
            for (String line = requests.readLine(); line != null; line = requests.readLine()) {
                answers.println(compared.answer(JSON.readTree(line)));
            }
        }
    }

    private ObjectNode answer(JsonNode request) {
        List<String> texts = new ArrayList<>();
        request.required("texts").forEach(text -> texts.add(text.textValue()));
        int batchTokens = request.required("batch_tokens").intValue();
        return switch (request.required("do").textValue()) {
            case "embed" -> {
                try (BiEncoder encoder = embedder(batchTokens)) {
                    yield timed(() -> encoder.embed(texts), request);
                }
            }
            case "score" -> {
                String query = request.required("query").textValue();
                CrossEncoderOptions options =
                        CrossEncoderOptions.DEFAULT.withPrompt(PROMPT).withBatchTokens(batchTokens);
                try (CrossEncoder encoder = CrossEncoder.of(model, options)) {
                    yield timed(() -> encoder.score(query, texts), request);
                }
            }
            case "vectors" -> {
                try (BiEncoder encoder = embedder(batchTokens)) {
                    yield JSON.createObjectNode().set("vectors", JSON.valueToTree(encoder.embed(texts)));
                }
            }
            default -> throw new IllegalArgumentException("do: expected embed, score or vectors, got " + request);
        };
    }

    private BiEncoder embedder(int batchTokens) {
        return BiEncoder.of(
                model,
                BiEncoderOptions.DEFAULT
                        .withPooling(Pooling.WEIGHTEDMEAN)
                        .withSpecb(false)
                        .withBatchTokens(batchTokens));
    }

    private static ObjectNode timed(Runnable pass, JsonNode request) {
        double seconds = request.required("seconds").doubleValue();
        pass.run();
        int passes = 0;
        long begin = System.nanoTime();
        double passed;
        do {
            pass.run();
            passes++;
            passed = (System.nanoTime() - begin) / NANOS;
        } while (passed < seconds);
        return JSON.createObjectNode().put("passes", passes).put("seconds", passed);
    }

    @Override
    public void close() {
        model.close();
    }
}
