package io.github.sgpt4j.weightstools.hub;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// The proxies named by `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.
final class EnvironmentProxies extends ProxySelector {
    private static final int HTTP_PORT = 80;
    private static final int HTTPS_PORT = 443;

    private final Map<String, Proxy> proxies = new HashMap<>();
    private final List<String> direct;

    private EnvironmentProxies(Map<String, String> variables) throws HubException {
        for (String kind : List.of("http", "https", "all")) {
            if (variables.containsKey(kind)) {
                proxies.put(kind, proxy(kind, variables.getOrDefault(kind, "")));
            }
        }
        direct = List.of(
                variables.getOrDefault("no", "").toLowerCase(Locale.ROOT).split("[\\s,]+"));
    }

    /// @param variables in the form of [HubSettings#proxies]
    /// @return empty if none is named
    /// @throws HubException if a proxy's address is not supported
    static Optional<ProxySelector> of(Map<String, String> variables) throws HubException {
        boolean any = variables.keySet().stream().anyMatch(kind -> !kind.equals("no"));
        return any ? Optional.of(new EnvironmentProxies(variables)) : Optional.empty();
    }

    /// Messages do not show the value, which may contain a password.
    private static Proxy proxy(String kind, String value) throws HubException {
        String name = kind.toUpperCase(Locale.ROOT) + "_PROXY";
        URI address;
        try {
            address = new URI(value.contains("://") ? value : "http://" + value);
        } catch (URISyntaxException e) {
            throw new HubException("%s: expected the address of a proxy, got something else".formatted(name), e);
        }
        if (address.getRawUserInfo() != null) {
            throw new HubException("%s: a proxy with user name and password is not supported".formatted(name));
        }
        if (address.getHost() == null || !"http".equalsIgnoreCase(address.getScheme())) {
            throw new HubException("%s: expected http://HOST:PORT of a proxy, got something else".formatted(name));
        }
        int port = address.getPort() < 0 ? HTTP_PORT : address.getPort();
        return new Proxy(Proxy.Type.HTTP, InetSocketAddress.createUnresolved(address.getHost(), port));
    }

    @Override
    public List<Proxy> select(URI address) {
        Proxy all = proxies.getOrDefault("all", Proxy.NO_PROXY);
        return isDirect(address)
                ? List.of(Proxy.NO_PROXY)
                : List.of(proxies.getOrDefault(address.getScheme().toLowerCase(Locale.ROOT), all));
    }

    /// A name in the list, with or without a leading dot, means the host itself and its subdomains.
    private boolean isDirect(URI address) {
        String host = address.getHost().toLowerCase(Locale.ROOT);
        int implied = "https".equalsIgnoreCase(address.getScheme()) ? HTTPS_PORT : HTTP_PORT;
        String port = ":" + (address.getPort() < 0 ? implied : address.getPort());
        for (String entry : direct) {
            String name = entry.endsWith(port) ? entry.substring(0, entry.length() - port.length()) : entry;
            name = name.startsWith(".") ? name.substring(1) : name;
            if (entry.equals("*") || !name.isEmpty() && (host.equals(name) || host.endsWith("." + name))) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void connectFailed(URI address, SocketAddress proxy, IOException failure) {
        // The caller gets the failure anyway.
    }
}
