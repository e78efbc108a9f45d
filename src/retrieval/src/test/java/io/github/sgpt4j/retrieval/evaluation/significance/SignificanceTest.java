package io.github.sgpt4j.retrieval.evaluation.significance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.CancelledException;
import java.util.Arrays;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Against SciPy 1.17.1: `ttest_1samp(d, 0)` with its `confidence_interval(0.95)`, and
/// `permutation_test((d,), mean, permutation_type="samples", n_resamples=inf)`.
class SignificanceTest {
    private static final double[] TEN = {0.12, -0.03, 0.4, 0.0, 0.08, -0.21, 0.33, 0.05, 0.0, 0.17};
    private static final double[] SIXTY =
            IntStream.range(0, 60).mapToDouble(i -> (i * 37 % 101 - 47) / 200.0).toArray();

    @Test
    void theTTestIsScipys() {
        PairedTTest test = PairedTTest.of(TEN).orElseThrow();
        assertEquals(1.6219857143403242, test.t(), 1e-14);
        assertEquals(9, test.degreesOfFreedom());
        assertEquals(0.139255987594005, test.pValue(), 1e-14);
        assertEquals(-0.035916223734042074, test.low(), 1e-14);
        assertEquals(0.21791622373404207, test.high(), 1e-14);
        PairedTTest sixty = PairedTTest.of(SIXTY).orElseThrow();
        assertEquals(0.6631804923800791, sixty.t(), 1e-13);
        assertEquals(0.5097978468766126, sixty.pValue(), 1e-13);
        assertEquals(-0.025383995516432407, sixty.low(), 1e-14);
        assertEquals(0.050550662183099074, sixty.high(), 1e-14);
        PairedTTest four = PairedTTest.of(new double[] {0.25, -0.05, 0.5, -0.1}).orElseThrow();
        assertEquals(1.0718844015157447, four.t(), 1e-14);
        assertEquals(0.3623331522028086, four.pValue(), 1e-14);
    }

    @Test
    void theRandomizationTestOfFewIsScipysExactOne() {
        assertEquals(0.1484375, RandomizationTest.of(TEN, 1024, 1).pValue());
        assertEquals(
                new RandomizationTest(0.5, 16, true),
                RandomizationTest.of(new double[] {0.25, -0.05, 0.5, -0.1}, 16, 1));
        // Two of the ten are 0, and their signs need not be tried.
        assertEquals(new RandomizationTest(0.1484375, 256, true), RandomizationTest.of(TEN, 256, 1));
        assertFalse(RandomizationTest.of(TEN, 255, 1).exact());
    }

    /// SciPy with a million random assignments gives 0.5108; its standard error is 0.0005, that of
    /// 100,000 is 0.0016.
    @ParameterizedTest
    @ValueSource(longs = {0, 1, -7, 20220217})
    void theRandomizationTestOfManyIsCloseToScipys(long seed) {
        RandomizationTest test = RandomizationTest.of(SIXTY, RandomizationTest.DEFAULT_ASSIGNMENTS, seed);
        assertEquals(0.5108, test.pValue(), 4 * 0.0017);
        assertEquals(100_000, test.assignments());
        assertFalse(test.exact());
        assertEquals(test, RandomizationTest.of(SIXTY, RandomizationTest.DEFAULT_ASSIGNMENTS, seed));
    }

    @Test
    void aPValueIsNeverZero() {
        double[] better = new double[200];
        Arrays.setAll(better, i -> 0.5 + i / 1000.0);
        assertEquals(1 / 1001.0, RandomizationTest.of(better, 1000, 3).pValue(), 1e-15);
        assertTrue(PairedTTest.of(better).orElseThrow().pValue() < 1e-100);
    }

    @Test
    void equalRunsDoNotDiffer() {
        assertEquals(Optional.of(new PairedTTest(0, 4, 1, 0, 0)), PairedTTest.of(new double[5]));
        assertEquals(new RandomizationTest(1, 1, true), RandomizationTest.of(new double[5], 10, 1));
    }

    @Test
    void whereTheTTestIsNotDefinedThereIsNone() {
        assertEquals(Optional.empty(), PairedTTest.of(new double[] {0.5}));
        assertEquals(Optional.empty(), PairedTTest.of(new double[] {0.1, 0.1, 0.1}));
        assertEquals(
                0.25, RandomizationTest.of(new double[] {0.1, 0.1, 0.1}, 100, 1).pValue());
    }

    /// Swapping the runs turns everything around, and the order of queries does not matter.
    @Test
    void sidesAndOrderDoNotMatter() {
        SplittableRandom random = new SplittableRandom(11);
        for (int round = 0; round < 200; round++) {
            double[] d = random.doubles(2 + random.nextInt(9), -1, 1).toArray();
            double[] swapped = Arrays.stream(d).map(x -> -x).toArray();
            double[] reversed = IntStream.range(0, d.length)
                    .mapToDouble(i -> d[d.length - 1 - i])
                    .toArray();
            double exact = RandomizationTest.of(d, 1 << 10, 1).pValue();
            assertEquals(exact, RandomizationTest.of(swapped, 1 << 10, 1).pValue());
            assertEquals(exact, RandomizationTest.of(reversed, 1 << 10, 1).pValue());
            PairedTTest test = PairedTTest.of(d).orElseThrow();
            PairedTTest other = PairedTTest.of(swapped).orElseThrow();
            assertEquals(test.pValue(), other.pValue(), 1e-12);
            assertEquals(test.low(), -other.high(), 1e-12);
            // The interval leaves 0 out where the test finds a difference.
            assertEquals(test.pValue() < 0.05, test.low() > 0 || test.high() < 0);
        }
    }

    @Test
    void holmsCorrection() {
        // By hand: 0.005·5, 0.01·4, 0.03·3, 0.04·2 (less than before it), 0.2·1.
        assertArrayEquals(
                new double[] {0.04, 0.09, 0.09, 0.025, 0.2},
                HolmBonferroni.adjust(new double[] {0.01, 0.04, 0.03, 0.005, 0.2}),
                1e-15);
        assertArrayEquals(new double[] {1, 1}, HolmBonferroni.adjust(new double[] {0.8, 0.9}));
        assertArrayEquals(new double[] {0.3}, HolmBonferroni.adjust(new double[] {0.3}));
        assertArrayEquals(new double[0], HolmBonferroni.adjust(new double[0]));
        assertThrows(IllegalArgumentException.class, () -> HolmBonferroni.adjust(new double[] {Double.NaN}));
    }

    @Test
    void anInterruptEndsTheTest() {
        Thread.currentThread().interrupt();
        assertThrows(CancelledException.class, () -> RandomizationTest.of(SIXTY, 1000, 1));
        assertTrue(Thread.interrupted());
    }

    @Test
    void refusesWhatIsNoTest() {
        assertThrows(IllegalArgumentException.class, () -> RandomizationTest.of(new double[0], 10, 1));
        assertThrows(IllegalArgumentException.class, () -> RandomizationTest.of(TEN, 0, 1));
        assertThrows(IllegalArgumentException.class, () -> RandomizationTest.of(TEN, 100_000_001, 1));
    }
}
