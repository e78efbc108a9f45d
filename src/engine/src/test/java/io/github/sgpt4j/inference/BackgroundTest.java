package io.github.sgpt4j.inference;

import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.testing.FewThreads;
import org.junit.jupiter.api.Test;

class BackgroundTest {
    @Test
    void withoutAThreadItIsComputedAtOnce() {
        FewThreads one = new FewThreads(1);
        try (Background<Thread> beside = Background.start(Thread::currentThread, one);
                Background<Thread> here = Background.start(Thread::currentThread, one)) {
            assertNotSame(Thread.currentThread(), beside.future().join());
            assertSame(Thread.currentThread(), here.future().join());
        }
        Background<Integer> broken = Background.start(() -> Integer.parseInt("x"), one);
        broken.close();
        assertTrue(broken.future().exceptionNow() instanceof NumberFormatException, "thrown to who asks");
    }
}
