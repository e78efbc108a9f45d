package io.github.sgpt4j.server.dialect;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.sgpt4j.server.inference.Deadline;
import io.github.sgpt4j.server.inference.EmbedRequest;
import io.github.sgpt4j.server.inference.Embedded;
import io.github.sgpt4j.server.inference.Inference;
import io.github.sgpt4j.server.inference.Input;
import io.github.sgpt4j.server.json.Json;
import io.github.sgpt4j.server.json.JsonWriting;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// Embeds the inputs of a request some at a time, and writes a line of JSON for each as soon as it is known: its
/// vector, or why it has none. A bad input does not fail the others.
final class EmbedLines {
    /// The media type of such answers.
    static final String MEDIA_TYPE = "application/x-ndjson";

    /// Inputs that are embedded together, so that little is in memory at a time.
    private static final int TOGETHER = 64;
    /// What an input is to blame for, if it is alone.
    private static final Set<Problem> OF_ONE_INPUT =
            Set.of(Problem.INVALID_TOKEN, Problem.INPUT_TOO_LONG, Problem.INTERNAL);

    private final Inference inference;
    private final EmbedRequest settings;
    private final List<Json> elements;
    private final Deadline deadline;
    /// Lines of the inputs that are done, but not yet written.
    private final List<byte[]> lines = new ArrayList<>();
    private int next;
    private long tokens;

    /// @param settings everything but the inputs
    /// @param elements the inputs
    EmbedLines(Inference inference, EmbedRequest settings, List<Json> elements, Deadline deadline) {
        this.inference = inference;
        this.settings = settings;
        this.elements = elements;
        this.deadline = deadline;
    }

    /// About as many bytes as the inputs that are embedded together take up, with their lines.
    long bytes() {
        return settings.answerBytes(Math.min(elements.size(), TOGETHER));
    }

    /// An input with its place in the request.
    private record Placed(int index, Input input) {}

    /// Embeds the next inputs.
    ///
    /// @throws ApiException if the server cannot embed now
    void advance() {
        List<Placed> good = new ArrayList<>();
        for (int end = Math.min(elements.size(), next + TOGETHER); next < end; next++) {
            try {
                good.add(new Placed(next, Input.of("%s[%d]".formatted(settings.field(), next), elements.get(next))));
            } catch (ApiException e) {
                fail(next, e);
            }
        }
        if (!good.isEmpty()) {
            embed(good);
        }
    }

    private void embed(List<Placed> inputs) {
        try {
            Embedded embedded = inference.embed(
                    settings.withInputs(inputs.stream().map(Placed::input).toList()), deadline);
            tokens += embedded.totalTokens();
            for (int i = 0; i < inputs.size(); i++) {
                done(inputs.get(i).index(), embedded.vectors().get(i));
            }
        } catch (ApiException e) {
            if (!OF_ONE_INPUT.contains(e.problem())) {
                throw e;
            }
            if (inputs.size() == 1) {
                fail(inputs.getFirst().index(), e);
            } else {
                inputs.forEach(input -> embed(List.of(input)));
            }
        }
    }

    private void done(int index, float[] vector) {
        line(json -> {
            json.writeStartObject();
            json.writeNumberField("index", index);
            json.writeFieldName("embedding");
            JsonWriting.numbers(json, vector);
            json.writeEndObject();
        });
    }

    private void fail(int index, ApiException e) {
        line(json -> {
            json.writeStartObject();
            json.writeNumberField("index", index);
            JsonWriting.textField(json, "error", e.sentence());
            json.writeStringField("error_type", e.problem().teiType());
            json.writeEndObject();
        });
    }

    private void line(JsonWriting.Writing writing) {
        lines.add(JsonWriting.bytes(writing));
    }

    /// Tokens computed so far.
    long tokens() {
        return tokens;
    }

    /// Writes what is done, then embeds and writes the rest.
    ///
    /// @throws IOException if the client is gone
    void writeTo(OutputStream out) throws IOException {
        write(out);
        while (next < elements.size()) {
            int from = next;
            try {
                advance();
            } catch (ApiException e) {
                // The answer has begun, so that its status cannot say it.
                lines.clear();
                for (next = from; next < elements.size(); next++) {
                    fail(next, e);
                }
            }
            write(out);
            // Bad inputs take no wait at which other requests would get the processor.
            Thread.yield();
        }
        line(this::end);
        write(out);
    }

    private void end(JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeBooleanField("done", true);
        Usage.write(json, tokens);
        json.writeEndObject();
    }

    private void write(OutputStream out) throws IOException {
        for (byte[] line : lines) {
            out.write(line);
            out.write('\n');
        }
        out.flush();
        lines.clear();
    }
}
