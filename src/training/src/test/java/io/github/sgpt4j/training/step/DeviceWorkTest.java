package io.github.sgpt4j.training.step;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.CancelledException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DeviceWorkTest {
    private static final int DEVICES = 3;

    /// Ends when the thread is interrupted, as work on a device does.
    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new CancelledException("cancelled");
        }
    }

    @Test
    void devicesWorkAtTheSameTime() {
        CyclicBarrier all = new CyclicBarrier(DEVICES);
        Set<Integer> done = ConcurrentHashMap.newKeySet();
        DeviceWork.each(DEVICES, device -> {
            try {
                all.await();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
            done.add(device);
        });
        assertEquals(Set.of(0, 1, 2), done);
    }

    @Test
    void oneDeviceWorksOnTheCallersThread() {
        Thread caller = Thread.currentThread();
        DeviceWork.each(1, device -> {
            assertEquals(0, device);
            assertSame(caller, Thread.currentThread());
        });
    }

    @Test
    void aFailureEndsTheOthersAndIsThrown() {
        CountDownLatch never = new CountDownLatch(1);
        AtomicInteger cancelled = new AtomicInteger();
        OutOfMemoryError failure = new OutOfMemoryError("of the last device");
        Throwable thrown = assertThrows(
                OutOfMemoryError.class,
                () -> DeviceWork.each(DEVICES, device -> {
                    if (device == DEVICES - 1) {
                        throw failure;
                    }
                    try {
                        await(never);
                    } catch (CancelledException e) {
                        cancelled.incrementAndGet();
                        throw e;
                    }
                }));
        assertSame(failure, thrown);
        assertEquals(DEVICES - 1, cancelled.get());
        assertFalse(Thread.currentThread().isInterrupted());
    }

    @Test
    void anInterruptOfTheCallerEndsAll() {
        CountDownLatch never = new CountDownLatch(1);
        AtomicInteger cancelled = new AtomicInteger();
        Thread caller = Thread.currentThread();
        assertThrows(
                CancelledException.class,
                () -> DeviceWork.each(DEVICES, device -> {
                    if (device == 0) {
                        caller.interrupt();
                    }
                    try {
                        await(never);
                    } catch (CancelledException e) {
                        cancelled.incrementAndGet();
                        throw e;
                    }
                }));
        assertTrue(Thread.interrupted());
        assertEquals(DEVICES, cancelled.get());
    }
}
