package io.github.sgpt4j.server.routing;

import io.github.sgpt4j.server.http.Response;
import io.github.sgpt4j.server.json.JsonWriting;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;

/// How errors are said.
public enum Dialect {
    /// OpenAI's, with the message once more at the top for Cohere's client.
    OPENAI {
        @Override
        Response error(ApiException e) {
            Problem problem = e.problem();
            return JsonWriting.response(problem.status(), json -> {
                json.writeStartObject();
                json.writeObjectFieldStart("error");
                JsonWriting.textField(json, "message", e.sentence());
                json.writeStringField("type", problem.type());
                if (e.field().isPresent()) {
                    JsonWriting.textField(json, "param", e.field().get());
                } else {
                    json.writeNullField("param");
                }
                json.writeStringField("code", problem.code());
                json.writeEndObject();
                JsonWriting.textField(json, "message", e.sentence());
                json.writeEndObject();
            });
        }
    },
    /// That of text-embeddings-inference.
    TEI {
        @Override
        Response error(ApiException e) {
            Problem problem = e.problem();
            return JsonWriting.response(problem.teiStatus(), json -> {
                json.writeStartObject();
                JsonWriting.textField(json, "error", e.sentence());
                json.writeStringField("error_type", problem.teiType());
                json.writeEndObject();
            });
        }
    };

    /// The answer to a request that failed.
    abstract Response error(ApiException e);
}
