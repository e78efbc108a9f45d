package io.github.sgpt4j.inference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.inference.TokenizedWindows.Ahead;
import io.github.sgpt4j.tokenizer.EncodedText;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class TokenizedWindowsTest {
    private static final List<String> TEXTS = List.of("0", "1", "2", "3", "4");

    private final Map<String, Thread> encoded = new ConcurrentHashMap<>();

    private EncodedText encode(int index) {
        String text = TEXTS.get(index);
        encoded.put(text, Thread.currentThread());
        return new EncodedText(new int[] {Integer.parseInt(text)}, 1);
    }

    @ParameterizedTest
    @EnumSource
    void windowsFollowOneAnother(Ahead ahead) {
        try (TokenizedWindows windows =
                new TokenizedWindows(TEXTS.size(), 2, ahead, this::encode, Cancellation.NEVER)) {
            List<Integer> firsts = new ArrayList<>();
            List<Integer> ids = new ArrayList<>();
            for (var window = windows.next(); window.isPresent(); window = windows.next()) {
                firsts.add(window.get().first());
                for (EncodedText text : window.get().texts()) {
                    assertEquals(1, text.ids().length);
                    ids.add(text.ids()[0]);
                }
            }
            assertEquals(List.of(0, 2, 4), firsts);
            assertEquals(List.of(0, 1, 2, 3, 4), ids);
            assertEquals(Optional.empty(), windows.next());
        }
    }

    @Test
    void withoutWorkAheadEverythingIsMadeByTheCallerWhenAskedFor() {
        try (TokenizedWindows windows =
                new TokenizedWindows(TEXTS.size(), 2, Ahead.NOT, this::encode, Cancellation.NEVER)) {
            windows.next();
            assertEquals(2, encoded.size());
            windows.next();
            assertEquals(4, encoded.size());
            encoded.values().forEach(thread -> assertSame(Thread.currentThread(), thread));
        }
    }

    @Test
    void theNextWindowIsMadeInTheBackgroundWhileOneIsUsed() throws InterruptedException {
        CountDownLatch second = new CountDownLatch(2);
        TokenizedWindows.Encoding encoding = text -> {
            EncodedText ids = encode(text);
            if (text == 2 || text == 3) {
                second.countDown();
            }
            return ids;
        };
        try (TokenizedWindows windows =
                new TokenizedWindows(TEXTS.size(), 2, Ahead.ONE_THREAD, encoding, Cancellation.NEVER)) {
            windows.next();
            second.await();
            assertSame(Thread.currentThread(), encoded.get("0"));
            assertNotEquals(Thread.currentThread(), encoded.get("2"));
            assertSame(encoded.get("2"), encoded.get("3"));
            // At most one window is tokenized ahead.
            assertTrue(!encoded.containsKey("4"));
            assertArrayEquals(
                    new int[] {2}, windows.next().orElseThrow().texts()[0].ids());
        }
    }

    @Test
    void aFailureInTheBackgroundComesOutWhereItsWindowIsAskedFor() {
        IllegalArgumentException failure = new IllegalArgumentException("text 3");
        TokenizedWindows.Encoding encoding = text -> {
            if (text == 3) {
                throw failure;
            }
            return encode(text);
        };
        try (TokenizedWindows windows =
                new TokenizedWindows(TEXTS.size(), 2, Ahead.ONE_THREAD, encoding, Cancellation.NEVER)) {
            assertEquals(0, windows.next().orElseThrow().first());
            assertSame(failure, assertThrows(IllegalArgumentException.class, windows::next));
        }
    }

    @Test
    void anInterruptEndsTheWaitForTheBackgroundAndTheBackground() {
        Cancellation cancellation = Cancellation.ofThisThread("tokenizing");
        Thread caller = Thread.currentThread();
        CountDownLatch begun = new CountDownLatch(1);
        TokenizedWindows.Encoding endless = text -> {
            while (text == 2) {
                begun.countDown();
                cancellation.check();
                Thread.onSpinWait();
            }
            return encode(text);
        };
        try (TokenizedWindows windows =
                new TokenizedWindows(TEXTS.size(), 2, Ahead.ONE_THREAD, endless, cancellation)) {
            windows.next();
            Thread.ofPlatform().daemon().start(() -> {
                while (begun.getCount() > 0 || caller.getState() != Thread.State.WAITING) {
                    Thread.onSpinWait();
                }
                caller.interrupt();
            });
            assertThrows(CancelledException.class, windows::next);
        }
        assertTrue(Thread.interrupted());
        assertTrue(!encoded.containsKey("3"));
    }

    @ParameterizedTest
    @EnumSource
    void anInterruptLeavesTheTextsThatFollow(Ahead ahead) {
        Cancellation cancellation = Cancellation.ofThisThread("tokenizing");
        Thread caller = Thread.currentThread();
        TokenizedWindows.Encoding interrupting = text -> {
            caller.interrupt();
            return encode(text);
        };
        try (TokenizedWindows windows = new TokenizedWindows(TEXTS.size(), 2, ahead, interrupting, cancellation)) {
            assertThrows(CancelledException.class, () -> {
                windows.next();
                windows.next();
            });
        }
        assertTrue(Thread.interrupted());
        assertTrue(encoded.size() <= 2, encoded::toString);
    }
}
