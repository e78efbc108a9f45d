package io.github.sgpt4j.testing;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/// Tests of the CUDA backend run on the stand-in that the module `kernels` builds, or on a real device.
/// The build sets the properties in a separate run.
public final class CudaTests {
    /// System property of the run for the CUDA backend.
    static final String PROPERTY = "sgpt4j.test.onCuda";

    private CudaTests() {}

    /// Whether this is the run for the CUDA backend.
    public static boolean active() {
        return Boolean.getBoolean(PROPERTY);
    }

    /// Whether a real device is requested.
    public static boolean real() {
        return folder().equals("system");
    }

    private static String folder() {
        return System.getProperty("sgpt4j.test.cuda", "");
    }

    /// Skips the test unless this is the run for the CUDA backend. A missing stand-in fails the test if
    /// it could have been built, so that no test is skipped silently.
    public static void require() {
        assumeTrue(active(), "only in the run for the CUDA backend");
        if (real() || Files.exists(Path.of(folder(), "libcuda.so.1"))) {
            return;
        }
        assumeFalse(Boolean.getBoolean("sgpt4j.test.skipKernels"), "needs the stand-in, left out by -DskipKernels");
        String compiler = System.getenv().getOrDefault("CXX", "g++");
        assumeTrue(onPath(compiler) && onPath("make"), "needs the stand-in, which is only built with g++ and make");
        fail("needs the stand-in, and there is none in " + Path.of(folder()).normalize()
                + ": run kernels/build.sh standin first (minutes, once), or leave these tests out with -DskipKernels");
    }

    private static boolean onPath(String program) {
        return Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder).resolve(program)));
    }

    /// Skips the test unless it runs on the stand-in.
    public static void requireStandIn() {
        require();
        assumeTrue(!real(), "needs the stand-in");
    }

    /// Single short texts are computed by graphs in backends that are opened before this is closed.
    public static Graphs graphs() {
        System.setProperty(Graphs.PROPERTY, "true");
        return new Graphs();
    }

    /// Sets the system property for graphs.
    public static final class Graphs implements AutoCloseable {
        private static final String PROPERTY = "sgpt4j.cuda.graphs";

        private Graphs() {}

        @Override
        public void close() {
            System.clearProperty(PROPERTY);
        }
    }

    /// Options of the stand-in, effective when a device is opened next; closing resets them.
    public static StandIn standIn(String... keysAndValues) {
        requireStandIn();
        Map<String, String> options = new TreeMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            options.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        StandIn.write(options);
        return new StandIn();
    }

    /// Sets options of the stand-in.
    public static final class StandIn implements AutoCloseable {
        private StandIn() {}

        private static void write(Map<String, String> options) {
            StringBuilder text = new StringBuilder();
            options.forEach(
                    (key, value) -> text.append(key).append('=').append(value).append('\n'));
            try {
                Files.writeString(Path.of(System.getenv("SGPT_STANDIN_OPTIONS")), text);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void close() {
            write(Map.of());
        }
    }
}
