// Sums and maxima over the threads that share a row, and the columns that each of them has.
#pragma once

#include "common/device.cuh"

namespace sgpt {

// Groups of four values that a thread keeps of its row.
constexpr int GROUPS = 4;

// The first column of a thread's group.
SGPT_DEVICE int first_column(int group) {
    return (group * static_cast<int>(blockDim.x) + static_cast<int>(threadIdx.x)) * 4;
}

// Sum over the blockDim.x threads with the same threadIdx.y, returned in each. blockDim.x is a multiple of 32. All
// threads of the block take part. `scratch`: blockDim.x / 32 floats for each threadIdx.y, unused if that is 1; it may
// be reused immediately.
SGPT_DEVICE float row_sum(float x, float* scratch) {
    x = warp_sum(x);
    const int warps = static_cast<int>(blockDim.x) / 32;
    if (warps == 1) {
        return x;
    }
    float* mine = scratch + static_cast<int>(threadIdx.y) * warps;
    if (threadIdx.x % 32 == 0) {
        mine[threadIdx.x / 32] = x;
    }
    __syncthreads();
    float sum = 0.0f;
    for (int w = 0; w < warps; w++) {
        sum += mine[w];
    }
    __syncthreads();
    return sum;
}

// As row_sum, the largest value; NaN is passed over.
SGPT_DEVICE float row_max(float x, float* scratch) {
#pragma unroll
    for (int lanes = 16; lanes > 0; lanes /= 2) {
        x = fmaxf(x, __shfl_xor_sync(FULL_WARP, x, lanes));
    }
    const int warps = static_cast<int>(blockDim.x) / 32;
    if (warps == 1) {
        return x;
    }
    float* mine = scratch + static_cast<int>(threadIdx.y) * warps;
    if (threadIdx.x % 32 == 0) {
        mine[threadIdx.x / 32] = x;
    }
    __syncthreads();
    float most = mine[0];
    for (int w = 1; w < warps; w++) {
        most = fmaxf(most, mine[w]);
    }
    __syncthreads();
    return most;
}

}  // namespace sgpt
