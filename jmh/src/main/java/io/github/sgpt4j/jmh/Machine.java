package io.github.sgpt4j.jmh;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/// What the numbers were measured on.
final class Machine {
    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

    private Machine() {}

    static List<String> facts() {
        List<String> facts = new ArrayList<>();
        facts.add("Processor: %s, %d processors, %s"
                .formatted(processor(), Runtime.getRuntime().availableProcessors(), System.getProperty("os.arch")));
        facts.add("System: %s %s".formatted(System.getProperty("os.name"), System.getProperty("os.version")));
        facts.add("Java: %s %s, %s"
                .formatted(
                        System.getProperty("java.vendor"),
                        System.getProperty("java.runtime.version"),
                        String.join(" ", flags())));
        facts.add("Threads of each library: " + Settings.threads());
        double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
        facts.add(String.format(
                Locale.ROOT,
                "Load average at the start: %.2f%s",
                load,
                load > 0.5 ? " (**the machine was not quiet**: do not trust absolute numbers)" : ""));
        return facts;
    }

    /// Options of this virtual machine, those that say where things lie left out.
    private static List<String> flags() {
        return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> !flag.contains("/"))
                .toList();
    }

    private static String processor() {
        if (!Files.isReadable(CPU_INFO)) {
            return "unknown";
        }
        try (Stream<String> lines = Files.lines(CPU_INFO)) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse("unknown");
        } catch (IOException e) {
            return "unknown";
        }
    }
}
