package io.github.sgpt4j.server;

import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.VectorRanges;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/// How a server listens and answers.
///
/// @param host address or name to listen at; the loopback address unless told otherwise
/// @param port 0 for any that is free
/// @param apiKey what clients have to know, if anything
/// @param corsOrigin origin whose pages may ask, `*` for all; empty for none
/// @param allowedHosts names besides `localhost`, the loopback addresses and `host` that requests may be for, or
///     [#ALL_HOSTS]; if there are none, only a server at a loopback address checks them
/// @param anyModel whether a request may name a model that is not served, and gets the first one
/// @param inputType kind of texts that requests say nothing about
/// @param autoTruncate whether texts that are too long are cut if requests say nothing about it
/// @param limits how much the server takes on
/// @param log gets a JSON object for each request; empty for no log
/// @param logTexts whether the log contains texts
/// @param ranges of the normalized vectors of the first model that embeds, for clients that ask for `int8` or `uint8`
/// @param version of the server, for `/info`
public record ServerOptions(
        String host,
        int port,
        Optional<String> apiKey,
        Optional<String> corsOrigin,
        List<String> allowedHosts,
        boolean anyModel,
        TextKind inputType,
        boolean autoTruncate,
        Limits limits,
        Optional<Consumer<String>> log,
        boolean logTexts,
        Optional<VectorRanges> ranges,
        String version) {
    /// Instead of names: requests may be for any.
    public static final String ALL_HOSTS = "*";

    private static final Pattern HOST = Pattern.compile("[A-Za-z0-9._-]+|\\[?[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*]?");

    /// At 127.0.0.1:8080, for everybody on this machine.
    public static final ServerOptions DEFAULT = new ServerOptions(
            "127.0.0.1",
            8080,
            Optional.empty(),
            Optional.empty(),
            List.of(),
            false,
            TextKind.TEXT,
            true,
            Limits.DEFAULT,
            Optional.empty(),
            false,
            Optional.empty(),
            "unknown");

    /// @throws IllegalArgumentException if the port is no port, the key is empty, the origin is no header's value, or
    ///     an allowed host is no name
    public ServerOptions {
        if (port < 0 || port > 65535) {
            throw new IllegalArgumentException("port: expected 0 to 65535, got " + port);
        }
        if (apiKey.isPresent() && apiKey.get().isBlank()) {
            throw new IllegalArgumentException("API key: expected at least one character, got none");
        }
        if (corsOrigin.isPresent() && !corsOrigin.get().chars().allMatch(c -> c > ' ' && c <= '~')) {
            throw new IllegalArgumentException(
                    "origin: expected * or one such as https://example.org, got \"%s\"".formatted(corsOrigin.get()));
        }
        allowedHosts = List.copyOf(allowedHosts);
        for (String name : allowedHosts) {
            if (!name.equals(ALL_HOSTS) && !HOST.matcher(name).matches()) {
                throw new IllegalArgumentException(
                        "allowed host: expected * or a name such as api.example.org, without a port, got \"%s\""
                                .formatted(name));
            }
        }
    }

    /// Mutable values for a changed copy.
    private static final class Draft {
        private String host;
        private int port;
        private Optional<String> apiKey;
        private Optional<String> corsOrigin;
        private List<String> allowedHosts;
        private boolean anyModel;
        private TextKind inputType;
        private boolean autoTruncate;
        private Limits limits;
        private Optional<Consumer<String>> log;
        private boolean logTexts;
        private Optional<VectorRanges> ranges;
        private String version;

        Draft(ServerOptions options) {
            host = options.host;
            port = options.port;
            apiKey = options.apiKey;
            corsOrigin = options.corsOrigin;
            allowedHosts = options.allowedHosts;
            anyModel = options.anyModel;
            inputType = options.inputType;
            autoTruncate = options.autoTruncate;
            limits = options.limits;
            log = options.log;
            logTexts = options.logTexts;
            ranges = options.ranges;
            version = options.version;
        }

        ServerOptions options() {
            return new ServerOptions(
                    host,
                    port,
                    apiKey,
                    corsOrigin,
                    allowedHosts,
                    anyModel,
                    inputType,
                    autoTruncate,
                    limits,
                    log,
                    logTexts,
                    ranges,
                    version);
        }
    }

    private ServerOptions changed(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.options();
    }

    /// At another address.
    public ServerOptions withAddress(String newHost, int newPort) {
        return changed(draft -> {
            draft.host = newHost;
            draft.port = newPort;
        });
    }

    /// For clients that know this key.
    public ServerOptions withApiKey(String value) {
        return changed(draft -> draft.apiKey = Optional.of(value));
    }

    /// For pages of this origin too.
    public ServerOptions withCorsOrigin(String value) {
        return changed(draft -> draft.corsOrigin = Optional.of(value));
    }

    /// For requests to these hosts too.
    ///
    /// @param names without ports, or [#ALL_HOSTS]
    public ServerOptions withAllowedHosts(List<String> names) {
        return changed(draft -> draft.allowedHosts = names);
    }

    /// Whether any name of a model is accepted.
    public ServerOptions withAnyModel(boolean value) {
        return changed(draft -> draft.anyModel = value);
    }

    /// With this kind for texts that requests say nothing about.
    public ServerOptions withInputType(TextKind value) {
        return changed(draft -> draft.inputType = value);
    }

    /// Whether texts that are too long are cut if requests say nothing about it.
    public ServerOptions withAutoTruncate(boolean value) {
        return changed(draft -> draft.autoTruncate = value);
    }

    /// With these limits.
    public ServerOptions withLimits(Limits value) {
        return changed(draft -> draft.limits = value);
    }

    /// With a log of requests.
    ///
    /// @param line gets a JSON object for each request; called by many threads
    /// @param texts whether the log contains texts
    public ServerOptions withLog(Consumer<String> line, boolean texts) {
        return changed(draft -> {
            draft.log = Optional.of(line);
            draft.logTexts = texts;
        });
    }

    /// With ranges for clients that ask for vectors of `int8` or `uint8`.
    ///
    /// @param value ranges of the normalized vectors of the first model that embeds; their dimension is the
    ///     one that can be asked for
    public ServerOptions withRanges(VectorRanges value) {
        return changed(draft -> draft.ranges = Optional.of(value));
    }

    /// With this version in `/info`.
    public ServerOptions withVersion(String value) {
        return changed(draft -> draft.version = value);
    }
}
