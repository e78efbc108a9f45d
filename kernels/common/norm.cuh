// Shared by the normalising kernels.
#pragma once

#include "common/types.cuh"

namespace sgpt {

// Ordinals of NormParameters.Kind.
constexpr int LAYER_NORM = 0;
constexpr int IDENTITY = 2;

// Loads four gains or biases of a norm; all are `absent` if the norm has none.
SGPT_DEVICE void load_affine(const float* weights, int column, int columns, float absent, float (&values)[4]) {
    if (weights == nullptr) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            values[i] = absent;
        }
        return;
    }
    load_part(weights, column, columns, is_aligned<4>(weights, 0), values);
}

// values = (values - mean) · scale · gain + bias for four columns.
SGPT_DEVICE void normalise(float (&values)[4], float mean, float scale, const float* gain, const float* bias,
                           int column, int columns) {
    float gains[4];
    float biases[4];
    load_affine(gain, column, columns, 1.0f, gains);
    load_affine(bias, column, columns, 0.0f, biases);
#pragma unroll
    for (int i = 0; i < 4; i++) {
        values[i] = (values[i] - mean) * scale * gains[i] + biases[i];
    }
}

}  // namespace sgpt
