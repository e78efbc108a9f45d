package io.github.sgpt4j;

/// What a [SpeedTest] measured.
///
/// @param device one name per device, such as `cpu` or `cuda:0,cuda:1`
/// @param texts texts embedded per second
/// @param tokens tokens of texts embedded per second
/// @param pairs pairs of query and document scored per second
/// @param parts how the time of embedding divides into operations, on the first device
/// @param ceiling what that device reached when idle otherwise, in the same run
public record SpeedReport(String device, Rate texts, Rate tokens, Rate pairs, Parts parts, Ceiling ceiling) {
    /// A rate per second over several passes.
    ///
    /// @param median the median of the passes
    /// @param least of the slowest pass
    /// @param most of the fastest pass
    /// @param passes number of passes
    public record Rate(double median, double least, double most, int passes) {}

    /// Shares of time, from a pass in which every operation is timed: they add up to 1.
    ///
    /// @param products matrix products with bias, activation and residual
    /// @param attention attention
    /// @param rest everything else
    /// @param productFlops operations per second of the products; a multiplication and an addition
    ///     count as two
    /// @param attentionFlops operations per second of attention
    /// @param restBytes bytes per second that the rest reads and writes, counting 32-bit floats
    public record Parts(
            double products,
            double attention,
            double rest,
            double productFlops,
            double attentionFlops,
            double restBytes) {}

    /// Upper bounds of the device's speed.
    ///
    /// @param productFlops operations per second of a large square matrix product
    /// @param copyBytes bytes per second that copying within the device's memory reads and writes
    public record Ceiling(double productFlops, double copyBytes) {}
}
