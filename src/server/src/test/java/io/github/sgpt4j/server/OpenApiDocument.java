package io.github.sgpt4j.server;

import static io.github.sgpt4j.server.Expected.rows;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.dialect.Dialects;
import java.net.http.HttpResponse;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// An OpenAPI 3.1 document, and checks of requests and answers against it.
final class OpenApiDocument {
    private static final List<String> METHODS = List.of("get", "post", "put", "delete", "patch");
    /// Headers that belong to the API; the others are those of HTTP.
    private static final String API_HEADERS = "x-(?!content-type-options).*|retry-after|www-authenticate";

    private final JsonNode root;
    private final SchemaRegistry registry = SchemaRegistry.withDialect(Dialects.getDraft202012());
    private final Map<JsonNode, Schema> schemas = new ConcurrentHashMap<>();

    OpenApiDocument(String text) {
        root = RunningServer.parsed(text);
    }

    /// Operations by method and path, such as `POST /embed`.
    Map<String, JsonNode> operations() {
        Map<String, JsonNode> operations = new LinkedHashMap<>();
        root.get("paths")
                .propertyStream()
                .forEach(path -> METHODS.forEach(method -> {
                    if (path.getValue().has(method)) {
                        operations.put(
                                method.toUpperCase(Locale.ROOT) + " " + path.getKey(),
                                path.getValue().get(method));
                    }
                }));
        return operations;
    }

    private JsonNode resolved(JsonNode node) {
        if (!node.has("$ref")) {
            return node;
        }
        String reference = node.get("$ref").textValue();
        assertTrue(reference.startsWith("#/"), reference);
        JsonNode target = root.at(reference.substring(1));
        assertFalse(target.isMissingNode(), reference);
        return resolved(target);
    }

    /// Checks what a schema of requests and answers does not.
    void check() {
        assertEquals("3.1.0", root.get("openapi").textValue());
        Set<String> tags = new HashSet<>();
        rows(root.get("tags")).forEach(tag -> tags.add(tag.get("name").textValue()));
        Set<String> ids = new HashSet<>();
        operations().forEach((name, operation) -> {
            assertTrue(ids.add(operation.get("operationId").textValue()), name);
            rows(operation.get("tags")).forEach(tag -> assertTrue(tags.contains(tag.textValue()), name));
            assertFalse(operation.get("summary").textValue().isBlank(), name);
            rows(operation.get("parameters"))
                    .forEach(parameter -> assertTrue(resolved(parameter).has("schema"), name));
            operation.get("responses").forEach(response -> {
                assertFalse(resolved(response).get("description").textValue().isBlank(), name);
                resolved(response)
                        .get("headers")
                        .forEach(header -> assertTrue(resolved(header).has("schema")));
            });
            long inPath = name.chars().filter(c -> c == '{').count();
            assertEquals(
                    inPath,
                    rows(operation.get("parameters")).stream()
                            .filter(parameter ->
                                    resolved(parameter).get("in").textValue().equals("path"))
                            .count(),
                    name);
        });
        Set<String> used = new HashSet<>();
        root.findValues("$ref").forEach(reference -> {
            used.add(reference.textValue());
            assertFalse(root.at(reference.textValue().substring(1)).isMissingNode(), reference::textValue);
        });
        root.get("components")
                .propertyStream()
                .filter(kind -> !kind.getKey().equals("securitySchemes"))
                .forEach(kind -> kind.getValue()
                        .fieldNames()
                        .forEachRemaining(name -> assertTrue(
                                used.contains("#/components/%s/%s".formatted(kind.getKey(), name)),
                                () -> "unused: " + name)));
    }

    private JsonNode response(String operation, int status) {
        JsonNode responses = operations().get(operation).get("responses");
        JsonNode response = responses.get(String.valueOf(status));
        assertTrue(response != null, () -> "%s: status %d is not documented".formatted(operation, status));
        return resolved(response);
    }

    /// What is wrong with an answer's body.
    List<Error> errors(String method, String path, int status, String body) {
        JsonNode content = response(method + " " + path, status).get("content");
        return schema(content.get("application/json").get("schema")).validate(body, InputFormat.JSON);
    }

    /// A schema with the document's components beside it, to which it refers.
    private Schema schema(JsonNode schema) {
        return schemas.computeIfAbsent(schema, key -> {
            ObjectNode whole = key.deepCopy();
            whole.set("components", root.get("components"));
            return registry.getSchema(whole.toString(), InputFormat.JSON);
        });
    }

    private void checkJson(String what, JsonNode schema, String json) {
        List<Error> errors = schema(schema).validate(json, InputFormat.JSON);
        assertTrue(errors.isEmpty(), () -> "%s: %s in %s".formatted(what, errors, shown(json)));
    }

    private static String shown(String text) {
        return text.length() <= 600 ? text : text.substring(0, 600) + "…";
    }

    /// Asserts that a request's body is as documented.
    void checkRequest(String operation, String body) {
        JsonNode content = operations().get(operation).at("/requestBody/content");
        checkJson(operation, content.get("application/json").get("schema"), body);
    }

    /// Asserts that an answer is documented: status, media type, headers and body.
    void checkAnswer(String operation, HttpResponse<String> answer) {
        String what = "%s %d %s".formatted(operation, answer.statusCode(), shown(answer.body()));
        JsonNode response = response(operation, answer.statusCode());
        if (!response.has("content")) {
            assertEquals("", answer.body(), what);
            checkHeaders(what, response, answer);
            return;
        }
        String media =
                answer.headers().firstValue("content-type").orElse("none").split(";", 2)[0];
        JsonNode content = response.get("content").get(media);
        assertTrue(content != null, () -> "%s: media type %s is not documented".formatted(what, media));
        if (media.equals("application/json")) {
            checkJson(what, content.get("schema"), answer.body());
        }
        checkHeaders(what, response, answer);
    }

    private void checkHeaders(String what, JsonNode response, HttpResponse<String> answer) {
        JsonNode headers = response.get("headers");
        headers.propertyStream().forEach(header -> {
            JsonNode described = resolved(header.getValue());
            String value = answer.headers().firstValue(header.getKey()).orElse(null);
            if (value == null) {
                assertFalse(described.path("required").booleanValue(), () -> what + " lacks " + header.getKey());
                return;
            }
            boolean whole = described.at("/schema/type").asText().equals("integer");
            checkJson(
                    what + " " + header.getKey(),
                    described.get("schema"),
                    whole ? value : RunningServer.json((Object) value));
        });
        answer.headers().map().keySet().stream()
                .filter(name -> name.matches(API_HEADERS))
                .forEach(name -> assertTrue(headers.has(name), () -> what + ": " + name + " is not documented"));
    }
}
