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

// Mean and scale factor of one row, computed by one warp.
template <class T>
SGPT_DEVICE void row_statistics(const T* row, int columns, bool aligned, int kind, float epsilon, float& mean,
                                float& scale) {
    const int first = static_cast<int>(threadIdx.x % 32) * 4;
    float values[4];
    mean = 0.0f;
    if (kind == LAYER_NORM) {
        float sum = 0.0f;
        for (int column = first; column < columns; column += 128) {
            load_part(row, column, columns, aligned, values);
            sum += (values[0] + values[1]) + (values[2] + values[3]);
        }
        mean = warp_sum(sum) / static_cast<float>(columns);
    }
    float squares = 0.0f;
    for (int column = first; column < columns; column += 128) {
        load_part(row, column, columns, aligned, values);
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const float difference = values[i] - mean;
            squares += column + i < columns ? difference * difference : 0.0f;
        }
    }
    scale = rsqrtf(warp_sum(squares) / static_cast<float>(columns) + epsilon);
}

}  // namespace sgpt
