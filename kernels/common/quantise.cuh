// Rows as e4m3 with a scale each: value = e4m3 · scale, the row's largest magnitude becomes 448.
#pragma once

#include "common/reduce.cuh"
#include "common/types.cuh"

namespace sgpt {

constexpr float E4M3_MAX = 448.0f;

// Rows whose values are all smaller are scaled as if this were their largest, so that scales stay normal numbers.
constexpr float QUANTISE_MIN = 7.88860905e-31f;  // 2^-100

// The largest magnitude among the values inside the row; NaN is passed over.
SGPT_DEVICE float largest_of(const float (&values)[4], int column, int columns) {
    float most = 0.0f;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        most = fmaxf(most, column + i < columns ? fabsf(values[i]) : 0.0f);
    }
    return most;
}

// Rounds four values to a type.
template <class O>
SGPT_DEVICE void round_values(float (&values)[4]) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
        O rounded;
        set(rounded, values[i]);
        values[i] = to_float(rounded);
    }
}

// Returns what a row is multiplied by, given the largest magnitude that a thread has seen; one thread writes the scale.
// All threads of the block take part.
SGPT_DEVICE float quantising_factor(float largest, bool active, float* scale) {
    largest = fmaxf(row_max(largest, shared<float>()), QUANTISE_MIN);
    if (active && threadIdx.x == 0) {
        *scale = largest / E4M3_MAX;
    }
    return E4M3_MAX / largest;
}

SGPT_DEVICE void store_quantised(e4m3* row, int column, int columns, bool aligned, const float (&values)[4],
                                 float factor) {
    const unsigned word = pack_e4m3(values[0] * factor, values[1] * factor) |
                          pack_e4m3(values[2] * factor, values[3] * factor) << 16;
    if (aligned && columns - column >= 4) {
        *reinterpret_cast<unsigned*>(row + column) = word;
        return;
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
        if (i < columns - column) {
            row[column + i].bits = static_cast<unsigned char>(word >> 8 * i);
        }
    }
}

// One row by the threads that share it: `make(column, values)` gives four values of it, `again` gives the same ones
// where the row does not fit the threads' registers. Both give anything outside of the row, and read nothing there.
template <class Make, class Again>
SGPT_DEVICE void quantise_row(bool active, int columns, Make make, Again again, e4m3* to, bool aligned, float* scale) {
    float largest = 0.0f;
    if (columns <= 4 * GROUPS * static_cast<int>(blockDim.x)) {
        float values[GROUPS][4];
#pragma unroll
        for (int g = 0; g < GROUPS; g++) {
            if (active && first_column(g) < columns) {
                make(first_column(g), values[g]);
                largest = fmaxf(largest, largest_of(values[g], first_column(g), columns));
            }
        }
        const float factor = quantising_factor(largest, active, scale);
#pragma unroll
        for (int g = 0; g < GROUPS; g++) {
            if (active && first_column(g) < columns) {
                store_quantised(to, first_column(g), columns, aligned, values[g], factor);
            }
        }
        return;
    }
    // One row per block.
    const int step = static_cast<int>(blockDim.x) * 4;
    float values[4];
    for (int column = first_column(0); column < columns; column += step) {
        make(column, values);
        largest = fmaxf(largest, largest_of(values, column, columns));
    }
    const float factor = quantising_factor(largest, active, scale);
    for (int column = first_column(0); column < columns; column += step) {
        again(column, values);
        store_quantised(to, column, columns, aligned, values, factor);
    }
}

}  // namespace sgpt
