// LayerNorm, RMS norm and plain copies, of all rows, selected rows, or each head of a row; or added to what is there.
//
// x     I, row stride xStride; head h of row r starts at column h * columns
// rows  int [count], indices of the rows of x, or 0 for all in order
// gain  f32 [columns], or 0 for ones
// bias  f32 [columns], or 0 for zeros
// out   O, row stride outStride; may be x where types and strides agree, rows is 0 and accumulate is 0
//
// Launch: block (P, max(1, 128 / P)) with P threads per vector, a power of two from 32 to 1024 with 16 P >= columns if
// there is one; grid (ceil(count * heads / block.y)); block.y * (P / 32) floats of shared memory if P > 32.
//
// sgpt_norm_quantise: the rows of out as e4m3 [count, columns] with a scale each as well, for products in 8 bits.
//
// Each thread keeps up to 16 values of its vector in registers, in groups of four: 16 bytes of f32, 8 of a 16-bit type.
// Statistics are 32-bit: first the mean, then the sum of squared differences from it, so that values far from zero
// lose no precision. Vectors of more than 16384 values are read from memory again for each of the three steps.
#include "common/norm.cuh"
#include "common/quantise.cuh"
#include "common/reduce.cuh"

namespace sgpt {

SGPT_DEVICE float sum_of(const float (&values)[4]) {
    return (values[0] + values[1]) + (values[2] + values[3]);
}

// Sum of squared differences from the mean over the values inside the vector.
SGPT_DEVICE float squares_of(const float (&values)[4], float mean, int column, int columns) {
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const float difference = values[i] - mean;
        sum += column + i < columns ? difference * difference : 0.0f;
    }
    return sum;
}

// Stores four values of a row, or adds them to what is there.
template <class O>
SGPT_DEVICE void put(O* to, int column, int columns, bool aligned, bool accumulate, float (&values)[4]) {
    if (accumulate) {
        float old[4];
        load_part(static_cast<const O*>(to), column, columns, aligned, old);
#pragma unroll
        for (int i = 0; i < 4; i++) {
            values[i] += old[i];
        }
    }
    store_part(to, column, columns, aligned, values);
}

// Where a row goes as e4m3, too; to nowhere if `row` is 0.
struct Quantised {
    e4m3* row;
    float* scale;
    bool aligned;
};

// Vectors that fit the threads' registers.
template <bool QUANTISE, class I, class O>
SGPT_DEVICE void norm_kept(const I* from, O* to, bool active, bool fromAligned, bool toAligned, const float* gain,
                           const float* bias, int columns, int kind, float epsilon, bool accumulate,
                           const Quantised& quantised) {
    float* scratch = shared<float>();
    float values[GROUPS][4];
    float sum = 0.0f;
#pragma unroll
    for (int g = 0; g < GROUPS; g++) {
        // Rows past the last one contribute zeros to the reductions.
        load_part(from, first_column(g), active ? columns : 0, fromAligned, values[g]);
        sum += sum_of(values[g]);
    }
    float mean = 0.0f;
    float scale = 1.0f;
    if (kind != IDENTITY) {
        if (kind == LAYER_NORM) {
            mean = row_sum(sum, scratch) / static_cast<float>(columns);
        }
        float squares = 0.0f;
#pragma unroll
        for (int g = 0; g < GROUPS; g++) {
            squares += squares_of(values[g], mean, first_column(g), columns);
        }
        scale = rsqrtf(row_sum(squares, scratch) / static_cast<float>(columns) + epsilon);
    }
    float largest = 0.0f;
#pragma unroll
    for (int g = 0; g < GROUPS; g++) {
        const int column = first_column(g);
        if (active && column < columns) {
            if (kind != IDENTITY) {
                normalise(values[g], mean, scale, gain, bias, column, columns);
            }
            put(to, column, columns, toAligned, accumulate, values[g]);
            if constexpr (QUANTISE) {
                round_values<O>(values[g]);
                largest = fmaxf(largest, largest_of(values[g], column, columns));
            }
        }
    }
    if constexpr (QUANTISE) {
        const float factor = quantising_factor(largest, active, quantised.scale);
#pragma unroll
        for (int g = 0; g < GROUPS; g++) {
            const int column = first_column(g);
            if (active && column < columns) {
                store_quantised(quantised.row, column, columns, quantised.aligned, values[g], factor);
            }
        }
    }
}

// Vectors of any length, one per block.
template <bool QUANTISE, class I, class O>
SGPT_DEVICE void norm_read_again(const I* from, O* to, bool fromAligned, bool toAligned, const float* gain,
                                 const float* bias, int columns, int kind, float epsilon, bool accumulate,
                                 const Quantised& quantised) {
    float* scratch = shared<float>();
    const int step = static_cast<int>(blockDim.x) * 4;
    float values[4];
    float mean = 0.0f;
    float scale = 1.0f;
    if (kind != IDENTITY) {
        if (kind == LAYER_NORM) {
            float sum = 0.0f;
            for (int column = first_column(0); column < columns; column += step) {
                load_part(from, column, columns, fromAligned, values);
                sum += sum_of(values);
            }
            mean = row_sum(sum, scratch) / static_cast<float>(columns);
        }
        float squares = 0.0f;
        for (int column = first_column(0); column < columns; column += step) {
            load_part(from, column, columns, fromAligned, values);
            squares += squares_of(values, mean, column, columns);
        }
        scale = rsqrtf(row_sum(squares, scratch) / static_cast<float>(columns) + epsilon);
    }
    float largest = 0.0f;
    for (int column = first_column(0); column < columns; column += step) {
        load_part(from, column, columns, fromAligned, values);
        if (kind != IDENTITY) {
            normalise(values, mean, scale, gain, bias, column, columns);
        }
        put(to, column, columns, toAligned, accumulate, values);
        if constexpr (QUANTISE) {
            round_values<O>(values);
            largest = fmaxf(largest, largest_of(values, column, columns));
        }
    }
    if constexpr (QUANTISE) {
        const float factor = quantising_factor(largest, true, quantised.scale);
        for (int column = first_column(0); column < columns; column += step) {
            // What this thread has written itself.
            load_part(static_cast<const O*>(to), column, columns, toAligned, values);
            store_quantised(quantised.row, column, columns, quantised.aligned, values, factor);
        }
    }
}

template <bool QUANTISE, class I, class O>
SGPT_DEVICE void norm(const I* x, const int* rows, const float* gain, const float* bias, O* out, e4m3* quantised,
                      float* scales, int count, int columns, int heads, int xStride, int outStride, int kind,
                      float epsilon, bool accumulate) {
    const long long index =
        static_cast<long long>(blockIdx.x) * static_cast<int>(blockDim.y) + static_cast<int>(threadIdx.y);
    const bool active = index < static_cast<long long>(count) * heads;
    const int row = active ? static_cast<int>(index / heads) : 0;
    const long long head = active ? static_cast<int>(index % heads) : 0;
    const int source = active && rows != nullptr ? rows[row] : row;
    const I* from = x + static_cast<long long>(source) * xStride + head * columns;
    O* to = out + static_cast<long long>(row) * outStride + head * columns;
    // All heads are aligned if the first is and their size preserves the alignment.
    const bool fromAligned = is_aligned<4>(x, xStride) && (heads == 1 || is_aligned<4>(x, columns));
    const bool toAligned = is_aligned<4>(out, outStride) && (heads == 1 || is_aligned<4>(out, columns));
    Quantised also{};
    if constexpr (QUANTISE) {
        also = {quantised + static_cast<long long>(row) * columns, scales + row, is_aligned<4>(quantised, columns)};
    }
    if (columns <= 4 * GROUPS * static_cast<int>(blockDim.x)) {
        norm_kept<QUANTISE>(from, to, active, fromAligned, toAligned, gain, bias, columns, kind, epsilon, accumulate,
                            also);
    } else {
        norm_read_again<QUANTISE>(from, to, fromAligned, toAligned, gain, bias, columns, kind, epsilon, accumulate,
                                  also);
    }
}

}  // namespace sgpt

#define SGPT_NORM(I, O)                                                                                           \
    SGPT_ENTRY(sgpt_norm_##I##_##O, 1024,                                                                         \
               (const sgpt::I* x, const int* rows, const float* gain, const float* bias, sgpt::O* out, int count, \
                int columns, int heads, int xStride, int outStride, int kind, float epsilon, int accumulate)) {   \
        sgpt::norm<false>(x, rows, gain, bias, out, static_cast<sgpt::e4m3*>(nullptr), static_cast<float*>(nullptr),  \
                          count, columns, heads, xStride, outStride, kind, epsilon, accumulate != 0);             \
    }

SGPT_NORM(f32, f32)
SGPT_NORM(f32, f16)
SGPT_NORM(f32, bf16)
SGPT_NORM(f16, f16)
SGPT_NORM(bf16, bf16)
SGPT_NORM(f16, f32)
SGPT_NORM(bf16, f32)

SGPT_ENTRY(sgpt_norm_quantise_f32_bf16, 1024,
           (const float* x, const int* rows, const float* gain, const float* bias, sgpt::bf16* out,
            sgpt::e4m3* quantised, float* scales, int count, int columns, int xStride, int outStride, int kind,
            float epsilon)) {
    sgpt::norm<true>(x, rows, gain, bias, out, quantised, scales, count, columns, 1, xStride, outStride, kind, epsilon,
                     false);
}
