package io.github.sgpt4j.server.routing;

import io.github.sgpt4j.server.http.Request;
import io.github.sgpt4j.server.http.Response;
import io.github.sgpt4j.server.inference.Deadline;
import io.github.sgpt4j.server.inference.LongWork;
import io.github.sgpt4j.server.json.Json;
import io.github.sgpt4j.server.json.JsonObject;
import io.github.sgpt4j.server.json.JsonWriting;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import java.util.Map;
import java.util.function.Supplier;

/// A request that is being answered. Used by one thread.
public final class Exchange {
    private static final JsonObject NONE = new JsonObject("", new Json.Members(Map.of()));

    private final Request request;
    private final Deadline deadline;
    private Dialect dialect;
    private final Room answers;
    private final LongWork work;
    private JsonObject body = NONE;
    private long tokens;
    private int reserved;

    /// @param answers memory for what is computed
    /// @param work done for requests
    Exchange(Request request, Deadline deadline, Dialect dialect, Room answers, LongWork work) {
        this.request = request;
        this.deadline = deadline;
        this.dialect = dialect;
        this.answers = answers;
        this.work = work;
    }

    /// What the client sent, except the body.
    public Request request() {
        return request;
    }

    /// Until when it must be answered.
    public Deadline deadline() {
        return deadline;
    }

    /// Its body; without fields if the route takes none.
    public JsonObject body() {
        return body;
    }

    void read(JsonObject parsed) {
        body = parsed;
    }

    /// Says errors in another dialect from now on.
    public void speak(Dialect other) {
        dialect = other;
    }

    Dialect dialect() {
        return dialect;
    }

    /// Does work that may take a processor for long.
    ///
    /// @param size bytes or characters that it goes over
    /// @throws ApiException if it is not done in time
    public <T> T work(long size, Supplier<T> doing) {
        return work.run(size, deadline, doing);
    }

    /// A JSON answer.
    ///
    /// @param size about as many bytes as it has
    /// @throws ApiException if it is not written in time
    public Response json(long size, JsonWriting.Writing writing) {
        return work(size, () -> JsonWriting.response(200, writing));
    }

    /// Reserves memory for what will be computed and for the answer made of it, until the answer was sent.
    ///
    /// @param bytes about as many as it takes, besides what was reserved before
    /// @throws ApiException if others take it up, or it is more than there is for all answers together
    public void reserve(long bytes) {
        if (bytes > answers.bytes()) {
            throw new ApiException(
                    Problem.TOO_LARGE,
                    "the answer would take up about %,d MiB, and answers may take up %,d: ask for less at a time"
                            .formatted(Math.ceilDiv(bytes, 1 << 20), answers.bytes() >> 20));
        }
        int blocks = answers.blocks(bytes);
        if (!answers.take(blocks)) {
            throw new ApiException(Problem.OVERLOADED, "the answers to other requests take up too much memory");
        }
        reserved += blocks;
    }

    /// Keeps as much reserved as an answer that is there takes up.
    ///
    /// @throws ApiException if more was not reserved, and others take it up
    void keep(long bytes) {
        int blocks = answers.blocks(bytes);
        if (blocks > reserved && !answers.take(blocks - reserved)) {
            throw new ApiException(Problem.OVERLOADED, "the answers that are being sent take up too much memory");
        }
        answers.give(Math.max(0, reserved - blocks));
        reserved = blocks;
    }

    /// Gives back what was reserved.
    void giveBack() {
        answers.give(reserved);
        reserved = 0;
    }

    /// Notes for the log how many tokens were computed.
    public void note(long computed) {
        tokens += computed;
    }

    long tokens() {
        return tokens;
    }
}
