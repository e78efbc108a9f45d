// Rotary position embedding, in place: each pair (a, b) of a head becomes (a cos - b sin, a sin + b cos).
//
// qkv        T, row stride `stride`: the first `heads` heads of a row are rotated, queries and keys together
// positions  int [rows]
// cos, sin   f32 [positions, rotaryDim / 2], already multiplied by the scale
//
// Pairs are (2p, 2p + 1) if interleaved, else (p, p + rotaryDim / 2); dimensions from rotaryDim on are unchanged.
//
// Launch: block (128), grid (rows). A thread processes 16 bytes of each half of the pairs (interleaved: of both
// together) where sizes and addresses allow, otherwise one pair at a time. Memory-bound; the tables of a row stay in
// the L1 cache.
#include "common/types.cuh"

namespace sgpt {

SGPT_DEVICE void turn(float& a, float& b, float cos, float sin) {
    const float turned = a * sin + b * cos;
    a = a * cos - b * sin;
    b = turned;
}

template <class T>
SGPT_DEVICE void rotate_pair(T* row, const float* cos, const float* sin, int item, int half, int headDim,
                             bool interleaved) {
    const int pair = item % half;
    T* head = row + item / half * headDim;
    T* first = interleaved ? head + 2 * pair : head + pair;
    T* second = interleaved ? first + 1 : first + half;
    float a = to_float(*first);
    float b = to_float(*second);
    turn(a, b, cos[pair], sin[pair]);
    set(*first, a);
    set(*second, b);
}

template <class T>
SGPT_DEVICE void rotate_interleaved(T* row, const float* cos, const float* sin, int item, int half, int headDim) {
    constexpr int N = VECTOR<T, T>;
    const int chunks = 2 * half / N;
    const int chunk = item % chunks;
    T* at = row + item / chunks * headDim + chunk * N;
    float values[N];
    float c[N / 2];
    float s[N / 2];
    load_vector(at, values);
    load_vector(cos + chunk * (N / 2), c);
    load_vector(sin + chunk * (N / 2), s);
#pragma unroll
    for (int i = 0; i < N / 2; i++) {
        turn(values[2 * i], values[2 * i + 1], c[i], s[i]);
    }
    store_vector(at, values);
}

template <class T>
SGPT_DEVICE void rotate_halves(T* row, const float* cos, const float* sin, int item, int half, int headDim) {
    constexpr int N = VECTOR<T, T>;
    const int chunks = half / N;
    const int chunk = item % chunks;
    T* at = row + item / chunks * headDim + chunk * N;
    float first[N];
    float second[N];
    float c[N];
    float s[N];
    load_vector(at, first);
    load_vector(at + half, second);
    load_vector(cos + chunk * N, c);
    load_vector(sin + chunk * N, s);
#pragma unroll
    for (int i = 0; i < N; i++) {
        turn(first[i], second[i], c[i], s[i]);
    }
    store_vector(at, first);
    store_vector(at + half, second);
}

template <class T>
SGPT_DEVICE void rotary(T* qkv, const int* positions, const float* cos, const float* sin, int rows, int heads,
                        int headDim, int rotaryDim, int stride, int interleaved) {
    constexpr int N = VECTOR<T, T>;
    const int row = static_cast<int>(blockIdx.x);
    if (row >= rows) {
        return;
    }
    const int half = rotaryDim / 2;
    const int unit = interleaved != 0 ? N / 2 : N;  // pairs per thread
    const bool vectors = half % unit == 0 && is_aligned<N>(qkv, stride) && is_aligned<N>(qkv, headDim) &&
                         is_aligned<4>(cos, 0) && is_aligned<4>(sin, 0) &&
                         (interleaved != 0 || is_aligned<N>(qkv, half)) && half * 4 % (unit >= 4 ? 16 : 8) == 0;
    T* at = qkv + static_cast<long long>(row) * stride;
    const long long table = static_cast<long long>(positions[row]) * half;
    const int items = heads * (vectors ? half / unit : half);
    for (int item = static_cast<int>(threadIdx.x); item < items; item += static_cast<int>(blockDim.x)) {
        if (!vectors) {
            rotate_pair(at, cos + table, sin + table, item, half, headDim, interleaved != 0);
        } else if (interleaved != 0) {
            rotate_interleaved(at, cos + table, sin + table, item, half, headDim);
        } else {
            rotate_halves(at, cos + table, sin + table, item, half, headDim);
        }
    }
}

}  // namespace sgpt

#define SGPT_ROTARY(T)                                                                                        \
    SGPT_ENTRY(sgpt_rotary_##T, 128,                                                                          \
               (sgpt::T * qkv, const int* positions, const float* cos, const float* sin, int rows, int heads, \
                int headDim, int rotaryDim, int stride, int interleaved)) {                                   \
        sgpt::rotary(qkv, positions, cos, sin, rows, heads, headDim, rotaryDim, stride, interleaved);         \
    }

SGPT_ROTARY(f32)
SGPT_ROTARY(f16)
SGPT_ROTARY(bf16)
