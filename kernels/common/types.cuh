// 16-bit and 8-bit floats, their conversions, and access to rows of any type as 32-bit floats.
#pragma once

#include "common/device.cuh"

namespace sgpt {

using f32 = float;

// IEEE 754 half precision.
struct f16 {
    unsigned short bits;
};

// The upper half of a 32-bit float.
struct bf16 {
    unsigned short bits;
};

// Sign, 4 bits of exponent, 3 of mantissa: magnitudes up to 448, no infinity, one NaN (and its negative).
struct e4m3 {
    unsigned char bits;
};

SGPT_DEVICE float widen_f16(unsigned bits) {
#ifdef SGPT_STANDIN
    const unsigned sign = (bits & 0x8000u) << 16;
    const unsigned magnitude = bits & 0x7fffu;
    if (magnitude >= 0x7c00u) {
        return bits_float(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13);
    }
    // The exponent of a half is read 112 too low; multiplying by 2^112 corrects that, including for subnormals.
    const float shifted = bits_float(magnitude << 13) * bits_float((127u + 112u) << 23);
    return bits_float(float_bits(shifted) | sign);
#else
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(static_cast<unsigned short>(bits)));
    return value;
#endif
}

SGPT_DEVICE unsigned narrow_f16(float value) {
#ifdef SGPT_STANDIN
    const unsigned bits = float_bits(value);
    const unsigned sign = bits >> 16 & 0x8000u;
    const unsigned magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) {
        return 0x7fffu;
    }
    if (magnitude >= 0x477ff000u) {
        return sign | 0x7c00u;
    }
    if (magnitude < 0x38800000u) {
        // Subnormal: adding 0.5 leaves the rounded multiple of 2^-24 in the lowest bits.
        return sign | (float_bits(bits_float(magnitude) + 0.5f) - 0x3f000000u);
    }
    return sign | ((magnitude + 0xfffu + (magnitude >> 13 & 1u) - 0x38000000u) >> 13);
#else
    unsigned short half;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half) : "f"(value));
    return half;
#endif
}

SGPT_DEVICE unsigned narrow_bf16(float value) {
#if !defined(SGPT_STANDIN) && __CUDA_ARCH__ >= 800
    unsigned short brain;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(brain) : "f"(value));
    return brain;
#else
    const unsigned bits = float_bits(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) {
        return 0x7fffu;
    }
    return (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
#endif
}

// To nearest even; what is too large becomes 448, NaN becomes 0x7f. Without the instruction of compute capability 8.9.
SGPT_DEVICE unsigned narrow_e4m3_plain(float value) {
    const unsigned bits = float_bits(value);
    const unsigned sign = bits >> 24 & 0x80u;
    const unsigned magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) {
        return 0x7fu;
    }
    if (magnitude >= 0x43e00000u) {
        return sign | 0x7eu;
    }
    if (magnitude < 0x3c800000u) {
        // Subnormal: adding 2^14 leaves the rounded multiple of 2^-9 in the lowest bits.
        return sign | (float_bits(bits_float(magnitude) + 16384.0f) - 0x46800000u);
    }
    return sign | ((magnitude + 0x7ffffu + (magnitude >> 20 & 1u) - 0x3c000000u) >> 20);
}

// Compilers have the instruction from compute capability 8.9 on, before CUDA 12.1 from 9.0 on.
#if !defined(SGPT_STANDIN) && \
    (__CUDA_ARCH__ >= 900 || (__CUDA_ARCH__ >= 890 && (__CUDACC_VER_MAJOR__ > 12 || __CUDACC_VER_MINOR__ >= 1)))
#define SGPT_CVT_E4M3
#endif

// Two neighbouring values in memory order, `low` first, rounded as by narrow_e4m3_plain.
SGPT_DEVICE unsigned pack_e4m3(float low, float high) {
#ifdef SGPT_CVT_E4M3
    unsigned short pair;
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(pair) : "f"(high), "f"(low));
    return pair;
#else
#ifdef SGPT_STANDIN
    if (standin::compute_capability() >= 89) {
        return standin::cvt_e4m3x2(high, low);
    }
#endif
    return narrow_e4m3_plain(low) | narrow_e4m3_plain(high) << 8;
#endif
}

SGPT_DEVICE float to_float(f32 value) {
    return value;
}

SGPT_DEVICE float to_float(f16 value) {
    return widen_f16(value.bits);
}

SGPT_DEVICE float to_float(bf16 value) {
    return bits_float(static_cast<unsigned>(value.bits) << 16);
}

SGPT_DEVICE void set(f32& to, float value) {
    to = value;
}

SGPT_DEVICE void set(f16& to, float value) {
    to.bits = static_cast<unsigned short>(narrow_f16(value));
}

SGPT_DEVICE void set(bf16& to, float value) {
    to.bits = static_cast<unsigned short>(narrow_bf16(value));
}

// Packs two neighbouring values in memory order, `low` first.
SGPT_DEVICE unsigned pack(f16, float low, float high) {
#if !defined(SGPT_STANDIN) && __CUDA_ARCH__ >= 800
    unsigned pair;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
#else
    return narrow_f16(low) | narrow_f16(high) << 16;
#endif
}

SGPT_DEVICE unsigned pack(bf16, float low, float high) {
#if !defined(SGPT_STANDIN) && __CUDA_ARCH__ >= 800
    unsigned pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
#else
    return narrow_bf16(low) | narrow_bf16(high) << 16;
#endif
}

SGPT_DEVICE void unpack(f16, unsigned pair, float& low, float& high) {
    low = widen_f16(pair & 0xffffu);
    high = widen_f16(pair >> 16);
}

SGPT_DEVICE void unpack(bf16, unsigned pair, float& low, float& high) {
    low = bits_float(pair << 16);
    high = bits_float(pair & 0xffff0000u);
}

// ---- N values at once: one access of 8 or 16 bytes, or two of 16; the address is aligned accordingly ----

template <int N>
SGPT_DEVICE void load_vector(const f32* from, float (&values)[N]) {
    if constexpr (N % 4 == 0) {
#pragma unroll
        for (int i = 0; i < N; i += 4) {
            const Bytes16 bytes = load16(from + i);
#pragma unroll
            for (int j = 0; j < 4; j++) {
                values[i + j] = bits_float(bytes.word[j]);
            }
        }
    } else {
        static_assert(N == 2, "2 or multiples of 4");
        const Bytes8 bytes = load8(from);
        values[0] = bits_float(bytes.word[0]);
        values[1] = bits_float(bytes.word[1]);
    }
}

template <int N>
SGPT_DEVICE void store_vector(f32* to, const float (&values)[N]) {
    static_assert(N % 4 == 0, "multiples of 4");
#pragma unroll
    for (int i = 0; i < N; i += 4) {
        Bytes16 bytes;
#pragma unroll
        for (int j = 0; j < 4; j++) {
            bytes.word[j] = float_bits(values[i + j]);
        }
        store16(to + i, bytes);
    }
}

template <int N, class H>
SGPT_DEVICE void load_vector(const H* from, float (&values)[N]) {
    if constexpr (N == 8) {
        const Bytes16 bytes = load16(from);
#pragma unroll
        for (int i = 0; i < 4; i++) {
            unpack(H{}, bytes.word[i], values[2 * i], values[2 * i + 1]);
        }
    } else {
        static_assert(N == 4, "4 or 8");
        const Bytes8 bytes = load8(from);
        unpack(H{}, bytes.word[0], values[0], values[1]);
        unpack(H{}, bytes.word[1], values[2], values[3]);
    }
}

template <int N, class H>
SGPT_DEVICE void store_vector(H* to, const float (&values)[N]) {
    if constexpr (N == 8) {
        Bytes16 bytes;
#pragma unroll
        for (int i = 0; i < 4; i++) {
            bytes.word[i] = pack(H{}, values[2 * i], values[2 * i + 1]);
        }
        store16(to, bytes);
    } else {
        static_assert(N == 4, "4 or 8");
        store8(to, Bytes8{{pack(H{}, values[0], values[1]), pack(H{}, values[2], values[3])}});
    }
}

// Number of values that a thread processes at a time, given types A and B.
template <class A, class B>
constexpr int VECTOR = sizeof(A) == 2 && sizeof(B) == 2 ? 8 : 4;

// Whether all rows may be accessed N values at a time.
template <int N, class T>
SGPT_DEVICE bool is_aligned(const T* address, long long stride) {
    constexpr unsigned long long bytes = N * sizeof(T) < 16 ? N * sizeof(T) : 16;
    const unsigned long long both =
        reinterpret_cast<unsigned long long>(address) | static_cast<unsigned long long>(stride) * sizeof(T);
    return both % bytes == 0;
}

// Loads values [column, column + N) of a row of `columns`, with zeros past its end.
template <int N, class T, class Index>
SGPT_DEVICE void load_part(const T* row, Index column, Index columns, bool aligned, float (&values)[N]) {
    if (aligned && columns - column >= N) {
        load_vector(row + column, values);
        return;
    }
#pragma unroll
    for (int i = 0; i < N; i++) {
        values[i] = i < columns - column ? to_float(row[column + i]) : 0.0f;
    }
}

// Stores the values inside the row.
template <int N, class T, class Index>
SGPT_DEVICE void store_part(T* row, Index column, Index columns, bool aligned, const float (&values)[N]) {
    if (aligned && columns - column >= N) {
        store_vector(row + column, values);
        return;
    }
#pragma unroll
    for (int i = 0; i < N; i++) {
        if (i < columns - column) {
            set(row[column + i], values[i]);
        }
    }
}

// ---- Products of fragments: d += a · b, 16 × 8 × 16, accumulated in 32-bit floats ----

SGPT_DEVICE void multiply(f16, float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
#ifdef SGPT_STANDIN
    const unsigned b[2] = {b0, b1};
    if (standin::compute_capability() >= 80) {
        standin::mma_m16n8k16_f16(d, a, b, d);
    } else {
        standin::mma_m16n8k8_f16(d, a, b, d);
        standin::mma_m16n8k8_f16(d, a + 2, b + 1, d);
    }
#elif __CUDA_ARCH__ >= 800
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#else
    // Turing supports only depth 8; a fragment of depth 16 consists of two of depth 8.
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(b0));
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[2]), "r"(a[3]), "r"(b1));
#endif
}

SGPT_DEVICE void multiply(bf16, float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
#ifdef SGPT_STANDIN
    const unsigned b[2] = {b0, b1};
    standin::mma_m16n8k16_bf16(d, a, b, d);
#elif __CUDA_ARCH__ >= 800
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#else
    __trap();  // Turing has no such product; callers choose another kernel
#endif
}

}  // namespace sgpt
