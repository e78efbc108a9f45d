package io.github.sgpt4j.server.dialect;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.sgpt4j.server.inference.Computed;
import java.io.IOException;

/// The field `usage`: tokens computed, with brackets and prompts, without what was cut.
final class Usage {
    private Usage() {}

    static void write(JsonGenerator json, Computed computed) throws IOException {
        write(json, computed.totalTokens());
    }

    static void write(JsonGenerator json, long tokens) throws IOException {
        json.writeObjectFieldStart("usage");
        json.writeNumberField("prompt_tokens", tokens);
        json.writeNumberField("total_tokens", tokens);
        json.writeEndObject();
    }
}
