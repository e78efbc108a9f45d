package io.github.sgpt4j.server.routing;

import io.github.sgpt4j.server.http.Request;
import io.github.sgpt4j.server.inference.Deadline;
import io.github.sgpt4j.server.json.Json;
import io.github.sgpt4j.server.json.JsonObject;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import java.util.Map;

/// A request that is being answered. Used by one thread.
public final class Exchange {
    private static final JsonObject NONE = new JsonObject("", new Json.Members(Map.of()));

    private final Request request;
    private final Deadline deadline;
    private Dialect dialect;
    private final Room answers;
    private JsonObject body = NONE;
    private long tokens;
    private int reserved;

    /// @param answers memory for what is computed
    Exchange(Request request, Deadline deadline, Dialect dialect, Room answers) {
        this.request = request;
        this.deadline = deadline;
        this.dialect = dialect;
        this.answers = answers;
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

    /// Reserves memory for what will be computed and for the answer made of it, until the answer is there.
    ///
    /// @param bytes about as many as it takes; if that is more than there is at all, everything
    /// @throws ApiException if others take it up
    public void reserve(long bytes) {
        int blocks = answers.blocks(bytes);
        if (!answers.take(blocks)) {
            throw new ApiException(Problem.OVERLOADED, "the answers to other requests take up too much memory");
        }
        reserved += blocks;
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
