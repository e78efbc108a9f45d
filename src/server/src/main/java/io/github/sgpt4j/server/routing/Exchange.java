package io.github.sgpt4j.server.routing;

import io.github.sgpt4j.server.http.Request;
import io.github.sgpt4j.server.inference.Deadline;
import io.github.sgpt4j.server.json.Json;
import io.github.sgpt4j.server.json.JsonObject;
import java.util.Map;

/// A request that is being answered. Used by one thread.
public final class Exchange {
    private static final JsonObject NONE = new JsonObject("", new Json.Members(Map.of()));

    private final Request request;
    private final Deadline deadline;
    private Dialect dialect;
    private JsonObject body = NONE;
    private long tokens;

    Exchange(Request request, Deadline deadline, Dialect dialect) {
        this.request = request;
        this.deadline = deadline;
        this.dialect = dialect;
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

    /// Notes for the log how many tokens were computed.
    public void note(long computed) {
        tokens += computed;
    }

    long tokens() {
        return tokens;
    }
}
