// Sums of gradients over rows: of biases, gains and tables.
//
// sgpt_sums_columns: partial[s] = Σ d over the rows of slice s
// sgpt_sums_gain:    partial[s] = Σ d ∘ x̂ over the vectors of slice s
// sgpt_sums_finish:  out += Σ partial, slice after slice
// sgpt_sums_rows:    out[targets[g]] += Σ d over the rows of group g
//
// Arguments and launches: README. Sums are 32-bit floats in an order that depends on sizes alone: eight threads share the
// rows of a slice, each takes every eighth, and one adds up what they have; slices follow one another. No atomics.
#include "common/types.cuh"

namespace sgpt {

constexpr int SUM_LANES = 32;  // threads side by side, four columns each
constexpr int SUM_DEPTH = 8;   // threads that share the rows of a slice

// partial[slice] of four columns from what each thread has.
SGPT_DEVICE void store_slice(const float (&sums)[4], float* partial, int column, int columns) {
    float* scratch = shared<float>();
    const int lane = static_cast<int>(threadIdx.x);
    const int depth = static_cast<int>(threadIdx.y);
    store_vector(scratch + (depth * SUM_LANES + lane) * 4, sums);
    __syncthreads();
    if (depth == 0 && column < columns) {
        float all[4] = {};
        for (int i = 0; i < SUM_DEPTH; i++) {
            float some[4];
            load_vector(scratch + (i * SUM_LANES + lane) * 4, some);
#pragma unroll
            for (int c = 0; c < 4; c++) {
                all[c] += some[c];
            }
        }
        store_part(partial, column, columns, is_aligned<4>(partial, 0), all);
    }
}

template <class D>
SGPT_DEVICE void sums_columns(const D* d, float* partial, int count, int columns, int stride, int slice) {
    const int column = (static_cast<int>(blockIdx.x) * SUM_LANES + static_cast<int>(threadIdx.x)) * 4;
    const bool aligned = is_aligned<4>(d, stride);
    const long long first = static_cast<long long>(blockIdx.y) * slice;
    const int end = first + slice < count ? static_cast<int>(first) + slice : count;
    float sums[4] = {};
    if (column < columns) {
#pragma unroll 4
        for (int r = static_cast<int>(first) + static_cast<int>(threadIdx.y); r < end; r += SUM_DEPTH) {
            float values[4];
            load_part(d + static_cast<long long>(r) * stride, column, columns, aligned, values);
#pragma unroll
            for (int c = 0; c < 4; c++) {
                sums[c] += values[c];
            }
        }
    }
    store_slice(sums, partial + static_cast<long long>(blockIdx.y) * columns, column, columns);
}

template <class I, class D>
SGPT_DEVICE void sums_gain(const I* x, const float* statistics, const D* d, float* partial, int count, int columns,
                           int heads, int xStride, int dStride, int slice) {
    const int column = (static_cast<int>(blockIdx.x) * SUM_LANES + static_cast<int>(threadIdx.x)) * 4;
    const bool xAligned = is_aligned<4>(x, xStride) && (heads == 1 || is_aligned<4>(x, columns));
    const bool dAligned = is_aligned<4>(d, dStride) && (heads == 1 || is_aligned<4>(d, columns));
    const int vectors = count * heads;
    const long long first = static_cast<long long>(blockIdx.y) * slice;
    const int end = first + slice < vectors ? static_cast<int>(first) + slice : vectors;
    float sums[4] = {};
    if (column < columns) {
#pragma unroll 2
        for (int v = static_cast<int>(first) + static_cast<int>(threadIdx.y); v < end; v += SUM_DEPTH) {
            const long long row = v / heads;
            const long long from = v % heads * columns;
            const float mean = statistics[2LL * v];
            const float factor = statistics[2LL * v + 1];
            float values[4];
            float gradients[4];
            load_part(x + row * xStride + from, column, columns, xAligned, values);
            load_part(d + row * dStride + from, column, columns, dAligned, gradients);
#pragma unroll
            for (int c = 0; c < 4; c++) {
                sums[c] += gradients[c] * ((values[c] - mean) * factor);
            }
        }
    }
    store_slice(sums, partial + static_cast<long long>(blockIdx.y) * columns, column, columns);
}

SGPT_DEVICE void sums_finish(const float* partial, float* out, int slices, int columns) {
    const int column = static_cast<int>(blockIdx.x) * static_cast<int>(blockDim.x) + static_cast<int>(threadIdx.x);
    if (column < columns) {
        float sum = 0.0f;
#pragma unroll 8
        for (int s = 0; s < slices; s++) {
            sum += partial[static_cast<long long>(s) * columns + column];
        }
        out[column] += sum;
    }
}

template <class D>
SGPT_DEVICE void sums_rows(const D* d, const int* order, const int* starts, const int* targets, float* out, int groups,
                           int columns, int dStride) {
    const int column = (static_cast<int>(blockIdx.x) * static_cast<int>(blockDim.x) + static_cast<int>(threadIdx.x)) * 4;
    if (column >= columns) {
        return;
    }
    const bool dAligned = is_aligned<4>(d, dStride);
    const bool outAligned = is_aligned<4>(out, columns);
    for (int g = static_cast<int>(blockIdx.y); g < groups; g += static_cast<int>(gridDim.y)) {
        float sums[4] = {};
        const int end = starts[g + 1];
#pragma unroll 2
        for (int i = starts[g]; i < end; i++) {
            float values[4];
            load_part(d + static_cast<long long>(order[i]) * dStride, column, columns, dAligned, values);
#pragma unroll
            for (int c = 0; c < 4; c++) {
                sums[c] += values[c];
            }
        }
        float* to = out + static_cast<long long>(targets[g]) * columns;
        float old[4];
        load_part(static_cast<const float*>(to), column, columns, outAligned, old);
#pragma unroll
        for (int c = 0; c < 4; c++) {
            sums[c] += old[c];
        }
        store_part(to, column, columns, outAligned, sums);
    }
}

}  // namespace sgpt

#define SGPT_SUMS(D)                                                                                                   \
    SGPT_ENTRY(sgpt_sums_columns_##D, 256,                                                                             \
               (const sgpt::D* d, float* partial, int count, int columns, int stride, int slice)) {                    \
        sgpt::sums_columns(d, partial, count, columns, stride, slice);                                                 \
    }                                                                                                                  \
    SGPT_ENTRY(sgpt_sums_rows_##D, 128,                                                                                \
               (const sgpt::D* d, const int* order, const int* starts, const int* targets, float* out, int groups,     \
                int columns, int dStride)) {                                                                           \
        sgpt::sums_rows(d, order, starts, targets, out, groups, columns, dStride);                                     \
    }

SGPT_SUMS(f32)
SGPT_SUMS(bf16)

#define SGPT_SUMS_GAIN(I, D)                                                                                         \
    SGPT_ENTRY(sgpt_sums_gain_##I##_##D, 256,                                                                        \
               (const sgpt::I* x, const float* statistics, const sgpt::D* d, float* partial, int count, int columns, \
                int heads, int xStride, int dStride, int slice)) {                                                   \
        sgpt::sums_gain(x, statistics, d, partial, count, columns, heads, xStride, dStride, slice);                  \
    }

SGPT_SUMS_GAIN(f32, f32)
SGPT_SUMS_GAIN(f32, bf16)
SGPT_SUMS_GAIN(bf16, bf16)

SGPT_ENTRY(sgpt_sums_finish, 128, (const float* partial, float* out, int slices, int columns)) {
    sgpt::sums_finish(partial, out, slices, columns);
}
