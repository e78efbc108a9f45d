// Hardware-specific parts: launch bounds, shared memory, barriers, shuffles, fast functions, 16-byte accesses,
// asynchronous copies, matrix fragments. Everything else in these kernels is plain C++17.
//
// Functions in PTX have a second branch for the stand-in (SGPT_STANDIN), which runs the same files on the host:
// standin/emulation.h provides the CUDA language and namespace standin.
#pragma once

#ifdef SGPT_STANDIN
#include "standin/emulation.h"
#else
#define SGPT_REGISTER(name, threads)
#endif

// Declares a kernel with a C name: SGPT_ENTRY(sgpt_example, 128, (const float* x, int n)) { … }. The second argument
// is the maximum block size. SGPT_REGISTER registers the kernel with the stand-in.
#define SGPT_ENTRY(name, threads, parameters)                              \
    extern "C" __global__ void __launch_bounds__(threads) name parameters; \
    SGPT_REGISTER(name, threads)                                           \
    extern "C" __global__ void __launch_bounds__(threads) name parameters

// As SGPT_ENTRY, with registers limited so that at least `blocks` blocks fit on a multiprocessor at the same time.
#define SGPT_ENTRY_BLOCKS(name, threads, blocks, parameters)                       \
    extern "C" __global__ void __launch_bounds__(threads, blocks) name parameters; \
    SGPT_REGISTER(name, threads)                                                   \
    extern "C" __global__ void __launch_bounds__(threads, blocks) name parameters

#define SGPT_DEVICE static __device__ __forceinline__

namespace sgpt {

// Sixteen and eight bytes that are loaded or stored in one access.
struct alignas(16) Bytes16 {
    unsigned word[4];
};
struct alignas(8) Bytes8 {
    unsigned word[2];
};

constexpr unsigned FULL_WARP = 0xffffffffu;
constexpr float LOG2_E = 1.4426950408889634f;

// The block's dynamic shared memory, 16-byte aligned. No other shared memory is used.
template <class T>
SGPT_DEVICE T* shared() {
#ifdef SGPT_STANDIN
    return reinterpret_cast<T*>(standin::dynamic_shared());
#else
    extern __shared__ __align__(16) unsigned char sgpt_shared_memory[];
    return reinterpret_cast<T*>(sgpt_shared_memory);
#endif
}

SGPT_DEVICE Bytes16 load16(const void* address) {
    const uint4 value = *static_cast<const uint4*>(address);
    return Bytes16{{value.x, value.y, value.z, value.w}};
}

SGPT_DEVICE void store16(void* address, const Bytes16& value) {
    *static_cast<uint4*>(address) = make_uint4(value.word[0], value.word[1], value.word[2], value.word[3]);
}

SGPT_DEVICE Bytes8 load8(const void* address) {
    const uint2 value = *static_cast<const uint2*>(address);
    return Bytes8{{value.x, value.y}};
}

SGPT_DEVICE void store8(void* address, const Bytes8& value) {
    *static_cast<uint2*>(address) = make_uint2(value.word[0], value.word[1]);
}

SGPT_DEVICE unsigned float_bits(float value) {
#ifdef SGPT_STANDIN
    unsigned bits;
    __builtin_memcpy(&bits, &value, 4);
    return bits;
#else
    return __float_as_uint(value);
#endif
}

SGPT_DEVICE float bits_float(unsigned bits) {
#ifdef SGPT_STANDIN
    float value;
    __builtin_memcpy(&value, &bits, 4);
    return value;
#else
    return __uint_as_float(bits);
#endif
}

SGPT_DEVICE float infinity() {
    return bits_float(0x7f800000u);
}

// 2^x, relative error 2^-22; results below 2^-126 are 0.
SGPT_DEVICE float exp2_fast(float x) {
#ifdef SGPT_STANDIN
    return standin::exp2_approximate(x);
#else
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#endif
}

// e^x with a relative error of 2^-22 + |x| 2^-23.
SGPT_DEVICE float exp_fast(float x) {
    return exp2_fast(x * LOG2_E);
}

// Sum over the lanes of a warp, the same in every lane; all lanes take part.
SGPT_DEVICE float warp_sum(float x) {
#pragma unroll
    for (int lanes = 16; lanes > 0; lanes /= 2) {
        x += __shfl_xor_sync(FULL_WARP, x, lanes);
    }
    return x;
}

// ---- Asynchronous copies from global to shared memory (plain ones before compute capability 8.0) ----

// Copies 16 bytes, or writes 16 zero bytes and reads nothing if `valid` is false. Both addresses are 16-byte aligned.
SGPT_DEVICE void copy_async16(void* to, const void* from, bool valid) {
#ifdef SGPT_STANDIN
    if (standin::compute_capability() >= 80) {
        standin::copy_async(to, from, 16, valid ? 16 : 0);
    } else {
        store16(to, valid ? load16(from) : Bytes16{{0, 0, 0, 0}});
    }
#elif __CUDA_ARCH__ >= 800
    const unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(to));
    const int bytes = valid ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(from), "r"(bytes) : "memory");
#else
    store16(to, valid ? load16(from) : Bytes16{{0, 0, 0, 0}});
#endif
}

// Ends the group of copies begun since the last call.
SGPT_DEVICE void copy_async_commit() {
#ifdef SGPT_STANDIN
    if (standin::compute_capability() >= 80) {
        standin::copy_async_commit();
    }
#elif __CUDA_ARCH__ >= 800
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

// Waits for this thread's copies; a barrier makes them visible to other threads.
SGPT_DEVICE void copy_async_wait() {
#ifdef SGPT_STANDIN
    if (standin::compute_capability() >= 80) {
        standin::copy_async_wait(0);
    }
#elif __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_group 0;" ::: "memory");
#endif
}

// ---- Matrix fragments (PTX ISA, "Matrix Fragments for mma.m16n8k16") ----

// Loads four 8 × 8 matrices of 16-bit elements from shared memory. Lane l gives the address of row l % 8 of matrix l /
// 8 and receives, of each matrix, elements 2 (l % 4) and 2 (l % 4) + 1 of row l / 4.
SGPT_DEVICE void load_matrices(unsigned (&fragment)[4], const void* row) {
#ifdef SGPT_STANDIN
    standin::ldmatrix_x4(fragment, row);
#else
    const unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(row));
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(fragment[0]), "=r"(fragment[1]), "=r"(fragment[2]), "=r"(fragment[3])
                 : "r"(address)
                 : "memory");
#endif
}

// As load_matrices, each matrix transposed: elements of column l / 4.
SGPT_DEVICE void load_matrices_transposed(unsigned (&fragment)[4], const void* row) {
#ifdef SGPT_STANDIN
    standin::ldmatrix_x4(fragment, row, true);
#else
    const unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(row));
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(fragment[0]), "=r"(fragment[1]), "=r"(fragment[2]), "=r"(fragment[3])
                 : "r"(address)
                 : "memory");
#endif
}

}  // namespace sgpt
