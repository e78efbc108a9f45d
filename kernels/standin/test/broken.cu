// Kernels with one defect each, which must be reported. `x` has n readable numbers, `y` n uninitialised ones.
#include "emulation.h"

#define KERNEL(name, threads)                                                   \
    extern "C" __global__ void __launch_bounds__(threads) name(float* x, float* y, int n); \
    SGPT_REGISTER(name, threads)                                                \
    extern "C" __global__ void __launch_bounds__(threads) name([[maybe_unused]] float* x, [[maybe_unused]] float* y, \
                                                               [[maybe_unused]] int n)

static __device__ float* shared_floats() { return reinterpret_cast<float*>(standin::dynamic_shared()); }

KERNEL(bad_read_past_end, 1024) { y[threadIdx.x] = x[threadIdx.x + 1]; }
KERNEL(bad_read_before_start, 1024) { y[threadIdx.x] = x[static_cast<int>(threadIdx.x) - 1]; }
KERNEL(bad_write_past_end, 1024) { y[threadIdx.x + 1] = 1.0f; }
KERNEL(bad_far_write, 1024) { y[static_cast<long long>(threadIdx.x) << 24] = 1.0f; }
KERNEL(bad_read_unwritten, 1024) { x[threadIdx.x] = y[threadIdx.x]; }
KERNEL(bad_null, 1024) {
    float* null = nullptr;
    asm("" : "+r"(null));
    null[threadIdx.x] = 1.0f;
}
KERNEL(bad_host_address, 1024) {
    static float host[2];
    host[threadIdx.x % 2] = x[threadIdx.x];
    y[threadIdx.x] = host[0];
}
KERNEL(bad_misaligned_vector, 1024) {
    float4 v = *reinterpret_cast<const float4*>(x + 1);
    y[threadIdx.x] = v.x + v.w;
}
KERNEL(bad_misaligned_float, 1024) {
    y[threadIdx.x] = *reinterpret_cast<const float*>(reinterpret_cast<const char*>(x) + 2);
}
KERNEL(bad_misaligned_load16, 1024) {
    float v[4];
    standin::load16(v, x + 1);
    y[threadIdx.x] = v[0];
}
KERNEL(bad_copy, 1024) { memcpy(y, x, static_cast<size_t>(n + 1) * sizeof(float)); }
KERNEL(bad_shared_past_end, 1024) {
    shared_floats()[threadIdx.x + 1] = 1.0f;
}
KERNEL(bad_shared_unwritten, 1024) {
    float* s = shared_floats();
    if (threadIdx.x != 7) {
        s[threadIdx.x] = x[threadIdx.x];
    }
    __syncthreads();
    y[threadIdx.x] = s[threadIdx.x ^ 1];
}
KERNEL(bad_no_barrier, 1024) {
    float* s = shared_floats();
    s[threadIdx.x] = x[threadIdx.x];
    y[threadIdx.x] = s[(threadIdx.x + 32) % blockDim.x];
}
KERNEL(bad_no_second_barrier, 1024) {
    float* s = shared_floats();
    for (int round = 0; round < 2; round++) {
        s[threadIdx.x] = x[threadIdx.x] + static_cast<float>(round);
        __syncthreads();
        y[threadIdx.x] = s[(threadIdx.x + 32) % blockDim.x];
    }
}
KERNEL(bad_no_syncwarp, 1024) {
    float* s = shared_floats();
    s[threadIdx.x] = x[threadIdx.x];
    // A shuffle synchronises the lanes but does not order their memory accesses.
    float other = __shfl_xor_sync(0xffffffffu, x[threadIdx.x], 1);
    y[threadIdx.x] = s[threadIdx.x ^ 1] + other;
}
KERNEL(bad_syncwarp_for_block, 1024) {
    float* s = shared_floats();
    s[threadIdx.x] = x[threadIdx.x];
    __syncwarp();
    y[threadIdx.x] = s[(threadIdx.x + 32) % blockDim.x];
}
KERNEL(bad_partial_syncwarp, 1024) {
    float* s = shared_floats();
    s[threadIdx.x] = x[threadIdx.x];
    __syncwarp(threadIdx.x % 32 < 16 ? 0x0000ffffu : 0xffff0000u);
    y[threadIdx.x] = s[threadIdx.x ^ 16];
}
KERNEL(bad_same_element, 1024) { y[0] = x[threadIdx.x]; }
KERNEL(bad_global_exchange, 1024) {
    y[threadIdx.x] = x[threadIdx.x];
    x[threadIdx.x] = y[threadIdx.x ^ 33];
}
KERNEL(bad_block_overlap, 1024) {
    // Each block writes one element of the next block's part.
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    y[i] = x[i];
    if (threadIdx.x == 0 && i + blockDim.x < static_cast<unsigned>(n)) {
        y[i + blockDim.x] = 0.0f;
    }
}
KERNEL(bad_block_reads, 1024) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    x[i] = x[(i + blockDim.x) % static_cast<unsigned>(n)];
}
KERNEL(bad_atomic_and_plain, 1024) {
    atomicAdd(&x[0], 1.0f);
    if (threadIdx.x == 3) {
        y[0] = x[0];
    }
}
KERNEL(bad_early_return, 1024) {
    if (threadIdx.x == 5) {
        return;
    }
    __syncthreads();
    y[threadIdx.x] = 1.0f;
}
KERNEL(bad_two_barriers, 1024) {
    if (threadIdx.x < 32) {
        __syncthreads();
    } else {
        y[threadIdx.x] = 1.0f;
        __syncthreads();
    }
}
KERNEL(bad_barrier_and_shuffle, 1024) {
    if (threadIdx.x % 2 == 0) {
        __syncthreads();
    } else {
        y[threadIdx.x] = __shfl_xor_sync(0xffffffffu, 1.0f, 1);
    }
}
KERNEL(bad_shuffle_source, 1024) {
    if (threadIdx.x % 32 < 16) {
        y[threadIdx.x] = __shfl_sync(0x0000ffffu, x[threadIdx.x], 20);
    }
}
KERNEL(bad_shuffle_mask, 1024) { y[threadIdx.x] = __shfl_sync(0x0000ffffu, x[threadIdx.x], 0); }
KERNEL(bad_async_no_wait, 1024) {
    float* s = shared_floats();
    standin::copy_async(s + threadIdx.x * 4, x + threadIdx.x * 4, 16);
    standin::copy_async_commit();
    __syncthreads();
    y[threadIdx.x] = s[threadIdx.x * 4];
}
KERNEL(bad_async_no_barrier, 1024) {
    float* s = shared_floats();
    standin::copy_async(s + threadIdx.x * 4, x + threadIdx.x * 4, 16);
    standin::copy_async_wait_all();
    y[threadIdx.x] = s[(threadIdx.x ^ 1) * 4];
}
KERNEL(bad_async_too_few_waited, 1024) {
    float* s = shared_floats();
    for (unsigned i = 0; i < 2; i++) {
        standin::copy_async(s + (i * 32 + threadIdx.x) * 4, x + threadIdx.x * 4, 16);
        standin::copy_async_commit();
    }
    standin::copy_async_wait(1);
    __syncthreads();
    y[threadIdx.x] = s[(32 + threadIdx.x) * 4];
}
KERNEL(bad_async_misaligned, 1024) {
    standin::copy_async(shared_floats() + threadIdx.x * 4, x + 1, 16);
    standin::copy_async_wait_all();
}
KERNEL(bad_ldmatrix_misaligned, 1024) {
    uint32_t r[4];
    float* s = shared_floats();
    for (int i = 0; i < 8; i++) {
        s[threadIdx.x * 8 + i] = 0.0f;
    }
    __syncthreads();
    standin::ldmatrix_x4(r, s + threadIdx.x * 4 + 1);
    y[threadIdx.x] = static_cast<float>(r[0]);
}
KERNEL(bad_mma_some_lanes, 1024) {
    if (threadIdx.x < 31) {
        uint32_t a[4] = {};
        uint32_t b[2] = {};
        float d[4] = {};
        standin::mma_m16n8k16_bf16(d, a, b, d);
        y[threadIdx.x] = d[0];
    }
}
KERNEL(bad_trap, 1024) { __trap(); }
KERNEL(bad_atomic_unwritten, 1024) { atomicAdd(&y[0], 1.0f); }
