package io.github.sgpt4j.cli.console;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Constructor;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/// The standard error stream as passed by the launcher script.
///
/// The virtual machine announces every incubator module on descriptor 2 before any program code runs. The script
/// filters that descriptor and passes the caller's own stderr as another one, named by the system property
/// `sgpt4j.stderr`. Writing there preserves terminal behaviour and the order of lines.
public final class StandardError {
    private static final String DESCRIPTOR = "sgpt4j.stderr";

    private StandardError() {}

    /// Points `System.err` at the descriptor that the launcher named. Does nothing without the launcher. If the
    /// descriptor cannot be opened, `System.err` stays as it is, which shows the same text.
    public static void restore() {
        Integer number = Integer.getInteger(DESCRIPTOR);
        if (number == null) {
            return;
        }
        try {
            Constructor<FileDescriptor> constructor = FileDescriptor.class.getDeclaredConstructor(int.class);
            constructor.setAccessible(true);
            String charset = System.getProperty("stderr.encoding", System.getProperty("native.encoding"));
            System.setErr(new PrintStream(
                    new FileOutputStream(constructor.newInstance(number)), true, Charset.forName(charset)));
        } catch (ReflectiveOperationException | RuntimeException e) {
            System.err.println("sgpt: cannot open the caller's stderr, using the filtered one: " + e);
        }
    }

    /// Tells the launcher script to check its jars and its ahead-of-time cache for damage, which can cause any
    /// failure that the program has no sentence for. Does nothing without the launcher.
    public static void requestFileCheck() {
        if (Integer.getInteger(DESCRIPTOR) != null) {
            new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.US_ASCII)
                    .println("sgpt: check");
        }
    }

    /// Columns of the terminal behind stderr, as determined by the launcher; 0 if stderr is not a terminal.
    public static int terminalColumns() {
        return Math.max(0, Integer.getInteger("sgpt4j.terminalColumns", 0));
    }
}
