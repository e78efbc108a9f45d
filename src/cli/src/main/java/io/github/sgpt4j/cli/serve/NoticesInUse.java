package io.github.sgpt4j.cli.serve;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// Says what comes up while models compute, each sentence once, a few seconds later: a server has no end at which it
/// could be said.
final class NoticesInUse {
    private static final Duration INTERVAL = Duration.ofSeconds(5);

    private final Supplier<List<String>> notices;
    private final Consumer<String> say;
    private final Set<String> said = new HashSet<>();

    /// @param notices so far
    NoticesInUse(Supplier<List<String>> notices, Consumer<String> say) {
        this.notices = notices;
        this.say = say;
    }

    /// Says what has come up since the last call.
    synchronized void tell() {
        notices.get().stream().filter(said::add).forEach(say);
    }

    /// Tells for as long as the process runs.
    void start() {
        Thread.ofPlatform().daemon().name("sgpt-notices").start(() -> {
            try {
                while (true) {
                    Thread.sleep(INTERVAL);
                    tell();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }
}
