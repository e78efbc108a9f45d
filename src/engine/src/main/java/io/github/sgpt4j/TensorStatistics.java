package io.github.sgpt4j;

import java.util.OptionalLong;

/// What a tensor's numbers are like.
///
/// @param tensor the tensor
/// @param nan how many of its numbers are not a number
/// @param infinite how many are infinite
/// @param min the least finite number, NaN if there is none
/// @param max the greatest finite number, NaN if there is none
/// @param absMax the greatest magnitude of a finite number, NaN if there is none
/// @param firstNonFinite row-major index of the first number that is not finite, if any
public record TensorStatistics(
        TensorInfo tensor, long nan, long infinite, float min, float max, float absMax, OptionalLong firstNonFinite) {
    /// Whether all numbers are finite.
    public boolean isFinite() {
        return nan == 0 && infinite == 0;
    }
}
