package io.github.sgpt4j.jmh;

import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalInt;

/// The options of the report.
///
/// @param quick few texts and rounds: minutes instead of a quarter of an hour
/// @param rounds number of turns of each library
/// @param shape the model
/// @param only sections to run; empty for all
/// @param peers the other libraries to run; empty for all
record ReportOptions(boolean quick, int rounds, ModelShape shape, List<String> only, List<String> peers) {
    private static final List<String> SECTIONS =
            List.of("embed", "latency", "forward", "score", "train", "matmul", "tokenize", "load", "weights", "scale");

    private static final int ROUNDS = 7;
    private static final int QUICK_ROUNDS = 3;

    ReportOptions {
        List<String> libraries = Peer.all().stream().map(Peer::name).toList();
        if (!libraries.containsAll(peers)) {
            throw new IllegalArgumentException("peers: expected some of %s, got %s".formatted(libraries, peers));
        }
        if (!SECTIONS.containsAll(only)) {
            throw new IllegalArgumentException("sections: expected some of %s, got %s".formatted(SECTIONS, only));
        }
        if (rounds < 1) {
            throw new IllegalArgumentException("rounds: expected at least 1, got " + rounds);
        }
    }

    /// Parses `[--quick] [--rounds N] [--shape NAME] [--only SECTION,…] [--peers NAME,…]`. jmh/run turns the
    /// options that all programs share into system properties.
    static ReportOptions parse(String... arguments) {
        boolean quick = false;
        OptionalInt rounds = OptionalInt.empty();
        ModelShape shape = ModelShape.GPT_NEO_125M;
        List<String> only = List.of();
        List<String> peers = List.of();
        for (Iterator<String> rest = Arrays.asList(arguments).iterator(); rest.hasNext(); ) {
            String name = rest.next();
            switch (name) {
                case "--quick" -> quick = true;
                case "--rounds" -> rounds = OptionalInt.of(number(name, value(name, rest)));
                case "--shape" -> shape = shape(name, value(name, rest));
                case "--only" -> only = List.of(value(name, rest).split(","));
                case "--peers" -> peers = List.of(value(name, rest).split(","));
                default ->
                    throw new IllegalArgumentException(
                            "expected [--vector-bits N] [--no-amx] [--quick] [--rounds N] [--shape NAME] [--only SECTION,...]"
                                    + " [--peers NAME,...], got " + name);
            }
        }
        return new ReportOptions(quick, rounds.orElse(quick ? QUICK_ROUNDS : ROUNDS), shape, only, peers);
    }

    private static String value(String name, Iterator<String> rest) {
        if (!rest.hasNext()) {
            throw new IllegalArgumentException(name + ": expected a value");
        }
        return rest.next();
    }

    private static int number(String name, String value) {
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("%s: expected a number, got %s".formatted(name, value), e);
        }
    }

    private static ModelShape shape(String name, String value) {
        try {
            return ModelShape.valueOf(value);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "%s: expected one of %s, got %s".formatted(name, Arrays.toString(ModelShape.values()), value), e);
        }
    }

    /// Whether a library is included; ours always is.
    boolean includes(Peer library) {
        return peers.isEmpty() || library instanceof Ours || peers.contains(library.name());
    }

    boolean wants(String section) {
        return only.isEmpty() || only.contains(section);
    }
}
