package io.github.sgpt4j.weightstools.hub;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/// A hub with a model, an empty cache, and a listener that records its calls.
abstract class HubFixture {
    static final HubModel MODEL = new HubModel("owner", "some-model", "main");
    static final Retries FAST = new Retries(4, Duration.ofMillis(1), Duration.ofMillis(4), Duration.ofSeconds(2));

    /// The time over which rates are measured.
    static final Duration WINDOW = Duration.ofMillis(100);

    @TempDir
    Path folder;

    Path cache;
    FakeHub server;
    final Listener listener = new Listener();

    static final class Listener implements HubListener {
        final List<String> notices = new CopyOnWriteArrayList<>();
        final List<String> fetched = new CopyOnWriteArrayList<>();
        final List<Map.Entry<Long, Long>> steps = new CopyOnWriteArrayList<>();

        @Override
        public void notice(String sentence) {
            notices.add(sentence);
        }

        @Override
        public void progress(long done, long total) {
            steps.add(Map.entry(done, total));
        }

        @Override
        public void fetched(String path, long bytes) {
            fetched.add(path);
        }
    }

    static final class Settings {
        private String endpoint;
        private Optional<String> token = Optional.empty();
        private Optional<Path> tokenFile = Optional.empty();
        private final Path cache;
        private boolean offline;
        private boolean symlinks = true;
        private Duration timeout = Duration.ofSeconds(10);

        Settings(String endpoint, Path cache) {
            this.endpoint = endpoint;
            this.cache = cache;
        }

        Settings endpoint(String value) {
            endpoint = value;
            return this;
        }

        Settings token(Optional<String> value) {
            token = value;
            return this;
        }

        Settings tokenFile(Optional<Path> value) {
            tokenFile = value;
            return this;
        }

        Settings offline(boolean value) {
            offline = value;
            return this;
        }

        Settings symlinks(boolean value) {
            symlinks = value;
            return this;
        }

        Settings timeout(Duration value) {
            timeout = value;
            return this;
        }

        HubSettings build() {
            return new HubSettings(endpoint, token, tokenFile, cache, offline, symlinks, timeout, Map.of());
        }
    }

    @BeforeEach
    void start() throws IOException {
        cache = folder.resolve("cache");
        server = new FakeHub().withModel();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    Settings settings() {
        return new Settings(server.endpoint(), cache);
    }

    Hub hub() {
        return hub(settings().build());
    }

    static Hub hub(HubSettings settings) {
        return new Hub(settings, FAST, WINDOW);
    }

    Path download(HubModel model) throws IOException {
        return hub().download(model, HubOptions.DEFAULT, listener);
    }

    Path repository() {
        return cache.resolve("models--owner--some-model");
    }
}
