// Converts stored weights to the type and layout that matrix products need; also converts and copies activations.
//
// sgpt_convert:   out[j] = x[source(j)],       rows of `columns` values, strides xStride and outStride
// sgpt_transpose: out[j, k] = x[k, source(j)], j < rows, k < columns: stored [in, out]
// source(j) = first + (j / run) * step + j % run: the output features selected by MatrixRows.
//
// Launch: sgpt_convert: row grid of rows by columns (README). sgpt_transpose: block (32, 8),
// grid (ceil(rows / 32), min(65535, ceil(columns / 32))), 33 * 32 floats of shared memory.
//
// Equal types keep every value. Memory-bound; the transposition uses a tile in shared memory whose rows are 33 words
// apart, so that neither rows nor columns have bank conflicts.
#include "common/types.cuh"

namespace sgpt {

SGPT_DEVICE long long source_row(long long j, long long first, long long run, long long step) {
    return first + j / run * step + j % run;
}

template <class S, class O>
SGPT_DEVICE void convert(const S* x, O* out, long long rows, long long columns, long long xStride, long long outStride,
                         long long first, long long run, long long step) {
    constexpr int N = VECTOR<S, O>;
    const long long column = (static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x) * N;
    if (column >= columns) {
        return;
    }
    const bool xAligned = is_aligned<N>(x, xStride);
    const bool outAligned = is_aligned<N>(out, outStride);
    for (long long j = blockIdx.y; j < rows; j += gridDim.y) {
        float values[N];
        load_part(x + source_row(j, first, run, step) * xStride, column, columns, xAligned, values);
        store_part(out + j * outStride, column, columns, outAligned, values);
    }
}

template <class S, class O>
SGPT_DEVICE void transpose(const S* x, O* out, long long rows, long long columns, long long xStride,
                           long long outStride, long long first, long long run, long long step) {
    constexpr int SIDE = 32;
    constexpr int PITCH = SIDE + 1;
    float* tile = shared<float>();
    const int tx = static_cast<int>(threadIdx.x);
    const int ty = static_cast<int>(threadIdx.y);
    const int height = static_cast<int>(blockDim.y);
    const long long j0 = static_cast<long long>(blockIdx.x) * SIDE;
    const long long j = j0 + tx;
    const long long source = j < rows ? source_row(j, first, run, step) : 0;
    for (long long k0 = static_cast<long long>(blockIdx.y) * SIDE; k0 < columns;
         k0 += static_cast<long long>(gridDim.y) * SIDE) {
        for (int k = ty; k < SIDE; k += height) {
            if (j < rows && k0 + k < columns) {
                tile[k * PITCH + tx] = to_float(x[(k0 + k) * xStride + source]);
            }
        }
        __syncthreads();
        for (int row = ty; row < SIDE; row += height) {
            if (j0 + row < rows && k0 + tx < columns) {
                set(out[(j0 + row) * outStride + k0 + tx], tile[tx * PITCH + row]);
            }
        }
        __syncthreads();
    }
}

}  // namespace sgpt

#define SGPT_CONVERT(S, O)                                                                            \
    SGPT_ENTRY(sgpt_convert_##S##_##O, 128,                                                           \
               (const sgpt::S* x, sgpt::O* out, long long rows, long long columns, long long xStride, \
                long long outStride, long long first, long long run, long long step)) {               \
        sgpt::convert(x, out, rows, columns, xStride, outStride, first, run, step);                   \
    }                                                                                                 \
    SGPT_ENTRY(sgpt_transpose_##S##_##O, 256,                                                         \
               (const sgpt::S* x, sgpt::O* out, long long rows, long long columns, long long xStride, \
                long long outStride, long long first, long long run, long long step)) {               \
        sgpt::transpose(x, out, rows, columns, xStride, outStride, first, run, step);                 \
    }

SGPT_CONVERT(f32, f32)
SGPT_CONVERT(f32, f16)
SGPT_CONVERT(f32, bf16)
SGPT_CONVERT(f16, f32)
SGPT_CONVERT(f16, f16)
SGPT_CONVERT(f16, bf16)
SGPT_CONVERT(bf16, f32)
SGPT_CONVERT(bf16, f16)
SGPT_CONVERT(bf16, bf16)
