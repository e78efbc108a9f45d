package io.github.sgpt4j.cli.option;

import io.github.sgpt4j.Dtype;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// Converters for the options of `sgpt convert` and `sgpt download`.
public final class ConvertConverters {
    private ConvertConverters() {}

    /// The name of a number type.
    public static final class Type implements Converters.OfWords<Dtype> {
        @Override
        public List<String> words() {
            return List.of("keep", "fp32", "bf16", "fp16");
        }

        @Override
        public Dtype convert(String value) {
            return switch (value.toLowerCase(Locale.ROOT)) {
                case "keep" -> Dtype.AUTO;
                case "fp32" -> Dtype.FP32;
                case "fp16" -> Dtype.FP16;
                case "bf16" -> Dtype.BF16;
                default -> throw Converters.unknown(value, words());
            };
        }
    }

    /// A number of bytes, or 0.
    public static final class Rate implements ITypeConverter<Long> {
        @Override
        public Long convert(String value) {
            return value.equals("0") ? 0 : new Size().convert(value);
        }
    }

    /// A number of bytes with a unit, decimal as in transformers, or binary.
    public static final class Size implements ITypeConverter<Long> {
        private static final Pattern FORM =
                Pattern.compile("([0-9]{1,18}(?:\\.[0-9]{1,9})?)\\s*(B|[KMGT]I?B)", Pattern.CASE_INSENSITIVE);
        private static final Map<String, Long> UNITS = Map.of(
                "B", 1L,
                "KB", 1_000L,
                "MB", 1_000_000L,
                "GB", 1_000_000_000L,
                "TB", 1_000_000_000_000L,
                "KIB", 1L << 10,
                "MIB", 1L << 20,
                "GIB", 1L << 30,
                "TIB", 1L << 40);

        @Override
        public Long convert(String value) {
            Matcher matcher = FORM.matcher(value.strip());
            if (matcher.matches()) {
                long unit = UNITS.getOrDefault(matcher.group(2).toUpperCase(Locale.ROOT), 1L);
                BigDecimal bytes = new BigDecimal(matcher.group(1))
                        .multiply(BigDecimal.valueOf(unit))
                        .setScale(0, RoundingMode.DOWN);
                if (bytes.signum() > 0 && bytes.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) <= 0) {
                    return bytes.longValueExact();
                }
            }
            throw new TypeConversionException("expected a size such as 5GB or 500MB, got \"" + value + "\"");
        }
    }
}
