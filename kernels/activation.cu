// Element-wise kernels: activation(x + bias), written to the output or added to it, and the gated product of
// feed-forward blocks.
//
// sgpt_activation: x I [rows, columns], bias f32 [columns] or 0, out O [rows, columns]; out may be x
// sgpt_gated:      x I [rows, 2 * columns], out O [rows, columns] = activation(x[:, c]) * x[:, columns + c]
//
// Launch: row grid of rows by columns (README). Memory-bound; see embed.cu for the access pattern. 32-bit arithmetic.
#include "common/activation.cuh"

namespace sgpt {

template <class I, class O>
SGPT_DEVICE void activation(const I* x, const float* bias, O* out, int rows, int columns, int xStride, int outStride,
                            int activation, int accumulate) {
    constexpr int N = VECTOR<I, O>;
    const int column =
        (static_cast<int>(blockIdx.x) * static_cast<int>(blockDim.x) + static_cast<int>(threadIdx.x)) * N;
    if (column >= columns) {
        return;
    }
    const bool xAligned = is_aligned<N>(x, xStride);
    const bool outAligned = is_aligned<N>(out, outStride);
    float biases[N] = {};
    if (bias != nullptr) {
        load_part(bias, column, columns, is_aligned<4>(bias, 0), biases);
    }
    for (int r = static_cast<int>(blockIdx.y); r < rows; r += static_cast<int>(gridDim.y)) {
        O* to = out + static_cast<long long>(r) * outStride;
        float values[N];
        load_part(x + static_cast<long long>(r) * xStride, column, columns, xAligned, values);
#pragma unroll
        for (int i = 0; i < N; i++) {
            values[i] += biases[i];
        }
        activate_all(activation, values);
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

template <class I, class O>
SGPT_DEVICE void gated(const I* x, O* out, int rows, int columns, int xStride, int outStride, int activation) {
    constexpr int N = VECTOR<I, O>;
    const int column =
        (static_cast<int>(blockIdx.x) * static_cast<int>(blockDim.x) + static_cast<int>(threadIdx.x)) * N;
    if (column >= columns) {
        return;
    }
    const bool xAligned = is_aligned<N>(x, xStride);
    const bool upAligned = is_aligned<N>(x + columns, xStride);
    const bool outAligned = is_aligned<N>(out, outStride);
    for (int r = static_cast<int>(blockIdx.y); r < rows; r += static_cast<int>(gridDim.y)) {
        const I* gate = x + static_cast<long long>(r) * xStride;
        float values[N];
        float up[N];
        load_part(gate, column, columns, xAligned, values);
        load_part(gate + columns, column, columns, upAligned, up);
        activate_all(activation, values);
#pragma unroll
        for (int i = 0; i < N; i++) {
            values[i] *= up[i];
        }
        store_part(out + static_cast<long long>(r) * outStride, column, columns, outAligned, values);
    }
}

}  // namespace sgpt

#define SGPT_ACTIVATION(I, O)                                                                                         \
    SGPT_ENTRY(sgpt_activation_##I##_##O, 128,                                                                        \
               (const sgpt::I* x, const float* bias, sgpt::O* out, int rows, int columns, int xStride, int outStride, \
                int activation, int accumulate)) {                                                                    \
        sgpt::activation(x, bias, out, rows, columns, xStride, outStride, activation, accumulate);                    \
    }                                                                                                                 \
    SGPT_ENTRY(sgpt_gated_##I##_##O, 128,                                                                             \
               (const sgpt::I* x, sgpt::O* out, int rows, int columns, int xStride, int outStride, int activation)) { \
        sgpt::gated(x, out, rows, columns, xStride, outStride, activation);                                           \
    }

SGPT_ACTIVATION(f32, f32)
SGPT_ACTIVATION(f32, f16)
SGPT_ACTIVATION(f32, bf16)
SGPT_ACTIVATION(f16, f16)
SGPT_ACTIVATION(bf16, bf16)
SGPT_ACTIVATION(f16, f32)
SGPT_ACTIVATION(bf16, f32)
