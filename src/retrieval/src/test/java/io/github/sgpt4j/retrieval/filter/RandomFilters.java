package io.github.sgpt4j.retrieval.filter;

import io.github.sgpt4j.retrieval.corpus.Metadata;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// Random filters and metadata, with few names and values, so that they often meet.
public final class RandomFilters {
    private static final String[] NAMES = {"year", "lang", "a-b.c_d", "with space", "in", "日本", "`\"\\\n", "n"};
    private static final Object[] NUMBERS = {
        0L,
        1L,
        1.0,
        -0.0,
        0.5,
        -7L,
        -7.25,
        1L << 53,
        (1L << 53) + 1,
        0x1p53,
        0x1p53 + 2,
        Long.MAX_VALUE,
        Long.MAX_VALUE - 1,
        0x1p63,
        Long.MIN_VALUE,
        -0x1p63,
        Double.MAX_VALUE,
        -Double.MAX_VALUE,
        Double.MIN_VALUE,
        1e10
    };
    private static final Object[] STRINGS = {
        "",
        "1",
        "en",
        "EN",
        "2024-05-17",
        "2024-05",
        "\uffee",
        "\ud83d\ude00",
        "\u0000x",
        "it's \"`\\\n",
        "x".repeat(Filter.MAX_BOUND_BYTES),
        "true"
    };

    /// Too long to be bounds.
    private static final Object[] LONG_STRINGS = {
        "x".repeat(Filter.MAX_BOUND_BYTES + 1),
        "x".repeat(50_000),
        "x".repeat(49_999) + "y",
        "x".repeat(Filter.MAX_BOUND_BYTES - 1) + "é",
        "é".repeat(20_000)
    };

    private RandomFilters() {}

    /// @param depth at most so many filters within each other
    public static Filter filter(Random random, int depth) {
        int kind = random.nextInt(depth > 1 ? 6 : 3);
        String name = name(random);
        return switch (kind) {
            case 0 -> Filter.equal(name, value(random));
            case 1 -> Filter.in(name, values(random, 1 + random.nextInt(3)));
            case 2 -> range(random, name);
            case 3 -> new Filter.And(filters(random, depth - 1));
            case 4 -> new Filter.Or(filters(random, depth - 1));
            default -> new Filter.Not(filter(random, depth - 1));
        };
    }

    private static Filter range(Random random, String name) {
        Object bound = random.nextBoolean() ? one(random, NUMBERS) : one(random, STRINGS);
        return new Filter.Range(name, Filter.Side.values()[random.nextInt(4)], bound);
    }

    private static List<Filter> filters(Random random, int depth) {
        List<Filter> filters = new ArrayList<>();
        for (int i = 2 + random.nextInt(2); i > 0; i--) {
            filters.add(filter(random, depth));
        }
        return filters;
    }

    /// Metadata of a document.
    public static Metadata metadata(Random random) {
        Map<String, Object> values = new LinkedHashMap<>();
        for (int i = random.nextInt(6); i > 0; i--) {
            values.put(name(random), random.nextInt(3) == 0 ? list(random) : value(random));
        }
        return Metadata.of(values);
    }

    private static Object list(Random random) {
        int size = 1 + random.nextInt(3);
        List<Object> values = new ArrayList<>();
        int kind = random.nextInt(3);
        for (int i = 0; i < size; i++) {
            values.add(
                    switch (kind) {
                        case 0 -> one(random, NUMBERS);
                        case 1 -> string(random);
                        default -> random.nextBoolean();
                    });
        }
        return values;
    }

    private static String name(Random random) {
        return NAMES[random.nextInt(NAMES.length)];
    }

    private static List<Object> values(Random random, int count) {
        List<Object> values = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            values.add(value(random));
        }
        return values;
    }

    private static Object value(Random random) {
        return switch (random.nextInt(5)) {
            case 0 -> random.nextBoolean();
            case 1, 2 -> one(random, NUMBERS);
            default -> string(random);
        };
    }

    private static Object string(Random random) {
        return random.nextInt(4) == 0 ? one(random, LONG_STRINGS) : one(random, STRINGS);
    }

    private static Object one(Random random, Object[] values) {
        return values[random.nextInt(values.length)];
    }
}
