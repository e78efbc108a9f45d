package io.github.sgpt4j.server.routing;

import io.github.sgpt4j.server.http.Request;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;

/// What clients have to know.
///
/// @param expected empty if nothing
record Key(Optional<String> expected) {
    /// @throws ApiException if the request does not have it
    void require(Request request) {
        if (expected.isEmpty()) {
            return;
        }
        String given = request.header("authorization").orElse("");
        boolean bearer = given.regionMatches(true, 0, "Bearer ", 0, 7);
        if (!bearer || !isKey(given.substring(7).strip())) {
            throw new ApiException(
                    Problem.INVALID_API_KEY,
                    bearer
                            ? "the API key is wrong"
                            : "the API key is missing: expected the header Authorization: Bearer KEY");
        }
    }

    /// Clients send UTF-8, but headers are read as ISO 8859-1; neither can have spaces at its ends.
    private boolean isKey(String given) {
        String key = expected.orElseThrow().strip();
        String decoded = new String(given.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
        boolean asRead = same(given, key);
        boolean asSent = same(decoded, key);
        return asRead || asSent;
    }

    /// In a time that does not depend on the contents.
    private static boolean same(String a, String b) {
        return MessageDigest.isEqual(digest(a), digest(b));
    }

    private static byte[] digest(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
