package io.github.sgpt4j.jmh;

import io.github.sgpt4j.backend.cpu.kernel.Simd;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// A description of the machine for reports.
final class Machine {
    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

    /// Keys of /proc/cpuinfo that identify the processor, on x86 and on Arm.
    private static final List<String> KEYS =
            List.of("cpu family", "model", "stepping", "CPU implementer", "CPU variant", "CPU part", "CPU revision");

    /// Features that matter for vector and matrix code.
    private static final Pattern FEATURES = Pattern.compile("sse4_2|avx.*|f16c|fma|amx.*|asimd.*|sve.*|i8mm|bf16");

    /// Variables that limit other libraries to narrower vectors; set by jmh/run.
    private static final List<String> SETTINGS =
            List.of("OPENBLAS_CORETYPE", "ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS");

    private Machine() {}

    static List<String> facts() {
        List<String> facts = new ArrayList<>();
        Map<String, String> info = info();
        facts.add("Processor: %s, %d processors, %s"
                .formatted(processor(info), Runtime.getRuntime().availableProcessors(), System.getProperty("os.arch")));
        facts.add("Features: " + features(info));
        facts.add("System: %s %s".formatted(System.getProperty("os.name"), System.getProperty("os.version")));
        facts.add("Java: %s %s, %s"
                .formatted(
                        System.getProperty("java.vendor"),
                        System.getProperty("java.runtime.version"),
                        String.join(" ", flags())));
        others().ifPresent(facts::add);
        facts.add("Threads of each library: " + Settings.threads());
        double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
        facts.add(String.format(
                Locale.ROOT,
                "Load average at the start: %.2f%s",
                load,
                load > 0.5 ? " (**the machine was not idle**: do not trust absolute numbers)" : ""));
        return facts;
    }

    /// Options of this virtual machine, except those that are paths.
    private static List<String> flags() {
        return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> !flag.contains("/"))
                .toList();
    }

    /// For example `Intel(R) Xeon(R), family 6 model 143 stepping 8`: the name alone says little on virtual
    /// machines.
    private static String processor(Map<String, String> info) {
        String which = KEYS.stream()
                .filter(info::containsKey)
                .map(key -> key.substring(key.indexOf(' ') + 1) + " " + info.get(key))
                .collect(Collectors.joining(" "));
        String name = info.getOrDefault("model name", "unknown");
        return which.isEmpty() ? name : name + ", " + which;
    }

    private static String features(Map<String, String> info) {
        String all = info.getOrDefault("flags", info.getOrDefault("Features", ""));
        String some = Arrays.stream(all.split("\\s+"))
                .filter(feature -> FEATURES.matcher(feature).matches())
                .collect(Collectors.joining(" "));
        return some.isEmpty() ? "unknown" : some;
    }

    /// The entries of /proc/cpuinfo for the first processor; empty if there is no such file.
    private static Map<String, String> info() {
        Map<String, String> info = new HashMap<>();
        try (Stream<String> lines = Files.lines(CPU_INFO)) {
            lines.takeWhile(line -> !line.isBlank())
                    .map(line -> line.split(":", 2))
                    .forEach(line -> {
                        if (line.length == 2) {
                            info.putIfAbsent(line[0].strip(), line[1].strip());
                        }
                    });
        } catch (IOException | UncheckedIOException e) {
            return Map.of();
        }
        return info;
    }

    /// The vectors that the other libraries use; empty unless a width was set for ours.
    private static Optional<String> others() {
        List<String> settings = SETTINGS.stream()
                .filter(name -> System.getenv(name) != null)
                .map(name -> name + "=" + System.getenv(name))
                .toList();
        if (!settings.isEmpty()) {
            return Optional.of("Others: " + String.join(" ", settings)
                    + "; ONNX Runtime and Jlama have no such setting and use the widest vectors");
        }
        return Optional.ofNullable(System.getProperty(Simd.WIDTH_PROPERTY))
                .map(bits -> "Others: not limited to %s bits, they use the widest vectors".formatted(bits));
    }
}
