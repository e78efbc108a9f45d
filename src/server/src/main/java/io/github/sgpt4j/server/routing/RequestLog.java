package io.github.sgpt4j.server.routing;

import io.github.sgpt4j.server.ServerOptions;
import io.github.sgpt4j.server.json.Json;
import io.github.sgpt4j.server.json.JsonWriting;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;

/// One JSON object for each request, without texts unless asked; and failures of the server.
final class RequestLog {
    private final ServerOptions options;

    RequestLog(ServerOptions options) {
        this.options = options;
    }

    void answered(Exchange exchange, String route, int status) {
        options.log().ifPresent(log -> log.accept(line(exchange, route, status)));
    }

    private String line(Exchange exchange, String route, int status) {
        byte[] line = JsonWriting.bytes(json -> {
            json.writeStartObject();
            json.writeStringField("time", Instant.now().toString());
            json.writeStringField("id", exchange.request().id());
            json.writeStringField("route", exchange.request().method() + " " + route);
            json.writeNumberField("status", status);
            json.writeNumberField("tokens", exchange.tokens());
            json.writeNumberField("ms", Math.round(exchange.deadline().elapsed() * 1e3));
            if (options.logTexts()) {
                json.writeFieldName("body");
                write(json, exchange.body().members());
            }
            json.writeEndObject();
        });
        return new String(line, StandardCharsets.UTF_8);
    }

    private static void write(com.fasterxml.jackson.core.JsonGenerator json, Json value) throws IOException {
        switch (value) {
            case Json.Members(Map<String, Json> members) -> {
                json.writeStartObject();
                for (Map.Entry<String, Json> member : members.entrySet()) {
                    json.writeFieldName(member.getKey());
                    write(json, member.getValue());
                }
                json.writeEndObject();
            }
            case Json.Elements elements -> {
                json.writeStartArray();
                for (Json element : elements.values()) {
                    write(json, element);
                }
                json.writeEndArray();
            }
            case Json.Integers(int[] values) -> json.writeArray(values, 0, values.length);
            case Json.Text(String text) -> JsonWriting.text(json, text);
            case Json.Number(double number) -> json.writeNumber(number);
            case Json.Whole(int whole) -> json.writeNumber(whole);
            case Json.Truth(boolean truth) -> json.writeBoolean(truth);
            case Json.Null n -> json.writeNull();
        }
    }

    /// A failure that is not the client's fault.
    void failure(Exchange exchange, Throwable thrown) {
        StringWriter trace = new StringWriter();
        thrown.printStackTrace(new PrintWriter(trace));
        String message = "request %s failed: %s".formatted(exchange.request().id(), trace);
        options.log()
                .ifPresentOrElse(
                        log -> log.accept(failureLine(exchange, trace.toString())),
                        () -> System.getLogger(RequestLog.class.getName()).log(System.Logger.Level.ERROR, message));
    }

    private static String failureLine(Exchange exchange, String trace) {
        return new String(
                JsonWriting.bytes(json -> {
                    json.writeStartObject();
                    json.writeStringField("time", Instant.now().toString());
                    json.writeStringField("id", exchange.request().id());
                    JsonWriting.textField(json, "failure", trace);
                    json.writeEndObject();
                }),
                StandardCharsets.UTF_8);
    }
}
