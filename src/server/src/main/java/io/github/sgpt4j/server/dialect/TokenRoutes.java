package io.github.sgpt4j.server.dialect;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.Token;
import io.github.sgpt4j.server.http.Response;
import io.github.sgpt4j.server.inference.Input;
import io.github.sgpt4j.server.inference.TextSizes;
import io.github.sgpt4j.server.json.Json;
import io.github.sgpt4j.server.json.JsonObject;
import io.github.sgpt4j.server.json.JsonWriting;
import io.github.sgpt4j.server.models.ServedModel;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import io.github.sgpt4j.server.routing.Access;
import io.github.sgpt4j.server.routing.Dialect;
import io.github.sgpt4j.server.routing.Exchange;
import io.github.sgpt4j.server.routing.Route;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/// The routes of text-embeddings-inference (router/src/http) that tokenize, and join tokens to texts. Their answers can
/// be many times as long as what is asked.
public final class TokenRoutes {
    /// A token, its text, and its part of the answer, in pieces and joined.
    private static final long TOKEN_BYTES = 256;
    /// A token as JSON, without its text.
    private static final long TOKEN_JSON_BYTES = 64;
    /// A text of two bytes a character while it is joined, and its JSON, in pieces and joined.
    private static final int TEXT_COPIES = 6;

    private final Supplier<Service> service;

    /// @param service there once the models are loaded
    public TokenRoutes(Supplier<Service> service) {
        this.service = service;
    }

    /// All of them.
    public List<Route> routes() {
        return List.of(
                new Route("POST", "/tokenize", Access.COMPUTING, Dialect.TEI, this::tokenize),
                new Route("POST", "/decode", Access.COMPUTING, Dialect.TEI, this::decode));
    }

    private Response tokenize(Exchange exchange) {
        Service now = service.get();
        JsonObject body = exchange.body();
        Json inputs = body.required("inputs", "a string or an array of strings");
        List<String> texts = inputs instanceof Json.Text(String text) ? List.of(text) : body.requiredTexts("inputs");
        if (texts.isEmpty()) {
            throw new ApiException(Problem.EMPTY_INPUT, "inputs", "inputs is empty: expected at least one text");
        }
        Input.requireAtMost("inputs", texts.size(), now.options().limits().clientBatchSize());
        boolean special = body.truth("add_special_tokens").orElse(true);
        ServedModel model = now.model(body.text("model"));
        String prompt = prompt(model, body);
        List<List<Token>> tokens =
                tokens(model.model(), texts.stream().map(prompt::concat).toList(), special, exchange);
        long size = TOKEN_JSON_BYTES * tokens.stream().mapToLong(List::size).sum();
        return exchange.json(size, json -> {
            json.writeStartArray();
            for (List<Token> of : tokens) {
                json.writeStartArray();
                for (Token token : of) {
                    write(json, token);
                }
                json.writeEndArray();
            }
            json.writeEndArray();
        });
    }

    /// The tokens of each text, once there is memory for them and for an answer that has them all.
    static List<List<Token>> tokens(Model model, List<String> texts, boolean special, Exchange exchange) {
        long characters = TextSizes.characters(texts);
        // Their number is known at a fraction of the cost.
        long count = exchange.work(
                characters,
                () -> texts.stream()
                        .mapToLong(text -> model.tokenize(text, special).length)
                        .sum());
        exchange.reserve(TOKEN_BYTES * count);
        return exchange.work(
                characters,
                () -> texts.stream().map(text -> model.tokens(text, special)).toList());
    }

    private static String prompt(ServedModel model, JsonObject body) {
        Optional<String> name = body.text("prompt_name");
        if (name.isEmpty()) {
            return "";
        }
        String prompt = model.info().prompts().get(name.get());
        if (prompt == null) {
            throw new ApiException(
                    Problem.INVALID_VALUE,
                    "prompt_name",
                    "prompt_name: expected one of %s"
                            .formatted(model.info().prompts().keySet()));
        }
        return prompt;
    }

    private static void write(JsonGenerator json, Token token) throws IOException {
        json.writeStartObject();
        json.writeNumberField("id", token.id());
        JsonWriting.textField(json, "text", token.text());
        json.writeBooleanField("special", token.special());
        if (token.start() < 0) {
            json.writeNullField("start");
            json.writeNullField("stop");
        } else {
            json.writeNumberField("start", token.start());
            json.writeNumberField("stop", token.end());
        }
        json.writeEndObject();
    }

    private Response decode(Exchange exchange) {
        Service now = service.get();
        JsonObject body = exchange.body();
        Json value = body.required("ids", "an array of token ids, or of such arrays");
        List<int[]> all = new ArrayList<>();
        switch (value) {
            case Json.Integers(int[] ids) -> all.add(ids);
            case Json.Elements(List<Json> elements) -> {
                Input.requireAtMost(
                        "ids", elements.size(), now.options().limits().clientBatchSize());
                for (int i = 0; i < elements.size(); i++) {
                    all.add(ids("ids[%d]".formatted(i), elements.get(i)));
                }
            }
            default -> throw JsonObject.wrong("ids", "an array of token ids, or of such arrays", value);
        }
        if (all.isEmpty()) {
            throw new ApiException(Problem.EMPTY_INPUT, "ids", "ids is empty: expected at least one token id");
        }
        boolean skip = body.truth("skip_special_tokens").orElse(true);
        Model model = now.model(body.text("model")).model();
        long ids = all.stream().mapToLong(each -> each.length).sum();
        long size = exchange.work(ids, () -> size(model, all));
        exchange.reserve(TEXT_COPIES * size);
        List<String> texts = exchange.work(
                ids, () -> all.stream().map(each -> decode(model, each, skip)).toList());
        return exchange.json(size, json -> {
            json.writeStartArray();
            for (String text : texts) {
                JsonWriting.text(json, text);
            }
            json.writeEndArray();
        });
    }

    /// Most bytes of the texts as JSON: each token by itself, which may have a space that it loses after others.
    private static long size(Model model, List<int[]> all) {
        Map<Integer, Long> sizes = new HashMap<>();
        long size = 0;
        for (int[] ids : all) {
            for (int id : ids) {
                size += sizes.computeIfAbsent(id, one -> 1 + JsonWriting.size(decode(model, new int[] {one}, false)));
            }
        }
        return size;
    }

    private static String decode(Model model, int[] ids, boolean skip) {
        try {
            return model.detokenize(ids, skip);
        } catch (IllegalArgumentException e) {
            throw new ApiException(Problem.INVALID_TOKEN, "ids", String.valueOf(e.getMessage()));
        }
    }

    private static int[] ids(String place, Json value) {
        return switch (value) {
            case Json.Integers(int[] ids) -> ids;
            case Json.Elements(List<Json> none) when none.isEmpty() -> new int[0];
            default -> throw JsonObject.wrong(place, "an array of token ids", value);
        };
    }
}
