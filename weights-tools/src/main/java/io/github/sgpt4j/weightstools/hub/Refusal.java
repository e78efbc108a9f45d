package io.github.sgpt4j.weightstools.hub;

import io.github.sgpt4j.text.Quoted;
import java.net.http.HttpHeaders;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The meaning of a status other than success.
///
/// @param repository what was requested
/// @param endpoint address of the hub
/// @param identified whether a token was sent
record Refusal(HubRepository repository, String endpoint, boolean identified) {
    private static final Set<Integer> TRANSIENT = Set.of(408, 425, 429, 500, 502, 503, 504);
    private static final Pattern RATE_LIMIT = Pattern.compile(";\\s*r\\s*=\\s*0+\\s*;\\s*t\\s*=\\s*(\\d{1,6})");

    HubException of(int status, HttpHeaders headers, String what) {
        if (TRANSIENT.contains(status)) {
            return later(status, headers, what);
        }
        String code = headers.firstValue("X-Error-Code").orElse("");
        String reason = code.equals("GatedRepo") ? restricted() : reason(status, code);
        return new HubException("%s: status %d from %s: %s%s".formatted(what, status, endpoint, reason, said(headers)));
    }

    private String reason(int status, String code) {
        return switch (status) {
            case 401 ->
                identified
                        ? "the token is not accepted, or may not read this %1$s, or there is no such %1$s"
                                .formatted(noun())
                        : "there is no such %s, or it is not public (then HF_TOKEN must be set)".formatted(noun());
            case 403 -> restricted();
            case 404 ->
                switch (code) {
                    case "RevisionNotFound" -> "there is no revision " + Quoted.of(repository.revision());
                    case "EntryNotFound" -> "there is no such file";
                    case "RepoNotFound" -> "there is no such " + noun();
                    default -> "there is no such %s, revision or file".formatted(noun());
                };
            default -> "expected an answer";
        };
    }

    private String noun() {
        return RepositoryKind.of(repository).noun();
    }

    private String restricted() {
        return "access is restricted: accept the %s's licence at %s%s, and set HF_TOKEN to a token of that account"
                .formatted(noun(), endpoint, RepositoryKind.of(repository).page(repository));
    }

    private TransientException later(int status, HttpHeaders headers, String what) {
        Optional<Duration> wait = headers.firstValue("Retry-After")
                .flatMap(Refusal::retryAfter)
                .or(() ->
                        status == 429 ? headers.firstValue("RateLimit").flatMap(Refusal::rateLimit) : Optional.empty());
        String reason = status == 429 ? ", too many requests" : "";
        String asks = wait.map(time -> ", which asks to retry in %d s".formatted(time.toSeconds()))
                .orElse("");
        return TransientException.later(
                "%s: got status %d from %s%s%s".formatted(what, status, endpoint, reason, asks), wait);
    }

    /// A number of seconds, or a date.
    private static Optional<Duration> retryAfter(String value) {
        String text = value.strip();
        if (text.matches("\\d{1,9}")) {
            return Optional.of(Duration.ofSeconds(Long.parseLong(text)));
        }
        try {
            Instant date = ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME)
                    .toInstant();
            Duration wait = Duration.between(Instant.now(), date);
            return wait.isNegative() ? Optional.empty() : Optional.of(wait);
        } catch (DateTimeException | ArithmeticException e) {
            return Optional.empty();
        }
    }

    /// The hub's own header: `"api";r=0;t=55` means that no requests are left for 55 seconds.
    private static Optional<Duration> rateLimit(String value) {
        Matcher matcher = RATE_LIMIT.matcher(value);
        return matcher.find() ? Optional.of(Duration.ofSeconds(Long.parseLong(matcher.group(1)))) : Optional.empty();
    }

    private static String said(HttpHeaders headers) {
        return headers.firstValue("X-Error-Message")
                .map(text -> " (it says " + Quoted.of(text) + ")")
                .orElse("");
    }
}
