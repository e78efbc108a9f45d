package io.github.sgpt4j.weightstools.hub;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RateFloorTest {
    private long now = 17;

    private RateFloor floor(long rate) {
        return new RateFloor(rate, Duration.ofSeconds(60), () -> now);
    }

    /// Transfers measured second by second.
    private void receive(RateFloor.Meter meter, int perSecond, int seconds) throws TransientException {
        for (int i = 0; i < seconds; i++) {
            now += TimeUnit.SECONDS.toNanos(1);
            meter.add(perSecond);
        }
    }

    @Test
    void endsWhatIsTooSlowAfterAWindowAndNotBefore() {
        RateFloor.Meter meter = floor(10_000).start();
        assertDoesNotThrow(() -> receive(meter, 9_999, 59));
        TransientException failure = assertThrows(TransientException.class, () -> receive(meter, 9_999, 1));
        assertEquals("fewer than 10,000 bytes a second arrived over 60 s", failure.getMessage());
        assertTrue(failure.isSlow());
    }

    @Test
    void letsPassWhatIsJustQuickEnough() {
        RateFloor.Meter meter = floor(10_000).start();
        assertDoesNotThrow(() -> receive(meter, 10_000, 1000));
    }

    @Test
    void noticesWhatBecomesSlow() {
        RateFloor.Meter meter = floor(10_000).start();
        assertDoesNotThrow(() -> receive(meter, 1_000_000, 61));
        assertThrows(TransientException.class, () -> receive(meter, 10, 120));
    }

    @Test
    void severalBodiesShareTheRate() {
        RateFloor floor = floor(10_000);
        RateFloor.Meter first = floor.start();
        RateFloor.Meter second = floor.start();
        assertDoesNotThrow(() -> receive(first, 5_000, 120));
        second.close();
        second.close();
        assertThrows(TransientException.class, () -> receive(first, 5_000, 120));
    }

    @Test
    void zeroIsNoFloor() {
        RateFloor.Meter meter = floor(0).start();
        assertDoesNotThrow(() -> receive(meter, 0, 1000));
    }
}
