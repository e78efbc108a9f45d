// Bits and integers.
#pragma once

inline int __float_as_int(float x) { return standin::same_bits<int>(x); }
inline unsigned __float_as_uint(float x) { return standin::same_bits<unsigned>(x); }
inline float __int_as_float(int x) { return standin::same_bits<float>(x); }
inline float __uint_as_float(unsigned x) { return standin::same_bits<float>(x); }
inline long long __double_as_longlong(double x) { return standin::same_bits<long long>(x); }
inline double __longlong_as_double(long long x) { return standin::same_bits<double>(x); }

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x)); }
inline int __clzll(long long x) { return x == 0 ? 64 : __builtin_clzll(static_cast<unsigned long long>(x)); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline unsigned __umulhi(unsigned a, unsigned b) {
    return static_cast<unsigned>((static_cast<unsigned long long>(a) * b) >> 32);
}
inline int __mulhi(int a, int b) { return static_cast<int>((static_cast<long long>(a) * b) >> 32); }
inline unsigned __brev(unsigned x) {
    unsigned r = 0;
    for (int i = 0; i < 32; i++) {
        r |= ((x >> i) & 1u) << (31 - i);
    }
    return r;
}
inline unsigned __byte_perm(unsigned a, unsigned b, unsigned s) {
    unsigned long long bytes = (static_cast<unsigned long long>(b) << 32) | a;
    unsigned r = 0;
    for (int i = 0; i < 4; i++) {
        r |= static_cast<unsigned>((bytes >> (8 * ((s >> (4 * i)) & 7))) & 0xff) << (8 * i);
    }
    return r;
}

inline int __float2int_rn(float x) { return static_cast<int>(nearbyintf(x)); }
inline int __float2int_rz(float x) { return static_cast<int>(x); }
inline int __float2int_rd(float x) { return static_cast<int>(floorf(x)); }
inline int __float2int_ru(float x) { return static_cast<int>(ceilf(x)); }
inline float __int2float_rn(int x) { return static_cast<float>(x); }
inline float __uint2float_rn(unsigned x) { return static_cast<float>(x); }
