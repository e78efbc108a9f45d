package io.github.sgpt4j;

import java.util.OptionalLong;

/// Statistics of a tensor's numbers.
///
/// @param tensor the tensor
/// @param nan how many of its numbers are NaN
/// @param infinite how many are infinite
/// @param min the smallest finite number, NaN if there is none
/// @param max the largest finite number, NaN if there is none
/// @param absMax the largest magnitude of a finite number, NaN if there is none
/// @param firstNonFinite row-major index of the first number that is not finite, if any
public record TensorStatistics(
        TensorInfo tensor, long nan, long infinite, float min, float max, float absMax, OptionalLong firstNonFinite) {
    /// Whether all numbers are finite.
    public boolean isFinite() {
        return nan == 0 && infinite == 0;
    }
}
