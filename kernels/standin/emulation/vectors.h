// CUDA's vector types with CUDA's alignments (16 bytes for the four-element ones: a misaligned access is reported).
#pragma once

#define SGPT_STANDIN_VECTOR1(name, T) \
    struct name##1 {                  \
        T x;                          \
    };                                \
    inline name##1 make_##name##1(T x) { return {x}; }
#define SGPT_STANDIN_VECTOR2(name, T)         \
    struct alignas(2 * sizeof(T)) name##2 {   \
        T x, y;                               \
    };                                        \
    inline name##2 make_##name##2(T x, T y) { return {x, y}; }
#define SGPT_STANDIN_VECTOR3(name, T) \
    struct name##3 {                  \
        T x, y, z;                    \
    };                                \
    inline name##3 make_##name##3(T x, T y, T z) { return {x, y, z}; }
#define SGPT_STANDIN_VECTOR4(name, T)                                     \
    struct alignas(4 * sizeof(T) < 16 ? 4 * sizeof(T) : 16) name##4 {     \
        T x, y, z, w;                                                     \
    };                                                                    \
    inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
#define SGPT_STANDIN_VECTORS(name, T) \
    SGPT_STANDIN_VECTOR1(name, T)     \
    SGPT_STANDIN_VECTOR2(name, T)     \
    SGPT_STANDIN_VECTOR3(name, T)     \
    SGPT_STANDIN_VECTOR4(name, T)

SGPT_STANDIN_VECTORS(char, signed char)
SGPT_STANDIN_VECTORS(uchar, unsigned char)
SGPT_STANDIN_VECTORS(short, short)
SGPT_STANDIN_VECTORS(ushort, unsigned short)
SGPT_STANDIN_VECTORS(int, int)
SGPT_STANDIN_VECTORS(uint, unsigned int)
SGPT_STANDIN_VECTORS(longlong, long long)
SGPT_STANDIN_VECTORS(ulonglong, unsigned long long)
SGPT_STANDIN_VECTORS(float, float)
SGPT_STANDIN_VECTORS(double, double)

struct dim3 {
    unsigned int x, y, z;
    constexpr dim3(unsigned int x_ = 1, unsigned int y_ = 1, unsigned int z_ = 1) : x(x_), y(y_), z(z_) {}
    constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
    operator uint3() const { return {x, y, z}; }
};
