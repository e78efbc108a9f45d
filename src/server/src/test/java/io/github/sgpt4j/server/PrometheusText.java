package io.github.sgpt4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A strict reader of Prometheus' text format, version 0.0.4: fails at whatever the format does not allow.
final class PrometheusText {
    private static final String NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
    private static final Pattern TYPE =
            Pattern.compile("# TYPE (" + NAME + ") (counter|gauge|histogram|summary|untyped)");
    private static final Pattern LABEL =
            Pattern.compile("([a-zA-Z_][a-zA-Z0-9_]*)=\"((?:[^\"\\\\\n]|\\\\[\\\\\"n])*)\",?");
    private static final Pattern SAMPLE = Pattern.compile("(" + NAME + ")(?:\\{(.*)})? (\\S+)");
    private static final List<String> HISTOGRAM = List.of("_bucket", "_sum", "_count");

    private final Map<String, String> types = new LinkedHashMap<>();
    private final Map<String, Double> samples = new LinkedHashMap<>();
    private final Map<String, List<double[]>> buckets = new LinkedHashMap<>();

    PrometheusText(String text) {
        assertTrue(text.endsWith("\n"), "the last line ends too");
        String current = "";
        for (String line : text.split("\n")) {
            if (line.startsWith("#")) {
                Matcher type = TYPE.matcher(line);
                assertTrue(type.matches(), line);
                current = type.group(1);
                assertFalse(types.containsKey(current), () -> "a second type: " + line);
                types.put(type.group(1), type.group(2));
            } else {
                sample(current, line);
            }
        }
        types.forEach((name, type) -> {
            if (type.equals("histogram")) {
                checkHistogram(name);
            }
        });
    }

    private void sample(String family, String line) {
        Matcher sample = SAMPLE.matcher(line);
        assertTrue(sample.matches(), line);
        String name = sample.group(1);
        boolean histogram = "histogram".equals(types.get(family));
        assertTrue(
                histogram ? HISTOGRAM.stream().anyMatch(suffix -> name.equals(family + suffix)) : name.equals(family),
                () -> "not a sample of %s: %s".formatted(family, line));
        Map<String, String> labels = labels(sample.group(2), line);
        double value = number(sample.group(3));
        if (histogram && name.endsWith("_bucket")) {
            assertEquals(List.of("le"), List.copyOf(labels.keySet()), line);
            buckets.computeIfAbsent(family, key -> new ArrayList<>())
                    .add(new double[] {number(labels.get("le")), value});
        }
        if (types.get(family).equals("counter")) {
            assertTrue(value >= 0, line);
        }
        String key = labels.isEmpty() ? name : name + labels;
        assertFalse(samples.containsKey(key), () -> "twice: " + line);
        samples.put(key, value);
    }

    private static Map<String, String> labels(String text, String line) {
        Map<String, String> labels = new LinkedHashMap<>();
        if (text != null) {
            Matcher label = LABEL.matcher(text);
            int end = 0;
            while (label.find() && label.start() == end) {
                labels.put(label.group(1), label.group(2));
                end = label.end();
            }
            assertEquals(text.length(), end, line);
        }
        return labels;
    }

    private static double number(String text) {
        return switch (text) {
            case "+Inf" -> Double.POSITIVE_INFINITY;
            case "-Inf" -> Double.NEGATIVE_INFINITY;
            case "NaN" -> Double.NaN;
            default -> {
                assertTrue(text.matches("[-+]?[0-9]+(\\.[0-9]+)?([eE][-+]?[0-9]+)?"), text);
                yield Double.parseDouble(text);
            }
        };
    }

    private void checkHistogram(String name) {
        List<double[]> all = buckets.get(name);
        for (int i = 1; i < all.size(); i++) {
            assertTrue(all.get(i)[0] > all.get(i - 1)[0], () -> name + ": bounds ascend");
            assertTrue(all.get(i)[1] >= all.get(i - 1)[1], () -> name + ": counts are cumulative");
        }
        assertEquals(Double.POSITIVE_INFINITY, all.getLast()[0], name);
        assertEquals(all.getLast()[1], value(name + "_count"), name);
        assertTrue(value(name + "_sum") >= 0, name);
    }

    /// Types by name, in order.
    Map<String, String> types() {
        return types;
    }

    /// The value of a sample, whose labels are as of a map: `name{label=value}`.
    double value(String sample) {
        Double value = samples.get(sample);
        assertTrue(value != null, () -> "no sample %s among %s".formatted(sample, samples.keySet()));
        return value;
    }

    /// The bounds of a histogram, without infinity.
    double[] bounds(String name) {
        List<double[]> all = buckets.get(name);
        return all.subList(0, all.size() - 1).stream()
                .mapToDouble(bucket -> bucket[0])
                .toArray();
    }
}
