package io.github.sgpt4j.server.dialect;

import io.github.sgpt4j.server.http.Body;
import io.github.sgpt4j.server.http.Response;
import io.github.sgpt4j.server.json.JsonWriting;
import io.github.sgpt4j.server.routing.Access;
import io.github.sgpt4j.server.routing.Dialect;
import io.github.sgpt4j.server.routing.Exchange;
import io.github.sgpt4j.server.routing.Route;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;

/// The OpenAPI document, which describes all routes for programs.
public final class DocumentRoutes {
    private static final String DOCUMENT = "/io/github/sgpt4j/server/openapi.json";

    /// All of them.
    public List<Route> routes() {
        return List.of(new Route("GET", "/openapi.json", Access.KEYED, Dialect.TEI, this::document));
    }

    private Response document(Exchange exchange) throws IOException {
        try (InputStream in = DocumentRoutes.class.getResourceAsStream(DOCUMENT)) {
            if (in == null) {
                throw new IllegalStateException("the server's jar lacks " + DOCUMENT);
            }
            return new Response(200, Map.of(), new Body.Bytes(JsonWriting.MEDIA_TYPE, in.readAllBytes()));
        }
    }
}
