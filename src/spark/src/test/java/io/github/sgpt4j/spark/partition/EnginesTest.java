package io.github.sgpt4j.spark.partition;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.error.FormatException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/// One engine for equal settings, for as long as it is of use.
class EnginesTest {
    private static final EngineSettings OTHER = EngineSettings.DEFAULT.withThreads(1);

    @Test
    void tasksShareOneEngine() throws Exception {
        Engines engines = new Engines();
        Set<BiEncoder> used = new HashSet<>();
        try (ExecutorService tasks = Executors.newFixedThreadPool(8)) {
            List<Future<BiEncoder>> all = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                all.add(tasks.submit(() -> {
                    try (Engines.Lease lease = engines.use(EngineSettings.DEFAULT)) {
                        return lease.biEncoder();
                    }
                }));
            }
            for (Future<BiEncoder> task : all) {
                used.add(task.get());
            }
        }
        assertEquals(1, used.size());
        assertEquals(1, engines.opened());
        engines.closeIdle();
        assertEquals(0, engines.size());
    }

    @Test
    void anIdleEngineWaitsForTheNextTaskAndMakesWayForAnother() {
        Engines engines = new Engines();
        BiEncoder first;
        try (Engines.Lease lease = engines.use(EngineSettings.DEFAULT)) {
            first = lease.biEncoder();
        }
        try (Engines.Lease lease = engines.use(EngineSettings.DEFAULT)) {
            assertSame(first, lease.biEncoder());
        }
        try (Engines.Lease lease = engines.use(OTHER)) {
            assertEquals(1, engines.size());
            assertThrows(IllegalStateException.class, () -> first.embed("closed"));
            assertEquals(256, lease.biEncoder().embed("open").length);
        }
        engines.closeIdle();
    }

    @Test
    void anEngineInUseStaysOpen() {
        Engines engines = new Engines();
        Engines.Lease lease = engines.use(EngineSettings.DEFAULT);
        engines.use(OTHER).close();
        assertEquals(2, engines.size());
        engines.closeIdle();
        assertEquals(1, engines.size());
        assertEquals(256, lease.biEncoder().embed("open").length);
        lease.close();
        lease.close();
        assertThrows(IllegalStateException.class, lease::biEncoder);
        try (Engines.Lease again = engines.use(EngineSettings.DEFAULT)) {
            // Closing twice has not made this use invisible.
            engines.closeIdle();
            assertEquals(256, again.biEncoder().embed("open").length);
        }
        engines.closeIdle();
    }

    @Test
    void aModelThatCannotBeOpenedLeavesNothing() {
        Engines engines = new Engines();
        FormatException e = assertThrows(
                FormatException.class, () -> engines.use(EngineSettings.DEFAULT.withModel("/no/such/model")));
        assertEquals("/no/such/model: expected a model directory, found nothing", e.getMessage());
        assertEquals(0, engines.size());
    }

    @Test
    void settingsAreChecked() {
        assertThrows(IllegalArgumentException.class, () -> EngineSettings.DEFAULT.withDevice("gpu"));
        assertThrows(IllegalArgumentException.class, () -> EngineSettings.DEFAULT.withDtype("int3"));
        assertThrows(IllegalArgumentException.class, () -> EngineSettings.DEFAULT.withThreads(-1));
        assertThrows(IllegalArgumentException.class, () -> EngineSettings.DEFAULT.withBatchTokens(-1));
    }
}
