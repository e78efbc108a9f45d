package io.github.sgpt4j.backend.cuda.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.sgpt4j.backend.cuda.device.CudaDevices;
import io.github.sgpt4j.backend.cuda.ffi.Driver;
import io.github.sgpt4j.backend.cuda.ffi.Streams;
import io.github.sgpt4j.testing.CudaTests;
import io.github.sgpt4j.testing.StandInWaits;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Device memory that is back in its pool holds nothing: on the stand-in, which reports who believes otherwise.
@Tag("cuda-only")
class GivenBackTest {
    private static final long BYTES = 4096;

    @BeforeEach
    void requireStandIn() {
        CudaTests.requireStandIn();
    }

    /// Uses memory that a pool has had back, on the pool's stream and another.
    private interface Use {
        void with(DevicePool pool, long address, long compute, long other);
    }

    /// Reports while memory that was written is given back and used again.
    private static long reports(Use use) {
        try (var _ = CudaTests.standIn("SGPT_STANDIN_GO_ON", "1", "SGPT_STANDIN_QUIET", "1")) {
            int device = Driver.device(CudaDevices.usable(0).ordinal());
            Driver.setCurrent(Driver.retainContext(device));
            long before = StandInWaits.reports();
            long compute = Streams.createStream();
            long other = Streams.createStream();
            try (DevicePool pool = new DevicePool("test", compute, () -> false)) {
                DeviceBuffer buffer = pool.take(BYTES, compute);
                Streams.fill(buffer.address(), 7, BYTES / Integer.BYTES, compute);
                buffer.close();
                use.with(pool, buffer.address(), compute, other);
                Driver.synchronizeContext();
            } finally {
                Streams.destroyStream(compute);
                Streams.destroyStream(other);
                Driver.releaseContext(device);
            }
            return StandInWaits.reports() - before;
        }
    }

    @Test
    void whoTakesItMayWriteIt() {
        long found = reports((pool, address, compute, other) -> {
            for (long stream : new long[] {compute, other}) {
                try (DeviceBuffer again = pool.take(BYTES, stream)) {
                    assertEquals(address, again.address());
                    Streams.fill(address, 8, BYTES / Integer.BYTES, stream);
                    Streams.synchronizeStream(stream);
                }
            }
        });
        assertEquals(0, found);
    }

    @Test
    void anotherStreamHasToWait() {
        long found = reports((pool, address, compute, other) -> Streams.fill(address, 8, BYTES / Integer.BYTES, other));
        assertEquals(1, found);
    }

    @Test
    void nobodyReadsWhatWasThere() {
        long found = reports((pool, address, compute, other) -> {
            try (PinnedPool hosts = new PinnedPool()) {
                Streams.copyOut(hosts.take(BYTES).memory(), address, BYTES, compute);
                Streams.synchronizeStream(compute);
            }
        });
        assertEquals(1, found);
    }
}
