// Packed attention, causal or in both directions, without tensor cores: 32-bit floats, any head size; and 16-bit types
// where no matrix instruction fits (heads of more than 256 dimensions; bf16 before compute capability 8.0).
//
// Arguments, index arrays, kernels by head size: README. All arithmetic is f32.
//
// Launch: block (256), grid (tiles * heads, ceil(headDim / COLUMNS)), 34816 bytes of shared memory.
//
// A thread block computes COLUMNS output columns of 64 queries of one head, in blocks of 64 keys; wider heads recompute
// their scores for each part of the columns. Threads are 16 × 16: thread (x, y) has the scores of queries 4y … 4y + 3
// with keys 4x … 4x + 3, and the output of the same queries in columns 64g + 4x … + 3. Scores are accumulated over
// DEPTH dimensions at a time, with queries and keys in shared memory as [dimension][row]. Probabilities are exchanged
// through shared memory as [key][query]; values are staged 32 keys at a time in the space of queries and keys.
#include "common/attention.cuh"
#include "common/blocks.cuh"

namespace sgpt {

constexpr int VALUES = 32;  // number of keys whose values are staged together

template <class T, int COLUMNS>
SGPT_DEVICE void attention_general(const AttentionArguments<T>& arguments) {
    constexpr int GROUPS = COLUMNS / 64;
    float* queries = shared<float>();
    float* keys = queries + DEPTH * PITCH;
    float* probabilities = keys + DEPTH * PITCH;
    float* values = queries;
    static_assert(VALUES * COLUMNS <= 2 * DEPTH * PITCH, "values fit where queries and keys were");

    const Tile tile = this_tile(arguments);
    const int columns = arguments.headDim;
    const long long stride = arguments.qkvStride;
    const T* queryRows =
        arguments.qkv + (static_cast<long long>(arguments.cached) + tile.firstToken) * stride + tile.head * columns;
    const T* keyRows = arguments.qkv + (arguments.heads + tile.kvHead) * columns;
    const T* valueRows = keyRows + arguments.kvHeads * columns;
    const int firstColumn = static_cast<int>(blockIdx.y) * COLUMNS;
    const int outColumns = columns - firstColumn < COLUMNS ? columns - firstColumn : COLUMNS;
    const int x = static_cast<int>(threadIdx.x) % 16;
    const int y = static_cast<int>(threadIdx.x) / 16;
    const float slope = arguments.slopes == nullptr ? 0.0f : arguments.slopes[tile.head];
    const bool capped = arguments.softcap > 0.0f;
    const float factor = capped ? 1.0f : arguments.scale;

    Keys current = first_keys(arguments, tile);
    int run = OWN;
    Visible visible[4];
    float largest[4];
    float sum[4];
    float out[4][GROUPS][4] = {};
#pragma unroll
    for (int i = 0; i < 4; i++) {
        visible[i] = visible_keys(arguments, tile, OWN, 4 * y + i);
        largest[i] = -infinity();
        sum[i] = 0.0f;
    }
    do {
        if (current.run != run) {
            run = current.run;
#pragma unroll
            for (int i = 0; i < 4; i++) {
                visible[i] = visible_keys(arguments, tile, run, 4 * y + i);
            }
        }
        const int size = current.end - current.at < KEYS ? current.end - current.at : KEYS;
        const long long firstRow = (current.base + static_cast<long long>(current.at)) * stride;
        float scores[4][4] = {};
        for (int d = 0; d < columns; d += DEPTH) {
            stage_transposed(queries, queryRows, stride, tile.tokens, d, columns);
            stage_transposed(keys, keyRows + firstRow, stride, size, d, columns);
            __syncthreads();
            multiply_blocks(queries, keys, scores);
            __syncthreads();
        }
#pragma unroll
        for (int i = 0; i < 4; i++) {
            if (capped) {
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    scores[i][j] = arguments.softcap * tanhf(scores[i][j] * (arguments.scale / arguments.softcap));
                }
            }
            float most = largest[i];
#pragma unroll
            for (int j = 0; j < 4; j++) {
                const int key = current.at + 4 * x + j;
                scores[i][j] = scores[i][j] * factor + slope * static_cast<float>(key - visible[i].origin);
                if (key < visible[i].low || key > visible[i].high) {
                    scores[i][j] = -infinity();
                }
                most = fmaxf(most, scores[i][j]);
            }
            most = reduce16<true>(most);
            // A query that has seen no key yet: −∞ − −∞ would be NaN.
            const float reference = most == -infinity() ? 0.0f : most;
            const float older = exp_fast(largest[i] - reference);
            largest[i] = most;
            sum[i] *= older;
#pragma unroll
            for (int j = 0; j < 4; j++) {
                scores[i][j] = exp_fast(scores[i][j] - reference);
                sum[i] += scores[i][j];
            }
#pragma unroll
            for (int g = 0; g < GROUPS; g++) {
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    out[i][g][j] *= older;
                }
            }
        }
#pragma unroll
        for (int j = 0; j < 4; j++) {
            const float column[4] = {scores[0][j], scores[1][j], scores[2][j], scores[3][j]};
            store_vector(probabilities + (4 * x + j) * PITCH + 4 * y, column);
        }
        for (int first = 0; first < size; first += VALUES) {
            const T* from = valueRows + firstRow + first * stride + firstColumn;
            for (int i = static_cast<int>(threadIdx.x); i < VALUES * COLUMNS; i += BLOCK_THREADS) {
                const int key = i / COLUMNS;
                const int column = i % COLUMNS;
                values[i] = first + key < size && column < outColumns ? to_float(from[key * stride + column]) : 0.0f;
            }
            __syncthreads();
#pragma unroll 4
            for (int key = 0; key < VALUES; key++) {
                float p[4];
                load4(probabilities + (first + key) * PITCH + 4 * y, p);
#pragma unroll
                for (int g = 0; g < GROUPS; g++) {
                    float v[4];
                    load4(values + key * COLUMNS + 64 * g + 4 * x, v);
#pragma unroll
                    for (int i = 0; i < 4; i++) {
#pragma unroll
                        for (int j = 0; j < 4; j++) {
                            out[i][g][j] += p[i] * v[j];
                        }
                    }
                }
            }
            __syncthreads();
        }
    } while (next_keys(arguments, tile, KEYS, current));

    T* outRows = arguments.out + static_cast<long long>(tile.firstToken) * arguments.outStride + tile.head * columns +
                 firstColumn;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const float inverse = 1.0f / reduce16<false>(sum[i]);
        const int row = 4 * y + i;
        if (row < tile.tokens) {
#pragma unroll
            for (int g = 0; g < GROUPS; g++) {
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    const int column = 64 * g + 4 * x + j;
                    if (column < outColumns) {
                        set(outRows[static_cast<long long>(row) * arguments.outStride + column],
                            out[i][g][j] * inverse);
                    }
                }
            }
        }
    }
}

}  // namespace sgpt

#define SGPT_ATTENTION_GENERAL(T, COLUMNS)                                                                             \
    SGPT_ENTRY_BLOCKS(sgpt_attention_general##COLUMNS##_##T, 256, 2,                                                   \
                      (const sgpt::T* qkv, const int* positions, const int* starts, const int* ends, const int* tiles, \
                       const int* runs, const float* slopes, sgpt::T* out, int heads, int kvHeads, int headDim,        \
                       int qkvStride, int outStride, int cached, int window, float scale, float softcap)) {           \
        sgpt::attention_general<sgpt::T, COLUMNS>(                                                                     \
            sgpt::AttentionArguments<sgpt::T>{qkv, positions, starts, ends, tiles, runs, slopes, out, heads, kvHeads,  \
                                              headDim, qkvStride, outStride, cached, window, scale, softcap});         \
    }

SGPT_ATTENTION_GENERAL(f32, 64)
SGPT_ATTENTION_GENERAL(f32, 128)
SGPT_ATTENTION_GENERAL(f16, 128)
SGPT_ATTENTION_GENERAL(bf16, 128)
