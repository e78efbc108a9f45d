package io.github.sgpt4j.jmh;

import java.io.IOException;

/// Runs JMH, which forks processes with the flags of this one.
public final class Bench {
    private Bench() {}

    public static void main(String[] arguments) throws IOException {
        Settings.requireVectors();
        org.openjdk.jmh.Main.main(arguments);
    }
}
