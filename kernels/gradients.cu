// Gradients of element-wise operations, norms and pooling.
//
// sgpt_gradient_activation: d *= activation'(x), in place
// sgpt_gradient_gated:      dX[:, c] = dOut · up · activation'(gate), dX[:, columns + c] = dOut · activation(gate)
// sgpt_gradient_norm:       dX = or += the gradient through a norm
// sgpt_gradient_statistics: mean and factor of each vector, for what follows and for sums.cu
// sgpt_gradient_pool:       gradient of normalised rows from that of pooled vectors
//
// Arguments and launches: README. 32-bit arithmetic; memory-bound. The gradient of a norm reads its vectors up to four
// times, from the second time on from a cache: with x̂ = (x − mean) · factor and g = dOut · gain it is
// factor · (g − mean(g) − x̂ · mean(g ∘ x̂)), without mean(g) for RMS.
#include "common/activation.cuh"
#include "common/norm.cuh"
#include "common/pooling.cuh"
#include "common/reduce.cuh"

namespace sgpt {

struct Sigmoid {
    float value;
    float slope;
};

SGPT_DEVICE Sigmoid sigmoid_and_slope(float x) {
    const float e = exp_fast(-fabsf(x));
    const float inverse = __fdividef(1.0f, 1.0f + e);
    return Sigmoid{x < 0.0f ? e * inverse : inverse, e * inverse * inverse};
}

template <int ACTIVATION>
SGPT_DEVICE float derivative(float x) {
    if constexpr (ACTIVATION == RELU) {
        return x > 0.0f ? 1.0f : 0.0f;
    } else if constexpr (ACTIVATION == GELU) {
        return 0.5f * (1.0f + erff(x * 0.70710678f)) + x * 0.39894228f * exp_fast(-0.5f * x * x);
    } else if constexpr (ACTIVATION == GELU_TANH) {
        // Beyond these it is 0 or 1, and cubes of large numbers would be infinite.
        const float y = x > 12.0f ? 12.0f : x < -12.0f ? -12.0f : x;
        const Sigmoid s = sigmoid_and_slope(1.59576912f * y * (1.0f + 0.044715f * y * y));
        return s.value + y * s.slope * 1.59576912f * (1.0f + 0.134145f * y * y);
    } else if constexpr (ACTIVATION == GELU_QUICK) {
        const Sigmoid s = sigmoid_and_slope(1.702f * x);
        return s.value + 1.702f * x * s.slope;
    } else if constexpr (ACTIVATION == SILU) {
        const Sigmoid s = sigmoid_and_slope(x);
        return s.value + x * s.slope;
    } else if constexpr (ACTIVATION == TANH) {
        return 4.0f * sigmoid_and_slope(2.0f * x).slope;
    } else if constexpr (ACTIVATION == SIGMOID) {
        return sigmoid_and_slope(x).slope;
    } else {
        return 1.0f;
    }
}

template <int ACTIVATION, int N>
SGPT_DEVICE void derive_each(float (&values)[N]) {
#pragma unroll
    for (int i = 0; i < N; i++) {
        values[i] = derivative<ACTIVATION>(values[i]);
    }
}

template <int N>
SGPT_DEVICE void derive_all(int activation, float (&values)[N]) {
    switch (activation) {
        case RELU:
            return derive_each<RELU>(values);
        case GELU:
            return derive_each<GELU>(values);
        case GELU_TANH:
            return derive_each<GELU_TANH>(values);
        case GELU_QUICK:
            return derive_each<GELU_QUICK>(values);
        case SILU:
            return derive_each<SILU>(values);
        case TANH:
            return derive_each<TANH>(values);
        case SIGMOID:
            return derive_each<SIGMOID>(values);
        default:
            return derive_each<NONE>(values);
    }
}

template <class T>
SGPT_DEVICE void gradient_activation(const T* x, T* d, int rows, int columns, int xStride, int dStride,
                                     int activation) {
    constexpr int N = VECTOR<T, T>;
    const int column =
        (static_cast<int>(blockIdx.x) * static_cast<int>(blockDim.x) + static_cast<int>(threadIdx.x)) * N;
    if (column >= columns) {
        return;
    }
    const bool xAligned = is_aligned<N>(x, xStride);
    const bool dAligned = is_aligned<N>(d, dStride);
    for (int r = static_cast<int>(blockIdx.y); r < rows; r += static_cast<int>(gridDim.y)) {
        T* to = d + static_cast<long long>(r) * dStride;
        float slopes[N];
        float values[N];
        load_part(x + static_cast<long long>(r) * xStride, column, columns, xAligned, slopes);
        load_part(static_cast<const T*>(to), column, columns, dAligned, values);
        derive_all(activation, slopes);
#pragma unroll
        for (int i = 0; i < N; i++) {
            values[i] *= slopes[i];
        }
        store_part(to, column, columns, dAligned, values);
    }
}

template <class T>
SGPT_DEVICE void gradient_gated(const T* x, const T* dOut, T* dX, int rows, int columns, int xStride, int outStride,
                                int gradientStride, int activation) {
    constexpr int N = VECTOR<T, T>;
    const int column =
        (static_cast<int>(blockIdx.x) * static_cast<int>(blockDim.x) + static_cast<int>(threadIdx.x)) * N;
    if (column >= columns) {
        return;
    }
    const bool gateAligned = is_aligned<N>(x, xStride);
    const bool upAligned = is_aligned<N>(x + columns, xStride);
    const bool outAligned = is_aligned<N>(dOut, outStride);
    const bool toGateAligned = is_aligned<N>(dX, gradientStride);
    const bool toUpAligned = is_aligned<N>(dX + columns, gradientStride);
    for (int r = static_cast<int>(blockIdx.y); r < rows; r += static_cast<int>(gridDim.y)) {
        const T* from = x + static_cast<long long>(r) * xStride;
        T* to = dX + static_cast<long long>(r) * gradientStride;
        float gate[N];
        float slopes[N];
        float up[N];
        float d[N];
        load_part(from, column, columns, gateAligned, gate);
        load_part(from + columns, column, columns, upAligned, up);
        load_part(dOut + static_cast<long long>(r) * outStride, column, columns, outAligned, d);
#pragma unroll
        for (int i = 0; i < N; i++) {
            slopes[i] = gate[i];
        }
        derive_all(activation, slopes);
        activate_all(activation, gate);
#pragma unroll
        for (int i = 0; i < N; i++) {
            slopes[i] *= d[i] * up[i];
            gate[i] *= d[i];
        }
        store_part(to, column, columns, toGateAligned, slopes);
        store_part(to + columns, column, columns, toUpAligned, gate);
    }
}

// Where one vector lies: head `head` of row `row`, `columns` values, or none.
struct Vector {
    bool active;
    long long row;
    long long head;
};

SGPT_DEVICE Vector this_vector(long long index, int count, int heads) {
    const bool active = index < static_cast<long long>(count) * heads;
    return Vector{active, active ? index / heads : 0, active ? index % heads : 0};
}

template <class I, class D>
SGPT_DEVICE void gradient_norm(const I* x, const float* gain, const D* dOut, I* dX, int count, int columns, int heads,
                               int xStride, int outStride, int gradientStride, int kind, float epsilon,
                               int accumulate) {
    float* scratch = shared<float>();
    const Vector vector = this_vector(
        static_cast<long long>(blockIdx.x) * static_cast<int>(blockDim.y) + static_cast<int>(threadIdx.y), count, heads);
    const I* from = x + vector.row * xStride + vector.head * columns;
    const D* d = dOut + vector.row * outStride + vector.head * columns;
    I* to = dX + vector.row * gradientStride + vector.head * columns;
    const bool xAligned = is_aligned<4>(x, xStride) && (heads == 1 || is_aligned<4>(x, columns));
    const bool dAligned = is_aligned<4>(dOut, outStride) && (heads == 1 || is_aligned<4>(dOut, columns));
    const bool toAligned = is_aligned<4>(dX, gradientStride) && (heads == 1 || is_aligned<4>(dX, columns));
    const int end = vector.active ? columns : 0;
    const int step = static_cast<int>(blockDim.x) * 4;
    const float inverse = 1.0f / static_cast<float>(columns);
    float values[4];
    float gradients[4];
    float gains[4];
    float mean = 0.0f;
    float factor = 1.0f;
    float meanGradient = 0.0f;
    float meanProduct = 0.0f;
    if (kind != IDENTITY) {
        if (kind == LAYER_NORM) {
            float sum = 0.0f;
            for (int column = first_column(0); column < end; column += step) {
                load_part(from, column, end, xAligned, values);
                sum += (values[0] + values[1]) + (values[2] + values[3]);
            }
            mean = row_sum(sum, scratch) * inverse;
        }
        float squares = 0.0f;
        for (int column = first_column(0); column < end; column += step) {
            load_part(from, column, end, xAligned, values);
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const float difference = values[i] - mean;
                squares += column + i < end ? difference * difference : 0.0f;
            }
        }
        factor = rsqrtf(row_sum(squares, scratch) * inverse + epsilon);
        float sum = 0.0f;
        float products = 0.0f;
        for (int column = first_column(0); column < end; column += step) {
            load_part(from, column, end, xAligned, values);
            load_part(d, column, end, dAligned, gradients);
            load_affine(gain, column, end, 1.0f, gains);
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const float gradient = gradients[i] * gains[i];
                sum += gradient;
                products += gradient * ((values[i] - mean) * factor);
            }
        }
        meanProduct = row_sum(products, scratch) * inverse;
        if (kind == LAYER_NORM) {
            meanGradient = row_sum(sum, scratch) * inverse;
        }
    }
    for (int column = first_column(0); column < end; column += step) {
        load_part(d, column, end, dAligned, gradients);
        if (kind != IDENTITY) {
            load_part(from, column, end, xAligned, values);
            load_affine(gain, column, end, 1.0f, gains);
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const float normalised = (values[i] - mean) * factor;
                gradients[i] = factor * (gradients[i] * gains[i] - meanGradient - normalised * meanProduct);
            }
        }
        if (accumulate != 0) {
            load_part(static_cast<const I*>(to), column, end, toAligned, values);
#pragma unroll
            for (int i = 0; i < 4; i++) {
                gradients[i] += values[i];
            }
        }
        store_part(to, column, end, toAligned, gradients);
    }
}

// One warp for each vector.
template <class T>
SGPT_DEVICE void gradient_statistics(const T* x, float* statistics, int count, int columns, int heads, int xStride,
                                     int kind, float epsilon) {
    const long long index = static_cast<long long>(blockIdx.x) * static_cast<int>(blockDim.x / 32) +
                            static_cast<int>(threadIdx.x / 32);
    const Vector vector = this_vector(index, count, heads);
    if (!vector.active) {
        return;
    }
    const bool aligned = is_aligned<4>(x, xStride) && (heads == 1 || is_aligned<4>(x, columns));
    float mean = 0.0f;
    float factor = 1.0f;
    if (kind != IDENTITY) {
        row_statistics(x + vector.row * xStride + vector.head * columns, columns, aligned, kind, epsilon, mean, factor);
    }
    if (threadIdx.x % 32 == 0) {
        statistics[2 * index] = mean;
        statistics[2 * index + 1] = factor;
    }
}

struct Pooled {
    const int* rows;
    int length;
    int skipped;
};

// The token with the largest normalised value in a column, the first of equal ones.
SGPT_DEVICE int largest_token(const float* x, const float* statistics, const Pooled& sequence, int column, int xStride,
                              float gain, float bias) {
    int token = sequence.skipped;
    float most = -infinity();
    for (int t = sequence.skipped; t < sequence.length; t++) {
        const long long row = sequence.rows[t];
        const float value = (x[row * xStride + column] - statistics[2 * row]) * statistics[2 * row + 1] * gain + bias;
        if (value > most) {
            most = value;
            token = t;
        }
    }
    return token;
}

SGPT_DEVICE void gradient_pool(const float* x, const float* statistics, const int* rows, const int* starts,
                               const int* skip, const float* gain, const float* bias, const float* dOut, float* dNormed,
                               int columns, int xStride, int outStride, int gradientStride, int kind, long long modes,
                               int modeCount, int accumulate) {
    const int index = static_cast<int>(blockIdx.x);
    const int start = starts[index];
    const int length = starts[index + 1] - start;
    const Pooled sequence{rows + start, length, skip[index] < length ? skip[index] : length};
    float* factors = shared<float>();
    const int own = static_cast<int>(threadIdx.x);
    if (own < modeCount) {
        factors[own] =
            sequence.skipped < length ? 1.0f / divisor(mode_of(modes, own), sequence.skipped, length) : 0.0f;
    }
    __syncthreads();
    bool maxima = false;
#pragma unroll 1
    for (int m = 0; m < modeCount; m++) {
        maxima |= mode_of(modes, m) == MAX;
    }
    const bool affine = kind != IDENTITY;
    const int step = static_cast<int>(gridDim.y) * static_cast<int>(blockDim.x);
    for (int column = static_cast<int>(blockIdx.y) * static_cast<int>(blockDim.x) + static_cast<int>(threadIdx.x);
         column < columns; column += step) {
        const int largest = maxima ? largest_token(x, statistics, sequence, column, xStride,
                                                   affine && gain != nullptr ? gain[column] : 1.0f,
                                                   affine && bias != nullptr ? bias[column] : 0.0f)
                                   : -1;
        const float* from = dOut + static_cast<long long>(index) * outStride + column;
        for (int t = 0; t < length; t++) {
            float sum = 0.0f;
#pragma unroll 1
            for (int m = 0; m < modeCount && t >= sequence.skipped; m++) {
                const int mode = mode_of(modes, m);
                const float d = from[static_cast<long long>(m) * columns];
                const bool taken = mode == FIRST  ? t == sequence.skipped
                                   : mode == MAX  ? t == largest
                                   : mode == LAST ? t + 1 == length
                                                  : true;
                const float weight = mode == WEIGHTED_MEAN ? static_cast<float>(t + 1) : 1.0f;
                sum += taken ? d * (weight * factors[m]) : 0.0f;
            }
            float& to = dNormed[static_cast<long long>(sequence.rows[t]) * gradientStride + column];
            to = accumulate != 0 ? to + sum : sum;
        }
    }
}

}  // namespace sgpt

#define SGPT_GRADIENT(T)                                                                                              \
    SGPT_ENTRY(sgpt_gradient_activation_##T, 128,                                                                     \
               (const sgpt::T* x, sgpt::T* d, int rows, int columns, int xStride, int dStride, int activation)) {     \
        sgpt::gradient_activation(x, d, rows, columns, xStride, dStride, activation);                                 \
    }                                                                                                                 \
    SGPT_ENTRY(sgpt_gradient_gated_##T, 128,                                                                          \
               (const sgpt::T* x, const sgpt::T* dOut, sgpt::T* dX, int rows, int columns, int xStride,               \
                int outStride, int gradientStride, int activation)) {                                                 \
        sgpt::gradient_gated(x, dOut, dX, rows, columns, xStride, outStride, gradientStride, activation);             \
    }                                                                                                                 \
    SGPT_ENTRY(sgpt_gradient_statistics_##T, 256,                                                                     \
               (const sgpt::T* x, float* statistics, int count, int columns, int heads, int xStride, int kind,        \
                float epsilon)) {                                                                                     \
        sgpt::gradient_statistics(x, statistics, count, columns, heads, xStride, kind, epsilon);                      \
    }

SGPT_GRADIENT(f32)
SGPT_GRADIENT(bf16)

#define SGPT_GRADIENT_NORM(I, D)                                                                                      \
    SGPT_ENTRY(sgpt_gradient_norm_##I##_##D, 1024,                                                                    \
               (const sgpt::I* x, const float* gain, const sgpt::D* dOut, sgpt::I* dX, int count, int columns,        \
                int heads, int xStride, int outStride, int gradientStride, int kind, float epsilon,                   \
                int accumulate)) {                                                                                    \
        sgpt::gradient_norm(x, gain, dOut, dX, count, columns, heads, xStride, outStride, gradientStride, kind,       \
                            epsilon, accumulate);                                                                     \
    }

SGPT_GRADIENT_NORM(f32, f32)
SGPT_GRADIENT_NORM(f32, bf16)
SGPT_GRADIENT_NORM(bf16, bf16)

SGPT_ENTRY(sgpt_gradient_pool, 128,
           (const float* x, const float* statistics, const int* rows, const int* starts, const int* skip,
            const float* gain, const float* bias, const float* dOut, float* dNormed, int sequences, int columns,
            int xStride, int outStride, int gradientStride, int kind, long long modes, int modeCount,
            int accumulate)) {
    if (static_cast<int>(blockIdx.x) < sequences) {
        sgpt::gradient_pool(x, statistics, rows, starts, skip, gain, bias, dOut, dNormed, columns, xStride, outStride,
                            gradientStride, kind, modes, modeCount, accumulate);
    }
}
