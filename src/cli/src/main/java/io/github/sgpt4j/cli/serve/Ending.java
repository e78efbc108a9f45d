package io.github.sgpt4j.cli.serve;

import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.server.SgptServer;
import java.util.concurrent.CountDownLatch;

/// Lets a server finish its requests when the process is asked to end (SIGTERM, Ctrl-C); the exit code is 0 then.
final class Ending implements AutoCloseable {
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Thread hook;

    private Ending(SgptServer server, Console console) {
        hook = new Thread(() -> end(server, console), "sgpt-ending");
    }

    static Ending of(SgptServer server, Console console) {
        Ending ending = new Ending(server, console);
        Runtime.getRuntime().addShutdownHook(ending.hook);
        return ending;
    }

    private void end(SgptServer server, Console console) {
        int code = 0;
        try {
            if (!server.drain()) {
                console.say("requests were still running at the end of --drain; they were cut off");
                code = 1;
            }
        } catch (InterruptedException e) {
            code = 1;
        }
        server.close();
        ended.countDown();
        // The code that the virtual machine would end with tells of the signal only.
        Runtime.getRuntime().halt(code);
    }

    /// Waits until the process ends.
    int await() {
        try {
            ended.await();
            return 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 1;
        }
    }

    /// Leaves signals to the virtual machine again.
    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process is ending: the hook does its work.
            return;
        }
    }
}
