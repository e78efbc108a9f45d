// Products of 64 rows with 64 others on ordinary cores, by 256 threads as 16 × 16: thread (x, y) has rows 4y … 4y + 3 of
// the first and 4x … 4x + 3 of the second. Shared by the kernels of attention that do without tensor cores.
#pragma once

#include "common/attention.cuh"

namespace sgpt {

constexpr int BLOCK_THREADS = 256;
constexpr int KEYS = 64;
constexpr int DEPTH = 32;
constexpr int PITCH = TILE + 4;  // keeps 16-byte accesses aligned and neighbours in a column four banks apart

SGPT_DEVICE void load4(const float* from, float (&values)[4]) {
    load_vector(from, values);
}

// to[d][r] = dimension first + d of row r, r < 64, with zeros from `rows` and `columns` on.
template <class T>
SGPT_DEVICE void stage_transposed(float* to, const T* from, long long stride, int rows, int first, int columns) {
    const int d = static_cast<int>(threadIdx.x) % DEPTH;
    const bool inside = first + d < columns;
#pragma unroll
    for (int r = static_cast<int>(threadIdx.x) / DEPTH; r < TILE; r += BLOCK_THREADS / DEPTH) {
        to[d * PITCH + r] = inside && r < rows ? to_float(from[r * stride + first + d]) : 0.0f;
    }
}

// sums[i][j] += a · b, over one block of dimensions
SGPT_DEVICE void multiply_blocks(const float* a, const float* b, float (&sums)[4][4]) {
    const int x = static_cast<int>(threadIdx.x) % 16;
    const int y = static_cast<int>(threadIdx.x) / 16;
#pragma unroll 8
    for (int d = 0; d < DEPTH; d++) {
        float p[4];
        float q[4];
        load4(a + d * PITCH + 4 * y, p);
        load4(b + d * PITCH + 4 * x, q);
#pragma unroll
        for (int i = 0; i < 4; i++) {
#pragma unroll
            for (int j = 0; j < 4; j++) {
                sums[i][j] += p[i] * q[j];
            }
        }
    }
}

// Maximum or sum over the 16 threads that share rows of the first.
template <bool LARGEST>
SGPT_DEVICE float reduce16(float value) {
#pragma unroll
    for (int lanes = 8; lanes > 0; lanes /= 2) {
        const float other = __shfl_xor_sync(FULL_WARP, value, lanes);
        value = LARGEST ? fmaxf(value, other) : value + other;
    }
    return value;
}

}  // namespace sgpt
