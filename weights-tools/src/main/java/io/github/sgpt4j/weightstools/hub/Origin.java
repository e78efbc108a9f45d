package io.github.sgpt4j.weightstools.hub;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/// Scheme, host and port of an address: the server that is asked. A token belongs to one origin.
///
/// @param scheme `http` or `https`
/// @param host in lower case
/// @param port the default port if the address has none
record Origin(String scheme, String host, int port) {
    private static final int HTTP_PORT = 80;
    private static final int HTTPS_PORT = 443;
    private static final String UNRESERVED = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

    /// @throws HubException if the address has no host, or another scheme
    static Origin of(URI address) throws HubException {
        String scheme = String.valueOf(address.getScheme()).toLowerCase(Locale.ROOT);
        String host = address.getHost();
        if (host == null || !scheme.equals("http") && !scheme.equals("https")) {
            throw new HubException("expected an address with http or https and a host, got something else");
        }
        int implied = scheme.equals("https") ? HTTPS_PORT : HTTP_PORT;
        int port = address.getPort() < 0 ? implied : address.getPort();
        return new Origin(scheme, host.toLowerCase(Locale.ROOT), port);
    }

    boolean isEncrypted() {
        return scheme.equals("https");
    }

    /// The hub's address, without a trailing slash.
    ///
    /// @throws HubException if it is not such an address
    static URI endpoint(String text) throws HubException {
        try {
            URI address = new URI(text.strip().replaceAll("/+$", ""));
            of(address);
            if (address.getRawUserInfo() == null && address.getRawQuery() == null && address.getRawFragment() == null) {
                return address;
            }
        } catch (URISyntaxException | HubException e) {
            throw new HubException(
                    "HF_ENDPOINT: expected an address such as https://huggingface.co, got \"%s\"".formatted(text), e);
        }
        throw new HubException("HF_ENDPOINT: expected an address without user, query and fragment");
    }

    /// A text as one segment of a path, with slashes encoded.
    static String segment(String text) {
        StringBuilder encoded = new StringBuilder();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            if (UNRESERVED.indexOf(b) >= 0) {
                encoded.append((char) b);
            } else {
                encoded.append("%%%02X".formatted(b & 0xff));
            }
        }
        return encoded.toString();
    }

    @Override
    public String toString() {
        boolean implied = port == (isEncrypted() ? HTTPS_PORT : HTTP_PORT);
        return scheme + "://" + host + (implied ? "" : ":" + port);
    }
}
