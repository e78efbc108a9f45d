package io.github.sgpt4j.weightstools.hub;

import io.github.sgpt4j.text.Quoted;
import java.io.IOException;
import java.net.ConnectException;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLHandshakeException;
import org.jspecify.annotations.Nullable;

/// Talks to a hub about one repository. Follows redirects itself, so that the token is sent only to the
/// hub's own scheme, host and port, and never again once a redirect has led elsewhere; redirects from
/// https to http are refused.
final class HubClient implements AutoCloseable {
    private static final int MAX_REDIRECTIONS = 10;
    private static final int MAX_DISCARDED = 1 << 16;
    private static final int MAX_LOCATION = 1 << 15;
    private static final Set<Integer> REDIRECTIONS = Set.of(301, 302, 303, 307, 308);

    private final HubRepository repository;
    private final HubSettings settings;
    private final URI endpoint;
    private final Origin origin;
    private final Optional<String> token;
    private final HttpClient http;
    private final RateFloor floor;

    /// @param floor ends responses that are too slow
    /// @throws HubException if the endpoint, the token or a proxy is malformed
    HubClient(HubSettings settings, HubRepository repository, RateFloor floor) throws IOException {
        this.repository = repository;
        this.floor = floor;
        this.settings = settings;
        this.endpoint = Origin.endpoint(settings.endpoint());
        this.origin = Origin.of(endpoint);
        this.token = HubToken.of(settings);
        // One connection per file at a time is faster than streams that share one, hence not HTTP/2.
        HttpClient.Builder builder = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(settings.timeout());
        builder.proxy(EnvironmentProxies.of(settings.proxies()).orElseGet(ProxySelector::getDefault));
        this.http = builder.build();
    }

    /// The address of a path below the endpoint.
    ///
    /// @param path encoded, starting with a slash
    URI at(String path) {
        return URI.create(endpoint + path);
    }

    /// The address of a file at a commit.
    ///
    /// @param path in the repository, segments separated by slashes
    URI file(String commit, String path) {
        StringBuilder address = new StringBuilder(
                RepositoryKind.of(repository).page(repository) + "/resolve/" + Origin.segment(commit));
        for (String segment : path.split("/")) {
            address.append('/').append(Origin.segment(segment));
        }
        return at(address.toString());
    }

    /// The hub's origin, for messages.
    Origin origin() {
        return origin;
    }

    /// Requests a body. The caller closes it.
    ///
    /// @param what names the requested item in messages
    /// @param headers additional headers to send
    /// @return a response with a status of 2xx, or 416 if a range was requested
    /// @throws TransientException if a retry may help
    /// @throws HubException if the hub refuses
    HttpResponse<BodyStream> get(URI address, String what, Map<String, String> headers) throws IOException {
        HttpResponse<BodyStream> response = send("GET", address, what, headers, true);
        int status = response.statusCode();
        if (status / 100 == 2 || status == 416 && headers.containsKey("Range")) {
            requireIdentity(response, what);
            return response;
        }
        throw refused(response, what);
    }

    /// Requests headers only, those of the hub itself: a redirect elsewhere is returned, not followed.
    HttpHeaders head(URI address, String what) throws IOException {
        HttpResponse<BodyStream> response = send("HEAD", address, what, Map.of(), false);
        if (response.statusCode() / 100 == 2 || REDIRECTIONS.contains(response.statusCode())) {
            response.body().close();
            return response.headers();
        }
        throw refused(response, what);
    }

    private HubException refused(HttpResponse<BodyStream> response, String what) {
        response.body().close();
        return new Refusal(repository, endpoint.toString(), token.isPresent())
                .of(response.statusCode(), response.headers(), what);
    }

    /// A compressed body would have a different length, and its ranges a different meaning.
    private static void requireIdentity(HttpResponse<BodyStream> response, String what) throws HubException {
        String encoding = response.headers().firstValue("Content-Encoding").orElse("identity");
        if (!encoding.equalsIgnoreCase("identity")) {
            response.body().close();
            throw new HubException(
                    "%s: expected a body without encoding, got encoding %s".formatted(what, Quoted.of(encoding)));
        }
    }

    private HttpResponse<BodyStream> send(
            String method, URI address, String what, Map<String, String> headers, boolean leave) throws IOException {
        URI target = address;
        boolean atHome = true;
        for (int i = 0; i <= MAX_REDIRECTIONS; i++) {
            HttpResponse<BodyStream> response = sendOnce(request(method, target, headers, atHome), what);
            if (!REDIRECTIONS.contains(response.statusCode())) {
                return response;
            }
            URI next = location(response, target, what);
            boolean stays = Origin.of(next).equals(origin);
            if (!stays && !leave) {
                return response;
            }
            response.body().discard(MAX_DISCARDED);
            if (Origin.of(target).isEncrypted() && !Origin.of(next).isEncrypted()) {
                throw new HubException(
                        "%s: %s leads from https to http, which is not followed".formatted(what, Origin.of(target)));
            }
            atHome &= stays;
            target = next;
        }
        throw new HubException("%s: expected at most %d redirections, got more".formatted(what, MAX_REDIRECTIONS));
    }

    private static URI location(HttpResponse<BodyStream> response, URI from, String what) throws HubException {
        String location = response.headers().firstValue("Location").orElse("");
        try {
            if (!location.isEmpty() && location.length() <= MAX_LOCATION) {
                URI next = from.resolve(location);
                Origin.of(next);
                if (next.getRawUserInfo() == null) {
                    return next;
                }
            }
        } catch (IllegalArgumentException | HubException e) {
            throw badLocation(response, what, e);
        }
        throw badLocation(response, what, null);
    }

    private static HubException badLocation(HttpResponse<BodyStream> response, String what, @Nullable Exception cause) {
        response.body().close();
        HubException failure =
                new HubException("%s: expected an http address in the redirection, got something else".formatted(what));
        if (cause != null) {
            failure.initCause(cause);
        }
        return failure;
    }

    private HttpRequest request(String method, URI target, Map<String, String> headers, boolean atHome) {
        HttpRequest.Builder request = HttpRequest.newBuilder(target)
                .method(method, HttpRequest.BodyPublishers.noBody())
                .header("User-Agent", "sgpt4j")
                .header("Accept-Encoding", "identity");
        headers.forEach(request::header);
        if (atHome) {
            token.ifPresent(secret -> request.header("Authorization", "Bearer " + secret));
        }
        return request.build();
    }

    private HttpResponse<BodyStream> sendOnce(HttpRequest request, String what) throws IOException {
        Origin asked = Origin.of(request.uri());
        try {
            return answer(request);
        } catch (HttpConnectTimeoutException e) {
            throw new TransientException(
                    "%s: no connection to %s within %d s"
                            .formatted(what, asked, settings.timeout().toSeconds()),
                    e);
        } catch (HttpTimeoutException e) {
            throw new TransientException("%s: no answer from %s in time".formatted(what, asked), e);
        } catch (ConnectException e) {
            throw new TransientException("%s: cannot connect to %s".formatted(what, asked), e);
        } catch (SSLHandshakeException e) {
            throw new HubException("%s: no secure connection to %s: %s".formatted(what, asked, e.getMessage()), e);
        } catch (IOException e) {
            throw new TransientException("%s: %s: %s".formatted(what, asked, e.getMessage()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Retries.interrupted(e);
        }
    }

    /// Waits for the headers. A request's own timeout would also end long bodies, on newer Java
    /// platforms.
    private HttpResponse<BodyStream> answer(HttpRequest request) throws IOException, InterruptedException {
        CompletableFuture<HttpResponse<BodyStream>> answer =
                http.sendAsync(request, info -> new BodyStream(settings.timeout(), floor));
        try {
            // As long again for the response as for the connection, which has a limit of its own.
            return answer.get(2 * settings.timeout().toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            HttpTimeoutException timeout = new HttpTimeoutException("no answer");
            timeout.initCause(e);
            throw timeout;
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException cause ? cause : new IOException(e.getCause());
        } finally {
            if (!answer.isDone()) {
                answer.cancel(true);
            }
        }
    }

    /// Whether a failure means that there was no connection at all.
    static boolean isUnconnected(TransientException failure) {
        return failure.getCause() instanceof ConnectException
                || failure.getCause() instanceof HttpConnectTimeoutException;
    }

    @Override
    public void close() {
        http.shutdownNow();
    }
}
