// Correct kernels: nothing may be reported under any order.
#include "emulation.h"

extern "C" __global__ void __launch_bounds__(256) ok_scale(const float* x, float* y, int n, float factor);
SGPT_REGISTER(ok_scale, 256)
extern "C" __global__ void __launch_bounds__(256) ok_scale(const float* x, float* y, int n, float factor) {
    int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    if (i < n) {
        y[i] = x[i] * factor;
    }
}

// Sum of each block's part through shared memory, shuffles and one atomic.
extern "C" __global__ void ok_sum(const float* x, float* total, int n);
SGPT_REGISTER(ok_sum, 1024)
extern "C" __global__ void ok_sum(const float* x, float* total, int n) {
    float* part = reinterpret_cast<float*>(standin::dynamic_shared());
    unsigned t = threadIdx.x;
    float sum = 0.0f;
    for (unsigned i = blockIdx.x * blockDim.x + t; i < static_cast<unsigned>(n); i += blockDim.x * gridDim.x) {
        sum += x[i];
    }
    for (int lanes = 16; lanes > 0; lanes /= 2) {
        sum += __shfl_xor_sync(0xffffffffu, sum, lanes);
    }
    if (t % 32 == 0) {
        part[t / 32] = sum;
    }
    __syncthreads();
    if (t < 32) {
        sum = t < blockDim.x / 32 ? part[t] : 0.0f;
        for (int lanes = 16; lanes > 0; lanes /= 2) {
            sum += __shfl_down_sync(0xffffffffu, sum, static_cast<unsigned>(lanes));
        }
        if (t == 0) {
            atomicAdd(total, sum);
        }
    }
}

// Reverses each group of 32 elements through shared memory, with warp synchronisation only.
extern "C" __global__ void ok_warp_reverse(const int* x, int* y);
SGPT_REGISTER(ok_warp_reverse, 1024)
extern "C" __global__ void ok_warp_reverse(const int* x, int* y) {
    int* s = reinterpret_cast<int*>(standin::dynamic_shared());
    unsigned t = threadIdx.x;
    for (int round = 0; round < 3; round++) {
        s[t] = x[t] + round;
        __syncwarp();
        y[t] = s[t ^ 31];
        __syncwarp();
    }
}

// Reads the last three elements of each thread's neighbour, in many rounds of two barriers each.
extern "C" __global__ void ok_rounds(const int* x, int* y, int rounds);
SGPT_REGISTER(ok_rounds, 1024)
extern "C" __global__ void ok_rounds(const int* x, int* y, int rounds) {
    int* s = reinterpret_cast<int*>(standin::dynamic_shared());
    unsigned t = threadIdx.x;
    int value = x[t];
    for (int r = 0; r < rounds; r++) {
        s[t] = value;
        __syncthreads();
        value = s[(t + 1) % blockDim.x];
        __syncthreads();
    }
    y[t] = value;
}

// Mixes 16-byte and 16-bit accesses.
extern "C" __global__ void ok_halves(const float4* x, __nv_bfloat16* b, __half* h, int n);
SGPT_REGISTER(ok_halves, 1024)
extern "C" __global__ void ok_halves(const float4* x, __nv_bfloat16* b, __half* h, int n) {
    int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    if (i < n) {
        float4 v = x[i];
        float values[4] = {v.x, v.y, v.z, v.w};
        for (int j = 0; j < 4; j++) {
            // Neighbouring threads write neighbouring 16-bit elements.
            b[j * n + i] = __float2bfloat16(values[j]);
            h[j * n + i] = __float2half(values[j]);
        }
    }
}

// c[16 m, 8 n] = a[16, k] b[8, k] (both with k contiguous), bf16, tiles of k copied asynchronously, two stages.
extern "C" __global__ void ok_tensor_product(const __nv_bfloat16* a, const __nv_bfloat16* b, float* c, int k);
SGPT_REGISTER(ok_tensor_product, 32)
extern "C" __global__ void ok_tensor_product(const __nv_bfloat16* a, const __nv_bfloat16* b, float* c, int k) {
    constexpr int pitch = 24;  // elements: 16, plus 8 to avoid bank conflicts
    auto* sa = reinterpret_cast<__nv_bfloat16*>(standin::dynamic_shared());
    auto* sb = sa + 2 * 16 * pitch;
    int lane = static_cast<int>(threadIdx.x);
    auto fetch = [&](int stage, int first) {
        int row = lane / 2;
        int part = lane % 2 * 8;
        standin::copy_async(sa + (stage * 16 + row) * pitch + part, a + row * k + first + part, 16);
        if (lane < 16) {
            standin::copy_async(sb + (stage * 8 + row) * pitch + part, b + row * k + first + part, 16);
        }
        standin::copy_async_commit();
    };
    float d[4] = {};
    fetch(0, 0);
    int stages = k / 16;
    for (int s = 0; s < stages; s++) {
        if (s + 1 < stages) {
            fetch((s + 1) % 2, (s + 1) * 16);
            standin::copy_async_wait(1);
        } else {
            standin::copy_async_wait(0);
        }
        __syncthreads();
        uint32_t fa[4];
        uint32_t fb[2];
        standin::ldmatrix_x4(fa, sa + (s % 2 * 16 + lane % 16) * pitch + lane / 16 * 8);
        standin::ldmatrix_x2(fb, sb + (s % 2 * 8 + lane % 8) * pitch + lane / 8 % 2 * 8);
        standin::mma_m16n8k16_bf16(d, fa, fb, d);
        __syncthreads();
    }
    for (int i = 0; i < 4; i++) {
        c[(lane / 4 + i / 2 * 8) * 8 + lane % 4 * 2 + i % 2] = d[i];
    }
}

// Direct access to the matrix functions: loads and stores each lane's registers.
extern "C" __global__ void ok_mma(int which, const uint32_t* a, const uint32_t* b, const float* c, float* d);
SGPT_REGISTER(ok_mma, 32)
extern "C" __global__ void ok_mma(int which, const uint32_t* a, const uint32_t* b, const float* c, float* d) {
    uint32_t ra[4];
    uint32_t rb[2];
    float rc[4];
    for (int i = 0; i < 4; i++) {
        ra[i] = a[threadIdx.x * 4 + i];
        rc[i] = c[threadIdx.x * 4 + i];
    }
    for (int i = 0; i < 2; i++) {
        rb[i] = b[threadIdx.x * 2 + i];
    }
    switch (which) {
        case 0:
            standin::mma_m16n8k16_bf16(rc, ra, rb, rc);
            break;
        case 1:
            standin::mma_m16n8k16_f16(rc, ra, rb, rc);
            break;
        case 2:
            standin::mma_m16n8k8_bf16(rc, ra, rb, rc);
            break;
        case 3:
            standin::mma_m16n8k8_f16(rc, ra, rb, rc);
            break;
        case 4:
            standin::mma_m16n8k8_tf32(rc, ra, rb, rc);
            break;
        default:
            standin::mma_m16n8k4_tf32(rc, ra, rb, rc);
            break;
    }
    for (int i = 0; i < 4; i++) {
        d[threadIdx.x * 4 + i] = rc[i];
    }
}

// Loads `count` 8 x 8 matrices of the numbers 0, 1, 2, ... from shared memory.
extern "C" __global__ void ok_ldmatrix(int count, int transposed, uint32_t* out);
SGPT_REGISTER(ok_ldmatrix, 32)
extern "C" __global__ void ok_ldmatrix(int count, int transposed, uint32_t* out) {
    auto* s = reinterpret_cast<unsigned short*>(standin::dynamic_shared());
    for (int i = static_cast<int>(threadIdx.x); i < 256; i += 32) {
        s[i] = static_cast<unsigned short>(i);
    }
    __syncthreads();
    uint32_t r[4] = {};
    standin::ldmatrix(r, s + threadIdx.x * 8, count, transposed != 0);
    for (int i = 0; i < count; i++) {
        out[threadIdx.x * 4 + i] = r[i];
    }
}

// Votes and shuffles of all kinds; out[0..]: per thread 8 numbers.
extern "C" __global__ void ok_votes(unsigned* out);
SGPT_REGISTER(ok_votes, 1024)
extern "C" __global__ void ok_votes(unsigned* out) {
    unsigned t = threadIdx.x;
    unsigned* mine = out + t * 8;
    mine[0] = __ballot_sync(0xffffffffu, t % 3 == 0);
    mine[1] = __shfl_sync(0xffffffffu, t, 5);
    mine[2] = __shfl_up_sync(0xffffffffu, t, 3);
    mine[3] = __shfl_down_sync(0xffffffffu, t, 3, 16);
    mine[4] = static_cast<unsigned>(__any_sync(0xffffffffu, t == 40)) * 2 +
              static_cast<unsigned>(__all_sync(0xffffffffu, t < 32));
    mine[5] = __reduce_add_sync(0xffffffffu, t);
    mine[6] = static_cast<unsigned>(__syncthreads_count(t % 2 == 0));
    unsigned half = t % 32 < 16 ? 0x0000ffffu : 0xffff0000u;
    mine[7] = __shfl_xor_sync(half, t, 1);
}

// Lanes from `lanes` on return at once; the others still synchronise.
extern "C" __global__ void ok_partial_warp(int lanes, int* out);
SGPT_REGISTER(ok_partial_warp, 32)
extern "C" __global__ void ok_partial_warp(int lanes, int* out) {
    int lane = static_cast<int>(threadIdx.x);
    if (lane >= lanes) {
        return;
    }
    unsigned mask = __ballot_sync((1u << lanes) - 1, 1);
    out[lane] = __shfl_sync(mask, lane, 0) + __popc(mask);
}

extern "C" __global__ void ok_histogram(const int* x, int n, unsigned* counts, int bins);
SGPT_REGISTER(ok_histogram, 256)
extern "C" __global__ void ok_histogram(const int* x, int n, unsigned* counts, int bins) {
    auto* local = reinterpret_cast<unsigned*>(standin::dynamic_shared());
    for (int i = static_cast<int>(threadIdx.x); i < bins; i += static_cast<int>(blockDim.x)) {
        local[i] = 0;
    }
    __syncthreads();
    int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    if (i < n) {
        atomicAdd(&local[x[i]], 1u);
    }
    __syncthreads();
    for (int j = static_cast<int>(threadIdx.x); j < bins; j += static_cast<int>(blockDim.x)) {
        atomicAdd(&counts[j], local[j]);
    }
}

// Enough local memory for the stack size to matter, indexed at run time and passed by address.
static __device__ __noinline__ void fill(int* values, int n) {
    for (int i = 0; i < n; i++) {
        values[i] = i * i;
    }
}
extern "C" __global__ void ok_local(int* out);
SGPT_REGISTER(ok_local, 1024)
extern "C" __global__ void ok_local(int* out) {
    int values[2000];
    fill(values, 2000);
    __syncthreads();
    out[threadIdx.x] = values[threadIdx.x % 2000];
}
