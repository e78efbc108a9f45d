// Sums over the threads that share a row.
#pragma once

#include "common/device.cuh"

namespace sgpt {

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

}  // namespace sgpt
