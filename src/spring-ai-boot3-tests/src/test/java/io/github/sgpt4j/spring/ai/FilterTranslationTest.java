package io.github.sgpt4j.spring.ai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.retrieval.corpus.Metadata;
import io.github.sgpt4j.retrieval.filter.Filter;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.ai.vectorstore.filter.Filter.Expression;
import org.springframework.ai.vectorstore.filter.Filter.ExpressionType;
import org.springframework.ai.vectorstore.filter.Filter.Key;
import org.springframework.ai.vectorstore.filter.Filter.Value;
import org.springframework.ai.vectorstore.filter.FilterExpressionTextParser;

class FilterTranslationTest {
    /// Spring AI's text, and ours.
    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '~', textBlock = """
                    country == 'BG'                              ; country = "BG"
                    country != 'BG'                              ; country != "BG"
                    year > 2020                                  ; year > 2020
                    year >= 2020                                 ; year >= 2020
                    year < 2020.5                                ; year < 2020.5
                    year <= 5000000000L                          ; year <= 5000000000
                    active == true                               ; active = true
                    country in ['BG', 'NL']                      ; country in ("BG", "NL")
                    country nin [1, 2]                           ; country not in (1, 2)
                    a == 1 && b == 2 || c == 3                   ; a = 1 and b = 2 or c = 3
                    a == 1 && (b == 2 || c == 3)                 ; a = 1 and (b = 2 or c = 3)
                    NOT (a == 1 && b == 2)                       ; not (a = 1 and b = 2)
                    'the country' == "BG"                        ; `the country` = "BG"
                    """)
    void expressionsBecomeFiltersOfTheIndex(String text, String expected) {
        Filter translated = FilterTranslation.of(new FilterExpressionTextParser().parse(text));
        assertEquals(Filter.parse(expected), translated);
    }

    @ParameterizedTest
    @CsvSource({"ISNOTNULL, true", "ISNULL, false"})
    void presenceIsTranslatedToConditionsThatHoldForAnyValue(ExpressionType type, boolean present) {
        Filter filter = FilterTranslation.of(new Expression(type, new Key("x")));
        List<Object> values = List.of(
                "",
                "a",
                "\uffff",
                0,
                -1L,
                Long.MIN_VALUE,
                Long.MAX_VALUE,
                1.5,
                -Double.MAX_VALUE,
                Double.MAX_VALUE,
                true,
                false,
                List.of("a"),
                List.of(1, 2),
                List.of(false));
        for (Object value : values) {
            assertEquals(present, filter.matches(Metadata.of(Map.of("x", value))), value::toString);
        }
        assertEquals(!present, filter.matches(Metadata.of(Map.of("y", 1))));
    }

    private static String refusal(Expression expression) {
        return assertThrows(IllegalArgumentException.class, () -> FilterTranslation.of(expression))
                .getMessage();
    }

    @Test
    void longRowsAreNotNested() {
        Expression row = new Expression(ExpressionType.EQ, new Key("year"), new Value(0));
        List<Filter> expected = new ArrayList<>();
        expected.add(Filter.equal("year", 0));
        for (int i = 1; i < 2000; i++) {
            row = new Expression(
                    ExpressionType.OR, row, new Expression(ExpressionType.EQ, new Key("year"), new Value(i)));
            expected.add(Filter.equal("year", i));
        }
        assertEquals(Filter.or(expected), FilterTranslation.of(row));
    }

    @Test
    void whatCannotBeTranslatedIsRefusedByName() {
        assertTrue(refusal(new Expression(ExpressionType.EQ, new Key("day"), new Value(new Date(0))))
                .contains("day"));
        assertTrue(refusal(new Expression(ExpressionType.GT, new Key("active"), new Value(true)))
                .contains("active"));
        assertTrue(refusal(new Expression(ExpressionType.IN, new Key("year"), new Value(2020)))
                .contains("a list right of IN"));
        assertTrue(refusal(new Expression(ExpressionType.EQ, new Value(1), new Value(2)))
                .contains("a key left of EQ"));
        assertTrue(refusal(new Expression(ExpressionType.EQ, new Key("year"), new Key("other")))
                .contains("a value right of EQ"));
        assertTrue(refusal(new Expression(ExpressionType.AND, new Key("year"), new Key("other")))
                .contains("a condition"));
    }
}
