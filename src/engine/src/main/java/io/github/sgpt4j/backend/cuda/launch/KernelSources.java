package io.github.sgpt4j.backend.cuda.launch;

import io.github.sgpt4j.error.BackendException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The kernels as they lie beside this class: compiled, and as sources.
public final class KernelSources {
    private static final String FATBIN = "sgpt4j.fatbin";
    private static final Pattern INCLUDE = Pattern.compile("(?m)^\\s*#\\s*include\\s+\"([^\"]+)\"");

    private KernelSources() {}

    /// All kernels compiled at build time, or empty if the build had no compiler for them.
    public static Optional<byte[]> compiled() {
        return read(FATBIN);
    }

    /// @param text the file itself
    /// @param headers what it includes, by the names it includes them by
    record Source(String text, Map<String, String> headers) {}

    static Source source(KernelFile file) {
        String text = text(file.file());
        Map<String, String> headers = new TreeMap<>();
        collect(text, headers);
        return new Source(text, headers);
    }

    /// Headers include one another by their own names, the first file by their folder as well.
    private static void collect(String text, Map<String, String> headers) {
        Matcher include = INCLUDE.matcher(text);
        while (include.find()) {
            String name = include.group(1);
            if (headers.containsKey(name) || name.contains("emulation")) {
                continue;
            }
            String header = read(name)
                    .or(() -> read("common/" + name))
                    .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
                    .orElseThrow(() -> new BackendException("cuda: kernel header %s is missing".formatted(name)));
            headers.put(name, header);
            collect(header, headers);
        }
    }

    private static String text(String name) {
        return read(name)
                .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
                .orElseThrow(() -> new BackendException(
                        "cuda: kernel source %s is missing: this build of the engine has no kernels".formatted(name)));
    }

    private static Optional<byte[]> read(String name) {
        try (InputStream in = KernelSources.class.getResourceAsStream(name)) {
            return in == null ? Optional.empty() : Optional.of(in.readAllBytes());
        } catch (IOException e) {
            throw new BackendException("cuda: kernel file %s cannot be read: %s".formatted(name, e.getMessage()), e);
        }
    }
}
