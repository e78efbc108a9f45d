package io.github.sgpt4j;

/// What a [SpeedTest] is going to do, and how long that takes; found by short trials.
///
/// @param texts number of texts in a pass
/// @param usualTexts so many would fill the device's batches; `texts` is less where the time does not
///     suffice
/// @param tokens tokens per text
/// @param queryTokens tokens of the query that is scored after each text
/// @param batchTokens maximum tokens computed at the same time on a device
/// @param embedSeconds time of embedding the texts once
/// @param scoreSeconds time of scoring them once
/// @param passSeconds time for all counted passes, if these are no fewer than three of each kind
/// @param expectedSeconds time of everything, from the first trial on
/// @param ceiling how fast the device is at best, measured with the trials
public record SpeedPlan(
        int texts,
        int usualTexts,
        int tokens,
        int queryTokens,
        int batchTokens,
        double embedSeconds,
        double scoreSeconds,
        double passSeconds,
        double expectedSeconds,
        SpeedReport.Ceiling ceiling) {
    /// Least number of counted passes of each kind.
    public static final int MIN_PASSES = 3;

    /// Passes that do not count, to warm up.
    private static final int WARM_PASSES = 1;

    /// Share of the time for counted passes that embedding gets: so that both kinds have equally many.
    double embedShare() {
        return embedSeconds / (embedSeconds + scoreSeconds);
    }

    /// Time of all passes, without those beyond the least number.
    static double leastSeconds(double embedSeconds, double scoreSeconds) {
        // One more pass is timed operation by operation.
        return (WARM_PASSES + MIN_PASSES) * (embedSeconds + scoreSeconds) + embedSeconds;
    }

    /// Time of the passes that do not count.
    static double uncountedSeconds(double embedSeconds, double scoreSeconds) {
        return WARM_PASSES * (embedSeconds + scoreSeconds) + embedSeconds;
    }
}
