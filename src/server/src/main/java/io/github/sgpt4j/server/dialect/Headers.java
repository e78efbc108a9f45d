package io.github.sgpt4j.server.dialect;

import io.github.sgpt4j.server.http.Response;
import io.github.sgpt4j.server.inference.Computed;
import io.github.sgpt4j.server.metrics.Timing;
import java.util.LinkedHashMap;
import java.util.Map;

/// The headers that text-embeddings-inference sends with computed answers.
final class Headers {
    private Headers() {}

    static Response describe(Response response, Computed computed, String computeType) {
        Timing timing = computed.timing();
        Map<String, String> headers = new LinkedHashMap<>(response.headers());
        headers.put("x-compute-type", computeType);
        headers.put("x-compute-time", milliseconds(timing.total()));
        headers.put("x-total-time", milliseconds(timing.total()));
        headers.put("x-tokenization-time", milliseconds(timing.tokenization()));
        headers.put("x-queue-time", milliseconds(timing.queue()));
        headers.put("x-inference-time", milliseconds(timing.inference()));
        headers.put("x-compute-characters", String.valueOf(computed.characters()));
        headers.put("x-compute-tokens", String.valueOf(computed.totalTokens()));
        if (computed.cut() > 0) {
            headers.put("x-truncated", String.valueOf(computed.cut()));
        }
        return new Response(response.status(), headers, response.body());
    }

    private static String milliseconds(double seconds) {
        return String.valueOf(Math.round(seconds * 1e3));
    }
}
