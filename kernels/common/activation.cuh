// Activations and bounds, shared by the element-wise kernels, attention and log-probabilities.
#pragma once

#include "common/types.cuh"

namespace sgpt {

// Ordinals of Activation.
enum : int { NONE, RELU, GELU, GELU_TANH, GELU_QUICK, SILU, TANH, SIGMOID };

SGPT_DEVICE float sigmoid(float x) {
    return __fdividef(1.0f, 1.0f + exp_fast(-x));
}

// x · sigmoid(y); where the exponential overflows, the fast division gives 0.
SGPT_DEVICE float times_sigmoid(float x, float y) {
    return __fdividef(x, 1.0f + exp_fast(-y));
}

// bound · tanh(x / bound), or x if `bound` is 0
SGPT_DEVICE float bounded(float x, float bound) {
    return bound > 0.0f ? bound * tanhf(x / bound) : x;
}

template <int ACTIVATION>
SGPT_DEVICE float activate(float x) {
    if constexpr (ACTIVATION == RELU) {
        return x < 0.0f ? 0.0f : x;
    } else if constexpr (ACTIVATION == GELU) {
        return 0.5f * x * (1.0f + erff(x * 0.70710678f));
    } else if constexpr (ACTIVATION == GELU_TANH) {
        // (1 + tanh(u)) / 2 = sigmoid(2u), without the cancellation of 1 + tanh(u) for u < 0.
        return times_sigmoid(x, 1.59576912f * x * (1.0f + 0.044715f * x * x));
    } else if constexpr (ACTIVATION == GELU_QUICK) {
        return times_sigmoid(x, 1.702f * x);
    } else if constexpr (ACTIVATION == SILU) {
        return times_sigmoid(x, x);
    } else if constexpr (ACTIVATION == TANH) {
        return tanhf(x);
    } else if constexpr (ACTIVATION == SIGMOID) {
        return sigmoid(x);
    } else {
        return x;
    }
}

template <int ACTIVATION, int N>
SGPT_DEVICE void activate_each(float (&values)[N]) {
#pragma unroll
    for (int i = 0; i < N; i++) {
        values[i] = activate<ACTIVATION>(values[i]);
    }
}

template <int N>
SGPT_DEVICE void activate_all(int activation, float (&values)[N]) {
    switch (activation) {
        case RELU:
            return activate_each<RELU>(values);
        case GELU:
            return activate_each<GELU>(values);
        case GELU_TANH:
            return activate_each<GELU_TANH>(values);
        case GELU_QUICK:
            return activate_each<GELU_QUICK>(values);
        case SILU:
            return activate_each<SILU>(values);
        case TANH:
            return activate_each<TANH>(values);
        case SIGMOID:
            return activate_each<SIGMOID>(values);
        default:
            return;
    }
}

}  // namespace sgpt
