package io.github.sgpt4j.weightstools.pickle;

import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Constant;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Whole;
import java.util.regex.Pattern;

/// Parses values that protocol 0 writes as lines of text.
final class Literals {
    private static final Pattern DECIMAL = Pattern.compile("[+-]?[0-9]{1,19}");
    private static final Pattern REAL = Pattern.compile("[+-]?(inf|nan|[0-9.]{1,40}(e[+-]?[0-9]{1,4})?)");
    private static final int HEX = 16;

    private Literals() {}

    static PickleValue integer(PickleInput input) {
        String line = input.line();
        return switch (line) {
            case "00" -> Constant.FALSE;
            case "01" -> Constant.TRUE;
            default -> new Whole(parse(input, line));
        };
    }

    static PickleValue longInteger(PickleInput input) {
        String line = input.line();
        return new Whole(parse(input, line.endsWith("L") ? line.substring(0, line.length() - 1) : line));
    }

    static long index(PickleInput input) {
        return parse(input, input.line());
    }

    private static long parse(PickleInput input, String digits) {
        try {
            if (DECIMAL.matcher(digits).matches()) {
                return Long.parseLong(digits);
            }
        } catch (NumberFormatException e) {
            throw input.bad(noInteger(digits), e);
        }
        throw input.bad(noInteger(digits));
    }

    private static String noInteger(String digits) {
        return "expected a decimal integer of at most 64 bits, got " + Quoted.of(digits);
    }

    static double real(PickleInput input) {
        String line = input.line();
        if (!REAL.matcher(line).matches()) {
            throw input.bad("expected a decimal number, got " + Quoted.of(line));
        }
        try {
            return Double.parseDouble(line.replace("inf", "Infinity").replace("nan", "NaN"));
        } catch (NumberFormatException e) {
            throw input.bad("expected a decimal number, got " + Quoted.of(line), e);
        }
    }

    /// A string in Python's quotes.
    static String quoted(PickleInput input) {
        String line = input.line();
        int end = line.length() - 1;
        if (end < 1 || "'\"".indexOf(line.charAt(0)) < 0 || line.charAt(end) != line.charAt(0)) {
            throw input.bad("expected a string in quotes, got " + Quoted.of(line));
        }
        String body = line.substring(1, end);
        if (body.indexOf('\\') >= 0) {
            throw input.bad("expected a string without backslashes, got " + Quoted.of(line));
        }
        return body;
    }

    /// A string in which `\\uXXXX` and `\\UXXXXXXXX` encode characters.
    static String unicode(PickleInput input) {
        String line = input.line();
        StringBuilder text = new StringBuilder(line.length());
        for (int i = 0; i < line.length(); i++) {
            char kind = i + 1 < line.length() ? line.charAt(i + 1) : ' ';
            if (line.charAt(i) != '\\' || (kind != 'u' && kind != 'U')) {
                text.append(line.charAt(i));
                continue;
            }
            int digits = kind == 'u' ? 4 : 8;
            try {
                text.appendCodePoint(Integer.parseUnsignedInt(line, i + 2, i + 2 + digits, HEX));
            } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
                throw input.bad("expected %d hexadecimal digits, got %s".formatted(digits, Quoted.of(line)), e);
            }
            i += 1 + digits;
        }
        return text.toString();
    }
}
