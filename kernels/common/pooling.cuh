// Ways of pooling and their divisors, shared by pooling and its gradient.
#pragma once

#include "common/device.cuh"

namespace sgpt {

// Ordinals of PoolMode.
enum : int { FIRST, MAX, MEAN, MEAN_SQRT_LENGTH, WEIGHTED_MEAN, LAST };

SGPT_DEVICE int mode_of(long long modes, int index) {
    return static_cast<int>(modes >> (4 * index) & 15);
}

// Divisor of a sum over tokens first … length − 1.
SGPT_DEVICE float divisor(int mode, int first, int length) {
    const float kept = static_cast<float>(length - first);
    switch (mode) {
        case MEAN:
            return kept;
        case MEAN_SQRT_LENGTH:
            return sqrtf(kept);
        case WEIGHTED_MEAN:
            return 0.5f * kept * (static_cast<float>(first) + 1.0f + static_cast<float>(length));
        default:
            return 1.0f;
    }
}

}  // namespace sgpt
