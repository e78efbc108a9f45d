package io.github.sgpt4j.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StepCountTest {
    @ParameterizedTest
    @CsvSource({
        "0, 0, 0, 0",
        "100, 100, 100, 100",
        "999999999999999999, 999999999999999999, 999999999999999999, 999999999999999999",
        "0%, 0%, 0, 0",
        "10%, 10%, 2, 1000",
        "10.0%, 10%, 2, 1000",
        "0.5%, 0.5%, 1, 50",
        "100%, 100%, 11, 10000",
    })
    void numbersAndSharesAreRead(String text, String shown, long ofEleven, long ofMany) {
        StepCount count = StepCount.parse(text);
        assertEquals(shown, count.toString());
        assertEquals(count, StepCount.parse(count.toString()));
        assertEquals(ofEleven, count.of(11));
        assertEquals(ofMany, count.of(10_000));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "%", "-1", "+1", "1.5", "x", "10 %", "1e3", "101%", "10%%", "1000000000000000000"})
    void anythingElseIsRefused(String text) {
        String said = assertThrows(IllegalArgumentException.class, () -> StepCount.parse(text))
                .getMessage();
        assertTrue(said.contains("expected") && said.contains(text.replace("101%", "101.0%")), said);
    }

    @Test
    void numbersOutOfRangeAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> new StepCount.Steps(-1));
        assertThrows(IllegalArgumentException.class, () -> new StepCount.Percent(-0.1));
        assertThrows(IllegalArgumentException.class, () -> new StepCount.Percent(Double.NaN));
    }
}
