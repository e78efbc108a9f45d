package io.github.sgpt4j.server.dialect;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.sgpt4j.server.inference.Computed;
import java.io.IOException;

/// The field `usage`: tokens computed, with brackets and prompts, without what was cut.
final class Usage {
    private Usage() {}

    static void write(JsonGenerator json, Computed computed) throws IOException {
        json.writeObjectFieldStart("usage");
        json.writeNumberField("prompt_tokens", computed.totalTokens());
        json.writeNumberField("total_tokens", computed.totalTokens());
        json.writeEndObject();
    }
}
