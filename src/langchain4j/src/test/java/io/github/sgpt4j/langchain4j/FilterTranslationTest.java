package io.github.sgpt4j.langchain4j;

import static dev.langchain4j.store.embedding.filter.MetadataFilterBuilder.metadataKey;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.data.document.Metadata;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.store.embedding.filter.Filter;
import dev.langchain4j.store.embedding.filter.comparison.IsEqualTo;
import dev.langchain4j.store.embedding.filter.comparison.IsGreaterThan;
import dev.langchain4j.store.embedding.filter.comparison.IsGreaterThanOrEqualTo;
import dev.langchain4j.store.embedding.filter.comparison.IsIn;
import dev.langchain4j.store.embedding.filter.comparison.IsLessThan;
import dev.langchain4j.store.embedding.filter.comparison.IsLessThanOrEqualTo;
import dev.langchain4j.store.embedding.filter.comparison.IsNotEqualTo;
import dev.langchain4j.store.embedding.filter.comparison.IsNotIn;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class FilterTranslationTest {
    private static final int ROUNDS = 20_000;

    /// Values of one key, which filters of the framework can compare with each other.
    private static final Map<String, List<Comparable<?>>> VALUES = Map.of(
            "word", List.of("", " ", "a", "A", "aa", "b", "é", "\uFFFD"),
            "number",
                    List.of(
                            -1,
                            0,
                            1,
                            1L,
                            1f,
                            1d,
                            1.1f,
                            1.1d,
                            1.23456789f,
                            0.1f + 0.2f,
                            0.1 + 0.2,
                            1L << 53,
                            (1L << 53) + 1,
                            0x1p53,
                            Long.MAX_VALUE,
                            Long.MIN_VALUE,
                            Float.MIN_VALUE,
                            Float.MAX_VALUE),
            "id", List.of(new UUID(1, 1), new UUID(1, 2), new UUID(-1, 1)));

    private final Random random = new Random(Long.getLong("sgpt4j.test.seed", 7));

    /// The framework evaluates filters too.
    @Test
    void acceptsWhatTheFrameworkAccepts() {
        int accepted = 0;
        for (int i = 0; i < ROUNDS; i++) {
            Filter filter = filter(3);
            Metadata metadata = metadata();
            Document document = Segments.document("1", TextSegment.from("text", metadata));
            boolean expected = filter.test(metadata);
            assertEquals(
                    expected,
                    FilterTranslation.translate(filter).matches(document.metadata()),
                    () -> filter + " of " + metadata);
            accepted += expected ? 1 : 0;
        }
        assertTrue(accepted > ROUNDS / 5 && accepted < ROUNDS * 4 / 5, "accepted " + accepted);
    }

    private Metadata metadata() {
        Metadata metadata = new Metadata();
        for (String key : VALUES.keySet()) {
            if (random.nextInt(4) > 0) {
                metadata.putAll(Map.of(key, value(key)));
            }
        }
        return metadata;
    }

    private Comparable<?> value(String key) {
        List<Comparable<?>> values = VALUES.get(key);
        return values.get(random.nextInt(values.size()));
    }

    private Filter filter(int depth) {
        int kind = random.nextInt(depth == 0 ? 8 : 11);
        String key = List.of("word", "number", "id").get(random.nextInt(3));
        Comparable<?> value = value(key);
        return switch (kind) {
            case 0 -> new IsEqualTo(key, value);
            case 1 -> new IsNotEqualTo(key, value);
            case 2 -> new IsIn(key, values(key));
            case 3 -> new IsNotIn(key, values(key));
            case 4, 5, 6, 7 -> key.equals("id") ? new IsEqualTo(key, value) : range(kind, key, value);
            case 8 -> Filter.and(filter(depth - 1), filter(depth - 1));
            case 9 -> Filter.or(filter(depth - 1), filter(depth - 1));
            default -> Filter.not(filter(depth - 1));
        };
    }

    private static Filter range(int kind, String key, Comparable<?> value) {
        return switch (kind) {
            case 4 -> new IsGreaterThan(key, value);
            case 5 -> new IsGreaterThanOrEqualTo(key, value);
            case 6 -> new IsLessThan(key, value);
            default -> new IsLessThanOrEqualTo(key, value);
        };
    }

    private List<Comparable<?>> values(String key) {
        List<Comparable<?>> values = new ArrayList<>();
        for (int i = 0; i <= random.nextInt(3); i++) {
            values.add(value(key));
        }
        return values;
    }

    @Test
    void aLongChainIsNotDeep() {
        Filter any = metadataKey("n").isEqualTo(0);
        Filter all = metadataKey("n").isNotEqualTo(0);
        for (int i = 1; i < 2000; i++) {
            any = any.or(metadataKey("n").isEqualTo(i));
            all = metadataKey("n").isNotEqualTo(i).and(all);
        }
        Document document = Segments.document("1", TextSegment.from("text", new Metadata().put("n", 1999)));
        assertTrue(FilterTranslation.translate(any).matches(document.metadata()));
        assertTrue(FilterTranslation.translate(Filter.not(all)).matches(document.metadata()));
    }

    @Test
    void aDeepFilterIsRefused() {
        Filter deep = metadataKey("n").isEqualTo(0);
        for (int i = 0; i < 100_000; i++) {
            deep = i % 2 == 0 ? Filter.not(deep) : deep.and(metadataKey("n").isEqualTo(i));
        }
        Filter filter = deep;
        assertEquals(
                "filter: expected conditions nested at most 64 deep, got more",
                assertThrows(IllegalArgumentException.class, () -> FilterTranslation.translate(filter))
                        .getMessage());
    }

    @Test
    void namesWhatAnIndexCannotDo() {
        Map<Filter, String> unsupported = Map.of(
                metadataKey("lang").containsString("e"),
                "filter on \"lang\": an index compares whole strings and cannot search within them (ContainsString)",
                new IsGreaterThan("id", new UUID(1, 1)),
                "filter on \"id\": expected a number or string to compare with, got a UUID, which can only be equal",
                new Everything(),
                "filter: expected comparisons joined by and, or and not, got " + Everything.class.getName());
        unsupported.forEach((filter, message) -> {
            for (Filter each : List.of(
                    filter, Filter.not(filter), filter.and(metadataKey("x").isEqualTo(1)))) {
                assertEquals(
                        message,
                        assertThrows(UnsupportedOperationException.class, () -> FilterTranslation.translate(each))
                                .getMessage());
            }
        });
    }

    private static final class Everything implements Filter {
        @Override
        public boolean test(Object object) {
            return true;
        }
    }

    @Test
    void valuesOfOtherKindsAreUnequal() {
        Document number = Segments.document("1", TextSegment.from("text", new Metadata().put("key", 1)));
        assertEquals(
                List.of(false, true, false, true),
                List.of(
                                metadataKey("key").isEqualTo("1"),
                                metadataKey("key").isNotEqualTo("1"),
                                metadataKey("key").isLessThan("2"),
                                metadataKey("key").isLessThan(2))
                        .stream()
                        .map(filter -> FilterTranslation.translate(filter).matches(number.metadata()))
                        .toList());
    }
}
