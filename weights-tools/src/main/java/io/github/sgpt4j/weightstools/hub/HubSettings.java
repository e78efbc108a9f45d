package io.github.sgpt4j.weightstools.hub;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The address of a hub, the identity of the user, and the place where models are kept.
///
/// @param endpoint address of the hub, `http` or `https`; it may include a path prefix
/// @param token to authenticate with; empty to read it from `tokenFile`
/// @param tokenFile where a login left a token; need not exist
/// @param cache folder of all models, in the layout of the Python client; need not exist
/// @param offline whether connections are forbidden
/// @param symlinks whether snapshots may consist of symbolic links
/// @param timeout how long to wait for a connection, for a response, and for further bytes of it
/// @param proxies addresses of proxies by scheme (`http`, `https`, `all`), and under `no` the hosts to
///     reach directly
public record HubSettings(
        String endpoint,
        Optional<String> token,
        Optional<Path> tokenFile,
        Path cache,
        boolean offline,
        boolean symlinks,
        Duration timeout,
        Map<String, String> proxies) {
    /// The public hub.
    public static final String DEFAULT_ENDPOINT = "https://huggingface.co";

    private static final Set<String> TRUE = Set.of("1", "ON", "YES", "TRUE");
    private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(10);
    private static final Pattern VARIABLE = Pattern.compile("\\$(?:\\{([^}]*)}|(\\w+))");

    /// @throws IllegalArgumentException if `timeout` is not positive
    public HubSettings {
        proxies = Map.copyOf(proxies);
        if (!timeout.isPositive()) {
            throw new IllegalArgumentException("expected a positive timeout, got " + timeout);
        }
    }

    /// The settings in environment variables, as the Python client reads them: `HF_ENDPOINT`;
    /// `HF_TOKEN`, or a file named by `HF_TOKEN_PATH` or `token` in `HF_HOME`, unless
    /// `HF_HUB_DISABLE_IMPLICIT_TOKEN`; `HF_HUB_CACHE`, or `hub` in `HF_HOME`, or in `huggingface` in
    /// `XDG_CACHE_HOME`; `HF_HUB_OFFLINE`; `HF_HUB_DISABLE_SYMLINKS`; `HF_HUB_DOWNLOAD_TIMEOUT`;
    /// `HTTPS_PROXY` and the other proxy variables. An empty variable counts as not set.
    ///
    /// @throws IllegalArgumentException if a variable is not a path, or not a number where one is
    ///     needed
    public static HubSettings of(Map<String, String> environment) {
        Environment variables = new Environment(environment);
        Path home = variables
                .path("HF_HOME")
                .orElseGet(() -> variables
                        .path("XDG_CACHE_HOME")
                        .orElseGet(() -> variables.home().resolve(".cache"))
                        .resolve("huggingface"));
        boolean anonymous = variables.isTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN");
        Optional<String> token = variables.first("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN");
        Path tokenFile = variables.path("HF_TOKEN_PATH").orElseGet(() -> home.resolve("token"));
        return new HubSettings(
                variables.first("HF_ENDPOINT").orElse(DEFAULT_ENDPOINT),
                anonymous ? Optional.empty() : token,
                anonymous ? Optional.empty() : Optional.of(tokenFile),
                variables
                        .path("HF_HUB_CACHE")
                        .or(() -> variables.path("HUGGINGFACE_HUB_CACHE"))
                        .orElseGet(() -> home.resolve("hub")),
                variables.isTrue(
                        variables.first("HF_HUB_OFFLINE").isPresent() ? "HF_HUB_OFFLINE" : "TRANSFORMERS_OFFLINE"),
                !variables.isTrue("HF_HUB_DISABLE_SYMLINKS"),
                variables.seconds("HF_HUB_DOWNLOAD_TIMEOUT").orElse(DEFAULT_TIMEOUT),
                variables.proxies());
    }

    /// Shows everything except the token and the proxies, which may contain passwords.
    @Override
    public String toString() {
        return "HubSettings[endpoint=%s, token=%s, cache=%s, offline=%s, symlinks=%s, timeout=%s]"
                .formatted(endpoint, token.isPresent() ? "(given)" : "(none)", cache, offline, symlinks, timeout);
    }

    private record Environment(Map<String, String> values) {
        /// The value of the first variable that is set.
        Optional<String> first(String... names) {
            return List.of(names).stream()
                    .map(name -> values.getOrDefault(name, "").strip())
                    .filter(value -> !value.isEmpty())
                    .findFirst();
        }

        boolean isTrue(String name) {
            return first(name)
                    .filter(value -> TRUE.contains(value.toUpperCase(Locale.ROOT)))
                    .isPresent();
        }

        Optional<Duration> seconds(String name) {
            return first(name).map(value -> {
                if (!value.matches("[0-9]{1,6}") || value.matches("0+")) {
                    throw new IllegalArgumentException(
                            "%s: expected a number of seconds, got \"%s\"".formatted(name, value));
                }
                return Duration.ofSeconds(Long.parseLong(value));
            });
        }

        Optional<Path> path(String name) {
            return first(name).map(value -> path(name, expanded(value)));
        }

        private static Path path(String name, String value) {
            try {
                return Path.of(value);
            } catch (InvalidPathException e) {
                throw new IllegalArgumentException("%s: not a path: %s".formatted(name, e.getReason()), e);
            }
        }

        Path home() {
            return path("HOME", first("HOME").orElseGet(() -> System.getProperty("user.home", ".")));
        }

        /// With a leading `~` and variables replaced. Variables that are not set are left unchanged.
        private String expanded(String value) {
            boolean inHome = value.equals("~") || value.startsWith("~/");
            String start = inHome ? home() + value.substring(1) : value;
            return VARIABLE.matcher(start).replaceAll(match -> {
                String name = match.group(1) == null ? match.group(2) : match.group(1);
                return Matcher.quoteReplacement(values.getOrDefault(name, match.group()));
            });
        }

        Map<String, String> proxies() {
            Map<String, String> proxies = new HashMap<>();
            for (String kind : List.of("http", "https", "all", "no")) {
                String lower = kind + "_proxy";
                first(lower, lower.toUpperCase(Locale.ROOT)).ifPresent(value -> proxies.put(kind, value));
            }
            return proxies;
        }
    }
}
