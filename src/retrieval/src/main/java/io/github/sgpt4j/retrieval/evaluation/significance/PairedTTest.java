package io.github.sgpt4j.retrieval.evaluation.significance;

import java.util.Arrays;
import java.util.Optional;
import org.apache.commons.statistics.distribution.TDistribution;

/// Student's t-test of paired values: whether the mean of the differences is 0. It assumes that their
/// mean is normally distributed.
///
/// @param t mean of the differences by its standard error
/// @param degreesOfFreedom number of pairs minus 1
/// @param pValue two-sided: the probability of a `t` at least as far from 0 if the mean is 0
/// @param low lower end of the mean's 95 % confidence interval
/// @param high upper end of it
public record PairedTTest(double t, int degreesOfFreedom, double pValue, double low, double high) {
    private static final double OUTSIDE = 0.05;

    /// Tests differences.
    ///
    /// @return empty where the test is not defined: there are fewer than two differences, or all are
    ///     equal and not 0. If all are 0, `t` is 0 and the p-value 1.
    public static Optional<PairedTTest> of(double[] differences) {
        int freedom = differences.length - 1;
        if (freedom < 1) {
            return Optional.empty();
        }
        double mean = mean(differences);
        double error = deviation(differences) / Math.sqrt(differences.length);
        boolean equal = Arrays.stream(differences).allMatch(difference -> difference == differences[0]);
        if (equal) {
            return differences[0] == 0 ? Optional.of(new PairedTTest(0, freedom, 1, 0, 0)) : Optional.empty();
        }
        TDistribution distribution = TDistribution.of(freedom);
        double t = mean / error;
        double reach = distribution.inverseSurvivalProbability(OUTSIDE / 2) * error;
        return Optional.of(new PairedTTest(
                t,
                freedom,
                Math.min(1, 2 * distribution.survivalProbability(Math.abs(t))),
                mean - reach,
                mean + reach));
    }

    static double mean(double[] values) {
        return Arrays.stream(values).sum() / values.length;
    }

    /// The standard deviation of a sample: the sum of squares is divided by the number of values minus 1.
    static double deviation(double[] values) {
        double mean = mean(values);
        double squares = Arrays.stream(values)
                .map(value -> (value - mean) * (value - mean))
                .sum();
        return Math.sqrt(squares / (values.length - 1));
    }
}
