package io.github.sgpt4j.server.routing;

import io.github.sgpt4j.server.ServerOptions;
import io.github.sgpt4j.server.http.Request;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Excerpt;
import io.github.sgpt4j.server.problem.Problem;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/// The names that a server answers to. A page of a stranger may get a name of its own to lead to the address of this
/// machine (DNS rebinding), and its browser then takes this server for a part of that site; but it says that name in
/// the header `Host`.
final class Hosts {
    private static final Pattern LITERAL = Pattern.compile("[0-9.]+|[0-9a-f:.]*:[0-9a-f:.]*");

    private final boolean checked;
    private final Set<String> names = new HashSet<>();

    /// Checked if names are given, or it listens at a loopback address, which others could not reach otherwise.
    Hosts(ServerOptions options) {
        List<String> given = options.allowedHosts();
        checked = !given.contains(ServerOptions.ALL_HOSTS) && (!given.isEmpty() || isLocal(options.host()));
        names.add("localhost");
        names.add(name(options.host()));
        given.forEach(host -> names.add(name(host)));
    }

    private static boolean isLocal(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            // Nothing can listen there either.
            return true;
        }
    }

    /// @throws ApiException if the request is for another name. One without the header is from no browser.
    void require(Request request) {
        for (String host : request.headers().getOrDefault("host", List.of())) {
            if (checked && !isAllowed(name(host))) {
                throw new ApiException(
                        Problem.HOST_NOT_ALLOWED,
                        "this server does not answer to the host %s: expected localhost, or a name that --allowed-hosts gives"
                                .formatted(Excerpt.of(host)));
            }
        }
    }

    private boolean isAllowed(String name) {
        return names.contains(name) || LITERAL.matcher(name).matches() && isLoopbackLiteral(name);
    }

    private static boolean isLoopbackLiteral(String name) {
        try {
            return InetAddress.ofLiteral(name).isLoopbackAddress();
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /// Without port, brackets and the dot at the end.
    private static String name(String host) {
        String text = host.strip().toLowerCase(Locale.ROOT);
        if (text.startsWith("[")) {
            int end = text.indexOf(']');
            return end < 0 ? text : text.substring(1, end);
        }
        int colon = text.indexOf(':');
        String name = colon < 0 || colon != text.lastIndexOf(':') ? text : text.substring(0, colon);
        return name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
    }
}
