package io.github.sgpt4j.server;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.server.batching.BatchQueue;
import io.github.sgpt4j.server.dialect.CohereRoutes;
import io.github.sgpt4j.server.dialect.DocumentRoutes;
import io.github.sgpt4j.server.dialect.ExplainRoutes;
import io.github.sgpt4j.server.dialect.InfoRoutes;
import io.github.sgpt4j.server.dialect.OpenAiRoutes;
import io.github.sgpt4j.server.dialect.RerankRoutes;
import io.github.sgpt4j.server.dialect.SearchRoutes;
import io.github.sgpt4j.server.dialect.Service;
import io.github.sgpt4j.server.dialect.TeiRoutes;
import io.github.sgpt4j.server.dialect.TokenRoutes;
import io.github.sgpt4j.server.inference.Inference;
import io.github.sgpt4j.server.inference.LongWork;
import io.github.sgpt4j.server.metrics.Metrics;
import io.github.sgpt4j.server.models.ServedModel;
import io.github.sgpt4j.server.models.ServedModels;
import io.github.sgpt4j.server.page.PageRoutes;
import io.github.sgpt4j.server.routing.Readiness;
import io.github.sgpt4j.server.routing.Route;
import io.github.sgpt4j.server.routing.Router;
import io.github.sgpt4j.server.search.SearchCollection;
import io.github.sgpt4j.server.transport.JdkTransport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Serves models over HTTP, as `src/docs/server.md` describes. Safe to share between threads.
///
/// It listens from [#start] on and says that it is not ready until [#serve] gives it models.
public final class SgptServer implements AutoCloseable {
    /// Batches that may wait, unless the limits say otherwise.
    private static final long WAITING_BATCHES = 256;
    /// Two would be smaller, and cost more time of the processors per text: `src/docs/benchmarks.md`.
    private static final int BATCHES_AT_A_TIME = 1;

    private final ServerOptions options;
    private final Metrics metrics = new Metrics();
    private final LongWork work = new LongWork(Runtime.getRuntime().availableProcessors());
    private final JdkTransport transport;
    private volatile Readiness readiness = Readiness.LOADING;
    private volatile @Nullable Service service;
    private boolean documentsPending;
    private boolean closed;

    private SgptServer(ServerOptions options, long memory) throws IOException {
        this.options = options;
        transport = new JdkTransport(
                new InetSocketAddress(options.host(), options.port()),
                options.limits(),
                new Router(routes(), options, metrics, work, () -> readiness, memory));
    }

    /// Listens.
    ///
    /// @throws IOException if the address cannot be used
    public static SgptServer start(ServerOptions options) throws IOException {
        return start(options, Runtime.getRuntime().maxMemory());
    }

    /// @param memory bytes, of which bodies and answers take up parts
    static SgptServer start(ServerOptions options, long memory) throws IOException {
        SgptServer server = new SgptServer(options, memory);
        server.transport.start();
        return server;
    }

    /// All that it answers; the first that fits a request does.
    List<Route> routes() {
        RerankRoutes rerank = new RerankRoutes(this::loaded);
        List<Route> routes = new ArrayList<>();
        InfoRoutes info = new InfoRoutes(() -> Optional.ofNullable(service), () -> readiness, metrics, options);
        routes.addAll(info.routes());
        routes.addAll(new OpenAiRoutes(this::loaded).routes());
        routes.addAll(new CohereRoutes(this::loaded).routes());
        routes.addAll(new TeiRoutes(this::loaded, rerank).routes());
        routes.addAll(new TokenRoutes(this::loaded).routes());
        routes.addAll(rerank.routes());
        routes.addAll(new DocumentRoutes().routes());
        routes.addAll(new SearchRoutes(this::loaded).routes());
        routes.addAll(new ExplainRoutes(this::loaded).routes());
        routes.addAll(new PageRoutes(info::health).routes());
        return routes;
    }

    private Service loaded() {
        Service loaded = service;
        if (loaded == null) {
            throw new IllegalStateException("the models are not loaded");
        }
        return loaded;
    }

    /// Answers with these models from now on.
    ///
    /// @param models closed by [#close], at once if that was called
    /// @throws IllegalStateException if there are models already
    public void serve(ServedModels models) {
        serve(models, Optional.empty());
    }

    /// Answers with these models, and searches these documents, from now on.
    ///
    /// @param models closed by [#close]
    /// @param collection closed by [#close], before the models, at once if that was called
    /// @throws IllegalStateException if there are models already
    public synchronized void serve(ServedModels models, Optional<SearchCollection> collection) {
        if (service != null) {
            throw new IllegalStateException("the server has models already");
        }
        if (closed) {
            end(models, collection);
            return;
        }
        int batchTokens = models.all().stream()
                .flatMapToInt(SgptServer::batchTokens)
                .min()
                .orElseThrow();
        BatchQueue queue = new BatchQueue(
                BATCHES_AT_A_TIME,
                batchTokens,
                options.limits().queueTokens().orElse(WAITING_BATCHES * batchTokens),
                metrics::batch);
        service = new Service(
                models,
                new Inference(queue, metrics, work),
                options,
                batchTokens,
                collection,
                documentsPending && collection.isEmpty());
        become(Readiness.READY);
    }

    /// Tells clients, from [#serve] on, that documents to search will come: by [#search], or not after all
    /// ([#searchNothing]).
    public synchronized void awaitDocuments() {
        documentsPending = true;
    }

    /// Tells clients that no documents come.
    ///
    /// @throws IllegalStateException if there are no models yet
    public synchronized void searchNothing() {
        documentsPending = false;
        service = loaded().with(loaded().collection());
    }

    /// Searches these documents from now on, if there were none before.
    ///
    /// @param collection closed by [#close], before the models
    /// @throws IllegalStateException if there are documents already, no models, or this is closed; the
    ///     caller closes the collection then
    public synchronized void search(SearchCollection collection) {
        Service now = loaded();
        if (closed) {
            throw new IllegalStateException("the server is closed");
        }
        if (now.collection().isPresent()) {
            throw new IllegalStateException("the server has documents already");
        }
        service = now.with(Optional.of(collection));
    }

    private static IntStream batchTokens(ServedModel model) {
        return Stream.concat(
                        model.encoder().map(BiEncoder::batchTokens).stream(),
                        model.scorer().map(CrossEncoder::batchTokens).stream())
                .mapToInt(Integer::intValue);
    }

    /// A server that is ending stays so.
    private synchronized void become(Readiness next) {
        if (readiness != Readiness.DRAINING) {
            readiness = next;
        }
    }

    /// Tells clients that the models could not be loaded.
    public void fail() {
        become(Readiness.FAILED);
    }

    /// Where it listens.
    public InetSocketAddress address() {
        return transport.address();
    }

    /// Refuses new requests and waits for those that run, as long as the limits say.
    ///
    /// @return whether all were answered
    /// @throws InterruptedException if this thread is interrupted
    public boolean drain() throws InterruptedException {
        become(Readiness.DRAINING);
        return transport.awaitIdle(options.limits().drain());
    }

    /// Ends at once: closes connections, then the models. [#drain] before it lets running requests finish.
    @Override
    public void close() {
        Service loaded;
        synchronized (this) {
            become(Readiness.DRAINING);
            closed = true;
            loaded = service;
        }
        transport.close();
        work.close();
        if (loaded != null) {
            loaded.inference().queue().close();
            end(loaded.models(), loaded.collection());
        }
    }

    private static void end(ServedModels models, Optional<SearchCollection> collection) {
        try {
            if (collection.isPresent()) {
                collection.get().close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            models.close();
        }
    }
}
