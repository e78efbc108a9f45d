package io.github.sgpt4j.server.search;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.SearchOptions;
import io.github.sgpt4j.retrieval.SemanticIndex;
import io.github.sgpt4j.retrieval.filter.Filter;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/// An index on disk. What other processes commit is found about a second later.
public final class IndexCollection implements SearchCollection {
    private static final Duration REFRESH = Duration.ofSeconds(1);

    private final String name;
    private final SemanticIndex index;
    private final Optional<BiEncoder> embedder;
    private final long refreshNanos;
    private final AtomicLong refreshed = new AtomicLong(System.nanoTime());

    private IndexCollection(String name, SemanticIndex index, Optional<BiEncoder> embedder, Duration refresh) {
        this.name = name;
        this.index = index;
        this.embedder = embedder;
        refreshNanos = refresh.toNanos();
    }

    /// Opens an index for searching, whether or not something is writing it.
    ///
    /// @param encoder embeds queries; borrowed, so it must outlive this; empty to search by words only
    /// @throws IOException if the index cannot be read
    /// @throws io.github.sgpt4j.error.FormatException if there is none, it is broken, or it was made
    ///     with another model
    public static IndexCollection open(Path path, Optional<BiEncoder> encoder) throws IOException {
        return open(path, encoder, REFRESH);
    }

    /// @param refresh shortest time between two looks for what other processes have committed
    static IndexCollection open(Path path, Optional<BiEncoder> encoder, Duration refresh) throws IOException {
        SemanticIndex index = encoder.isPresent()
                ? SemanticIndex.openReadOnly(path, encoder.get())
                : SemanticIndex.openReadOnly(path);
        Path last = path.toAbsolutePath().normalize().getFileName();
        return new IndexCollection(last == null ? "index" : last.toString(), index, encoder, refresh);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public int size() throws IOException {
        refresh();
        return index.size();
    }

    @Override
    public Optional<BiEncoder> encoder() {
        return embedder;
    }

    @Override
    public List<Hit> search(String query, float[] vector, SearchOptions options) throws IOException {
        refresh();
        return index.search(query, vector, options);
    }

    @Override
    public List<String> notices(Filter filter) throws IOException {
        return index.notices(filter);
    }

    /// One thread looks; the others go on with what is there.
    private void refresh() throws IOException {
        long last = refreshed.get();
        long now = System.nanoTime();
        if (now - last >= refreshNanos && refreshed.compareAndSet(last, now)) {
            index.refresh();
        }
    }

    @Override
    public void close() throws IOException {
        index.close();
    }
}
