package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.tensor.ElementType;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The algorithms that were the fastest when products were measured, by their shapes with rounded rows. What has been
/// chosen once stays.
///
/// An algorithm is known by the bytes that cuBLASLt gives it, and these are only compared with those of the algorithms
/// that it offers: bytes that it does not offer choose nothing, wherever they come from.
final class ProductChoices {
    /// Changes with the form of [#bytes].
    static final String FORM = "sgpt4j products 2";

    private static final int MAX_CHOICES = 20_000;
    private static final String NUMBER = "([0-9]{1,10})";
    private static final Pattern LINE = Pattern.compile(
            "(OUTPUT|INPUT_GRADIENT) %1$s %1$s %1$s (F32|F16|BF16|F8_E4M3) (F32|F16|BF16) %1$s %1$s (true|false) %1$s ([0-9a-f]{128})"
                    .formatted(NUMBER));

    private final Map<ProductShape, String> algorithms = new LinkedHashMap<>();

    /// Choices as [#bytes] wrote them, or empty if these are something else.
    static Optional<ProductChoices> parse(byte[] bytes) {
        String[] lines = new String(bytes, StandardCharsets.US_ASCII).split("\n", -1);
        int end = lines.length - 1;
        if (!lines[0].equals(FORM) || !lines[end].isEmpty() || end - 1 > MAX_CHOICES) {
            return Optional.empty();
        }
        ProductChoices choices = new ProductChoices();
        for (int i = 1; i < end; i++) {
            Matcher line = LINE.matcher(lines[i]);
            if (!line.matches()) {
                return Optional.empty();
            }
            try {
                choices.algorithms.putIfAbsent(shape(line), line.group(11));
            } catch (NumberFormatException e) {
                return Optional.empty();
            }
        }
        return Optional.of(choices);
    }

    private static ProductShape shape(Matcher line) {
        return new ProductShape(
                Formula.valueOf(line.group(1)),
                Integer.parseInt(line.group(2)),
                Integer.parseInt(line.group(3)),
                Integer.parseInt(line.group(4)),
                ElementType.valueOf(line.group(5)),
                ElementType.valueOf(line.group(6)),
                Long.parseLong(line.group(7)),
                Integer.parseInt(line.group(8)),
                Boolean.parseBoolean(line.group(9)),
                Integer.parseInt(line.group(10)));
    }

    byte[] bytes() {
        StringBuilder text = new StringBuilder(FORM).append('\n');
        algorithms.forEach((s, algorithm) -> text.append("%s %d %d %d %s %s %d %d %b %d %s\n"
                .formatted(
                        s.formula().name(),
                        s.rows(),
                        s.in(),
                        s.out(),
                        s.type().name(),
                        s.result().name(),
                        s.stride(),
                        s.epilogue(),
                        s.add(),
                        s.alignments(),
                        algorithm)));
        return text.toString().getBytes(StandardCharsets.US_ASCII);
    }

    boolean has(ProductShape shape) {
        return algorithms.containsKey(shape);
    }

    /// Whether this algorithm was chosen.
    boolean isChoice(ProductShape shape, byte[] algorithm) {
        return HexFormat.of().formatHex(algorithm).equals(algorithms.get(shape));
    }

    /// Chooses an algorithm, unless one has been.
    void choose(ProductShape shape, byte[] algorithm) {
        if (algorithms.size() < MAX_CHOICES) {
            algorithms.putIfAbsent(shape, HexFormat.of().formatHex(algorithm));
        }
    }

    /// As [#choose] for each of the others.
    void addAll(ProductChoices others) {
        others.algorithms.forEach((shape, algorithm) -> {
            if (algorithms.size() < MAX_CHOICES) {
                algorithms.putIfAbsent(shape, algorithm);
            }
        });
    }

    int size() {
        return algorithms.size();
    }
}
