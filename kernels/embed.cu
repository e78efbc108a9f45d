// Embedding lookup: out[t] = scale · table[ids[t] + offset], or out[t] += …
//
// table  S [*, columns], stored type, row stride tableStride
// ids    int [tokens], trusted
// out    O [tokens, columns], row stride outStride
//
// Launch: row grid of tokens by columns (README). Memory-bound: a thread moves VECTOR values of a row at a time, and
// neighbouring threads of a warp move neighbouring values. Accesses are vectors where addresses and strides allow,
// otherwise single values.
#include "common/types.cuh"

namespace sgpt {

template <class S, class O>
SGPT_DEVICE void embed(const S* table, const int* ids, O* out, int tokens, int columns, int tableStride, int outStride,
                       int offset, int accumulate, float scale) {
    constexpr int N = VECTOR<S, O>;
    const int column =
        (static_cast<int>(blockIdx.x) * static_cast<int>(blockDim.x) + static_cast<int>(threadIdx.x)) * N;
    if (column >= columns) {
        return;
    }
    const bool tableAligned = is_aligned<N>(table, tableStride);
    const bool outAligned = is_aligned<N>(out, outStride);
    for (int t = static_cast<int>(blockIdx.y); t < tokens; t += static_cast<int>(gridDim.y)) {
        const S* from = table + (static_cast<long long>(ids[t]) + offset) * tableStride;
        O* to = out + static_cast<long long>(t) * outStride;
        float values[N];
        load_part(from, column, columns, tableAligned, values);
#pragma unroll
        for (int i = 0; i < N; i++) {
            values[i] *= scale;
        }
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

}  // namespace sgpt

#define SGPT_EMBED(S, O)                                                                                      \
    SGPT_ENTRY(sgpt_embed_##S##_##O, 128,                                                                     \
               (const sgpt::S* table, const int* ids, sgpt::O* out, int tokens, int columns, int tableStride, \
                int outStride, int offset, int accumulate, float scale)) {                                    \
        sgpt::embed(table, ids, out, tokens, columns, tableStride, outStride, offset, accumulate, scale);     \
    }

SGPT_EMBED(f32, f32)
SGPT_EMBED(f32, f16)
SGPT_EMBED(f32, bf16)
SGPT_EMBED(f16, f32)
SGPT_EMBED(f16, f16)
SGPT_EMBED(f16, bf16)
SGPT_EMBED(bf16, f32)
SGPT_EMBED(bf16, f16)
SGPT_EMBED(bf16, bf16)
