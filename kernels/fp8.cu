// Around matrix products of e4m3: rows with a scale each, and what follows a product.
//
// sgpt_quantise:        x S [rows, columns], out e4m3 [rows, columns] without gaps, scales f32 [rows]
// sgpt_quantise_gated:  x bf16 [rows, 2 * columns], out bf16 [rows, columns] = activation(x[:, c]) * x[:, columns + c]
// sgpt_rescale:         x I [rows, columns], out O = activation(x * rowScales * columnScales + bias), or added to out;
//                       out may be x where types and strides agree
// sgpt_rescale_quantise: the same for bf16, without adding
// The kernels with quantised and scales give out's rows as e4m3, too.
//
// Launch: sgpt_rescale_{I}_{O}: row grid of rows by columns (README). The others: as norm, with one head.
//
// A row's scale is its largest magnitude / 448; its values are multiplied by 448 / largest, rounded to nearest even and
// cut at 448. What goes into e4m3 has been rounded to bf16 if it is written as bf16 as well, so that a row gives the
// same e4m3 whoever made it. Memory-bound.
#include "common/activation.cuh"
#include "common/quantise.cuh"

namespace sgpt {

// A row and the threads that share it.
struct SharedRow {
    long long index;
    bool active;
};

SGPT_DEVICE SharedRow shared_row(int rows) {
    const long long index =
        static_cast<long long>(blockIdx.x) * static_cast<int>(blockDim.y) + static_cast<int>(threadIdx.y);
    return {index < rows ? index : 0, index < rows};
}

template <class S>
SGPT_DEVICE void quantise(const S* x, e4m3* out, float* scales, int rows, int columns, int xStride) {
    const SharedRow row = shared_row(rows);
    const S* from = x + row.index * xStride;
    const bool aligned = is_aligned<4>(x, xStride);
    auto load = [&](int column, float(&values)[4]) { load_part(from, column, columns, aligned, values); };
    quantise_row(row.active, columns, load, load, out + row.index * columns, is_aligned<4>(out, columns),
                 scales + row.index);
}

SGPT_DEVICE void quantise_gated(const bf16* x, bf16* out, e4m3* quantised, float* scales, int rows, int columns,
                                int xStride, int outStride, int activation) {
    const SharedRow row = shared_row(rows);
    const bf16* gate = x + row.index * xStride;
    bf16* to = out + row.index * outStride;
    const bool gateAligned = is_aligned<4>(x, xStride);
    const bool upAligned = is_aligned<4>(x + columns, xStride);
    const bool outAligned = is_aligned<4>(out, outStride);
    auto make = [&](int column, float(&values)[4]) {
        float up[4];
        load_part(gate, column, columns, gateAligned, values);
        load_part(gate + columns, column, columns, upAligned, up);
        activate_all(activation, values);
#pragma unroll
        for (int i = 0; i < 4; i++) {
            values[i] *= up[i];
        }
        store_part(to, column, columns, outAligned, values);
        round_values<bf16>(values);
    };
    // What this thread has written itself.
    auto again = [&](int column, float(&values)[4]) {
        load_part(static_cast<const bf16*>(to), column, columns, outAligned, values);
    };
    quantise_row(row.active, columns, make, again, quantised + row.index * columns, is_aligned<4>(quantised, columns),
                 scales + row.index);
}

// values = activation(values * rowScale * columnScales + bias)
template <int N>
SGPT_DEVICE void rescale_values(float (&values)[N], float rowScale, const float (&columnScales)[N],
                                const float (&biases)[N], int activation) {
#pragma unroll
    for (int i = 0; i < N; i++) {
        values[i] = values[i] * rowScale * columnScales[i] + biases[i];
    }
    activate_all(activation, values);
}

template <class I, class O>
SGPT_DEVICE void rescale(const I* x, const float* rowScales, const float* columnScales, const float* bias, O* out,
                         int rows, int columns, int xStride, int outStride, int activation, int accumulate) {
    constexpr int N = VECTOR<I, O>;
    const int column =
        (static_cast<int>(blockIdx.x) * static_cast<int>(blockDim.x) + static_cast<int>(threadIdx.x)) * N;
    if (column >= columns) {
        return;
    }
    const bool xAligned = is_aligned<N>(x, xStride);
    const bool outAligned = is_aligned<N>(out, outStride);
    float scales[N];
    float biases[N] = {};
    load_part(columnScales, column, columns, is_aligned<4>(columnScales, 0), scales);
    if (bias != nullptr) {
        load_part(bias, column, columns, is_aligned<4>(bias, 0), biases);
    }
    for (int r = static_cast<int>(blockIdx.y); r < rows; r += static_cast<int>(gridDim.y)) {
        O* to = out + static_cast<long long>(r) * outStride;
        float values[N];
        load_part(x + static_cast<long long>(r) * xStride, column, columns, xAligned, values);
        rescale_values(values, rowScales[r], scales, biases, activation);
        if (accumulate != 0) {
            float old[N];
            load_part(to, column, columns, outAligned, old);
#pragma unroll
            for (int i = 0; i < N; i++) {
                values[i] += old[i];
            }
        }
        store_part(to, column, columns, outAligned, values);
    }
}

SGPT_DEVICE void rescale_quantise(const bf16* x, const float* rowScales, const float* columnScales, const float* bias,
                                  bf16* out, e4m3* quantised, float* scales, int rows, int columns, int xStride,
                                  int outStride, int activation) {
    const SharedRow row = shared_row(rows);
    const bf16* from = x + row.index * xStride;
    bf16* to = out + row.index * outStride;
    const bool xAligned = is_aligned<4>(x, xStride);
    const bool outAligned = is_aligned<4>(out, outStride);
    const bool scalesAligned = is_aligned<4>(columnScales, 0);
    const bool biasAligned = is_aligned<4>(bias, 0);
    const float rowScale = rowScales[row.index];
    auto make = [&](int column, float(&values)[4]) {
        float columnScale[4];
        float biases[4] = {};
        load_part(from, column, columns, xAligned, values);
        load_part(columnScales, column, columns, scalesAligned, columnScale);
        if (bias != nullptr) {
            load_part(bias, column, columns, biasAligned, biases);
        }
        rescale_values(values, rowScale, columnScale, biases, activation);
        store_part(to, column, columns, outAligned, values);
        round_values<bf16>(values);
    };
    // What this thread has written itself.
    auto again = [&](int column, float(&values)[4]) {
        load_part(static_cast<const bf16*>(to), column, columns, outAligned, values);
    };
    quantise_row(row.active, columns, make, again, quantised + row.index * columns, is_aligned<4>(quantised, columns),
                 scales + row.index);
}

}  // namespace sgpt

#define SGPT_QUANTISE(S)                                                                                 \
    SGPT_ENTRY(sgpt_quantise_##S, 1024,                                                                  \
               (const sgpt::S* x, sgpt::e4m3* out, float* scales, int rows, int columns, int xStride)) { \
        sgpt::quantise(x, out, scales, rows, columns, xStride);                                          \
    }

SGPT_QUANTISE(f32)
SGPT_QUANTISE(f16)
SGPT_QUANTISE(bf16)

SGPT_ENTRY(sgpt_quantise_gated, 1024,
           (const sgpt::bf16* x, sgpt::bf16* out, sgpt::e4m3* quantised, float* scales, int rows, int columns,
            int xStride, int outStride, int activation)) {
    sgpt::quantise_gated(x, out, quantised, scales, rows, columns, xStride, outStride, activation);
}

#define SGPT_RESCALE(I, O)                                                                                            \
    SGPT_ENTRY(sgpt_rescale_##I##_##O, 128,                                                                           \
               (const sgpt::I* x, const float* rowScales, const float* columnScales, const float* bias, sgpt::O* out, \
                int rows, int columns, int xStride, int outStride, int activation, int accumulate)) {                 \
        sgpt::rescale(x, rowScales, columnScales, bias, out, rows, columns, xStride, outStride, activation,           \
                      accumulate);                                                                                    \
    }

SGPT_RESCALE(f32, f32)
SGPT_RESCALE(bf16, f32)
SGPT_RESCALE(bf16, bf16)

SGPT_ENTRY(sgpt_rescale_quantise, 1024,
           (const sgpt::bf16* x, const float* rowScales, const float* columnScales, const float* bias,
            sgpt::bf16* out, sgpt::e4m3* quantised, float* scales, int rows, int columns, int xStride, int outStride,
            int activation)) {
    sgpt::rescale_quantise(x, rowScales, columnScales, bias, out, quantised, scales, rows, columns, xStride, outStride,
                           activation);
}
