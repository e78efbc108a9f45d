// Device functions that the host's <cmath> lacks or names differently. The approximate ones are computed in double and
// rounded once, more accurately than on a GPU: tolerances must allow for the error bounds of the CUDA C++ guide.
#pragma once

inline int min(int a, int b) { return a < b ? a : b; }
inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
inline long long min(long long a, long long b) { return a < b ? a : b; }
inline unsigned long long min(unsigned long long a, unsigned long long b) { return a < b ? a : b; }
inline float min(float a, float b) { return fminf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline int max(int a, int b) { return a > b ? a : b; }
inline unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }
inline long long max(long long a, long long b) { return a > b ? a : b; }
inline unsigned long long max(unsigned long long a, unsigned long long b) { return a > b ? a : b; }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double max(double a, double b) { return fmax(a, b); }

namespace standin {

inline float exp_approximate(float x) { return static_cast<float>(exp(static_cast<double>(x))); }
inline float exp2_approximate(float x) { return static_cast<float>(exp2(static_cast<double>(x))); }
inline float log_approximate(float x) { return static_cast<float>(log(static_cast<double>(x))); }
inline float log2_approximate(float x) { return static_cast<float>(log2(static_cast<double>(x))); }
/// tanh.approx.f32: relative error up to 2^-11.
inline float tanh_approximate(float x) { return static_cast<float>(tanh(static_cast<double>(x))); }
inline float reciprocal_approximate(float x) { return 1.0f / x; }

template <class To, class From>
inline To same_bits(From value) {
    static_assert(sizeof(To) == sizeof(From), "same size");
    To result;
    __builtin_memcpy(&result, &value, sizeof(To));
    return result;
}

}  // namespace standin

// glibc declares some of these names for itself, hence macros.
#define __expf(x) (standin::exp_approximate(x))
#define __exp10f(x) (static_cast<float>(pow(10.0, static_cast<double>(x))))
#define __logf(x) (standin::log_approximate(x))
#define __log2f(x) (standin::log2_approximate(x))
#define __log10f(x) (static_cast<float>(log10(static_cast<double>(x))))
#define __powf(x, y) (static_cast<float>(pow(static_cast<double>(x), static_cast<double>(y))))
#define __sinf(x) (static_cast<float>(sin(static_cast<double>(x))))
#define __cosf(x) (static_cast<float>(cos(static_cast<double>(x))))
#define __tanhf(x) (standin::tanh_approximate(x))

inline float __fdividef(float a, float b) { return a / b; }
inline float __frcp_rn(float a) { return 1.0f / a; }
inline float __fsqrt_rn(float a) { return sqrtf(a); }
inline float __frsqrt_rn(float a) { return static_cast<float>(1.0 / sqrt(static_cast<double>(a))); }
inline float rsqrtf(float a) { return static_cast<float>(1.0 / sqrt(static_cast<double>(a))); }
inline double rsqrt(double a) { return 1.0 / sqrt(a); }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __saturatef(float a) { return fminf(fmaxf(a, 0.0f), 1.0f); }
inline float normcdff(float a) {
    return static_cast<float>(0.5 * erfc(-static_cast<double>(a) * 0.70710678118654752440));
}

template <class T>
inline T __ldg(const T* address) {
    return *address;
}
template <class T>
inline T __ldcg(const T* address) {
    return *address;
}
template <class T>
inline T __ldca(const T* address) {
    return *address;
}
template <class T>
inline T __ldcs(const T* address) {
    return *address;
}
template <class T>
inline void __stcs(T* address, T value) {
    *address = value;
}
template <class T>
inline void __stcg(T* address, T value) {
    *address = value;
}
