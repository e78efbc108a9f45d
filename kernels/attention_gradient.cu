// The gradient of packed causal attention, on ordinary cores: 32-bit floats, any head size, sequences without ancestors.
//
// Arguments, index arrays, launches: README. All arithmetic is f32.
//
// With the probabilities P and D = Σ dOut ∘ out: dS = P ∘ (dOut · Vᵀ − D), dQ = scale · dS · K, dK = scale · dSᵀ · Q,
// dV = Pᵀ · dOut (Dao et al. 2022, arXiv 2205.14135, appendix B). Three kernels, each of which computes the scores again:
//
// statistics: largest score, sum of exponentials and D of 64 queries of one head. The first two are not joined into one
//             logarithm, which would keep few digits of the sum beside large scores.
// queries:    dQ of 64 queries of one head, over the keys they see
// keys:       dK and dV of 64 keys of one key head, over the queries that see them, of all heads that share the keys
//
// Each result is written by one thread that adds up in a fixed order. Threads are 16 × 16 as in common/blocks.cuh; a
// block computes 64 columns of its results, and wider heads compute their scores again for each 64. What goes from one
// product into the next is exchanged through shared memory as [inner row][outer row], and the other operand is staged as
// [inner row][column] in the space of the rows before.
#include "common/blocks.cuh"

namespace sgpt {

constexpr int GRADIENT_COLUMNS = 64;
static_assert(TILE * GRADIENT_COLUMNS <= 2 * DEPTH * PITCH, "rows of results fit where blocks of dimensions were");

template <class T>
struct AttentionGradient {
    const T* qkv;
    const T* out;
    const T* dOut;
    const int* starts;
    const int* tiles;
    const float* slopes;
    float* statistics;
    T* dQkv;
    int tokens;
    int heads;
    int kvHeads;
    int headDim;
    int qkvStride;
    int outStride;
    int window;
    float scale;
};

// Of a query and a head.
struct QueryStatistics {
    float largest;
    float inverse;  // of the sum of exponentials
    float product;
};

template <class T>
SGPT_DEVICE QueryStatistics load_statistics(const AttentionGradient<T>& a, int head, int query) {
    const float* from = a.statistics + (static_cast<long long>(head) * a.tokens + query) * 3;
    return QueryStatistics{from[0], from[1], from[2]};
}

// 64 successive tokens at most, and the first key that one of them sees.
struct Tokens {
    int head;
    int first;
    int count;
    int firstKey;
};

template <class T>
SGPT_DEVICE Tokens these_tokens(const AttentionGradient<T>& a, int heads) {
    const int* entry = a.tiles + static_cast<long long>(blockIdx.x / static_cast<unsigned>(heads)) * INDEX_ENTRIES;
    const int lowest = a.window > 0 ? entry[0] - a.window + 1 : 0;
    return Tokens{static_cast<int>(blockIdx.x % static_cast<unsigned>(heads)), entry[0], entry[1],
                  lowest > entry[2] ? lowest : entry[2]};
}

// A query sees keys low … itself.
template <class T>
SGPT_DEVICE int lowest_key(const AttentionGradient<T>& a, int query) {
    const int start = a.starts[query];
    const int lowest = a.window > 0 ? query - a.window + 1 : 0;
    return lowest > start ? lowest : start;
}

// sums[i][j] += a · b over all dimensions of rows that lie in global memory. All threads take part, and have passed a
// barrier since they used `staged`; there is one at the end.
template <class T>
SGPT_DEVICE void multiply_rows(const T* a, long long aStride, int aRows, const T* b, long long bStride, int bRows,
                               int columns, float* staged, float (&sums)[4][4]) {
    float* second = staged + DEPTH * PITCH;
    for (int d = 0; d < columns; d += DEPTH) {
        stage_transposed(staged, a, aStride, aRows, d, columns);
        stage_transposed(second, b, bStride, bRows, d, columns);
        __syncthreads();
        multiply_blocks(staged, second, sums);
        __syncthreads();
    }
}

// to[r][c] = column c of row r, with zeros from `rows` and `columns` on.
template <class T>
SGPT_DEVICE void stage_columns(float* to, const T* from, long long stride, int rows, int columns) {
    const int column = static_cast<int>(threadIdx.x) % GRADIENT_COLUMNS;
#pragma unroll 4
    for (int r = static_cast<int>(threadIdx.x) / GRADIENT_COLUMNS; r < TILE; r += BLOCK_THREADS / GRADIENT_COLUMNS) {
        to[r * GRADIENT_COLUMNS + column] = r < rows && column < columns ? to_float(from[r * stride + column]) : 0.0f;
    }
}

// exchanged[column of values][row of values]
SGPT_DEVICE void exchange(float* exchanged, const float (&values)[4][4]) {
    const int x = static_cast<int>(threadIdx.x) % 16;
    const int y = static_cast<int>(threadIdx.x) / 16;
#pragma unroll
    for (int j = 0; j < 4; j++) {
        const float column[4] = {values[0][j], values[1][j], values[2][j], values[3][j]};
        store_vector(exchanged + (4 * x + j) * PITCH + 4 * y, column);
    }
}

// results[i][j] += Σ_r exchanged[r][4y + i] · staged[r][4x + j]
SGPT_DEVICE void multiply_exchanged(const float* exchanged, const float* staged, float (&results)[4][4]) {
    const int x = static_cast<int>(threadIdx.x) % 16;
    const int y = static_cast<int>(threadIdx.x) / 16;
#pragma unroll 4
    for (int r = 0; r < TILE; r++) {
        float p[4];
        float v[4];
        load4(exchanged + r * PITCH + 4 * y, p);
        load4(staged + r * GRADIENT_COLUMNS + 4 * x, v);
#pragma unroll
        for (int i = 0; i < 4; i++) {
#pragma unroll
            for (int j = 0; j < 4; j++) {
                results[i][j] += p[i] * v[j];
            }
        }
    }
}

template <class T>
SGPT_DEVICE void store_results(T* to, long long stride, int rows, int columns, const float (&results)[4][4],
                               float factor) {
    const int x = static_cast<int>(threadIdx.x) % 16;
    const int y = static_cast<int>(threadIdx.x) / 16;
#pragma unroll
    for (int i = 0; i < 4; i++) {
#pragma unroll
        for (int j = 0; j < 4; j++) {
            if (4 * y + i < rows && 4 * x + j < columns) {
                set(to[(4 * y + i) * stride + 4 * x + j], results[i][j] * factor);
            }
        }
    }
}

template <class T>
SGPT_DEVICE void attention_statistics(const AttentionGradient<T>& a) {
    float* staged = shared<float>();
    const Tokens tile = these_tokens(a, a.heads);
    const int columns = a.headDim;
    const long long stride = a.qkvStride;
    const T* queries = a.qkv + tile.first * stride + tile.head * columns;
    const T* keys = a.qkv + (a.heads + tile.head / (a.heads / a.kvHeads)) * columns;
    const int x = static_cast<int>(threadIdx.x) % 16;
    const int y = static_cast<int>(threadIdx.x) / 16;
    const float slope = a.slopes == nullptr ? 0.0f : a.slopes[tile.head];
    const int end = tile.first + tile.count;
    int low[4];
    float largest[4];
    float sum[4];
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const int query = tile.first + 4 * y + i;
        low[i] = query < end ? lowest_key(a, query) : end;
        largest[i] = -infinity();
        sum[i] = 0.0f;
    }
    for (int at = tile.firstKey; at < end; at += KEYS) {
        const int size = end - at < KEYS ? end - at : KEYS;
        float scores[4][4] = {};
        multiply_rows(queries, stride, tile.count, keys + at * stride, stride, size, columns, staged, scores);
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const int query = tile.first + 4 * y + i;
            float most = largest[i];
#pragma unroll
            for (int j = 0; j < 4; j++) {
                const int key = at + 4 * x + j;
                const bool visible = key >= low[i] && key <= query;
                scores[i][j] =
                    visible ? scores[i][j] * a.scale + slope * static_cast<float>(key - query) : -infinity();
                most = fmaxf(most, scores[i][j]);
            }
            most = reduce16<true>(most);
            // A query that has seen no key yet: −∞ − −∞ would be NaN.
            const float reference = most == -infinity() ? 0.0f : most;
            sum[i] *= exp_fast(largest[i] - reference);
            largest[i] = most;
#pragma unroll
            for (int j = 0; j < 4; j++) {
                sum[i] += exp_fast(scores[i][j] - reference);
            }
        }
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const int query = tile.first + 4 * y + i;
        const long long row = static_cast<long long>(query) * a.outStride + tile.head * columns;
        float product = 0.0f;
        if (query < end) {
            for (int column = x; column < columns; column += 16) {
                product += to_float(a.out[row + column]) * to_float(a.dOut[row + column]);
            }
        }
        product = reduce16<false>(product);
        const float total = reduce16<false>(sum[i]);
        if (x == 0 && query < end) {
            float* to = a.statistics + (static_cast<long long>(tile.head) * a.tokens + query) * 3;
            to[0] = largest[i];
            to[1] = 1.0f / total;
            to[2] = product;
        }
    }
}

// The probability of a score, or 0 where the query does not see the key.
template <class T>
SGPT_DEVICE float probability(const AttentionGradient<T>& a, float score, float slope, int query, int key, int low,
                              const QueryStatistics& statistics) {
    const float all = score * a.scale + slope * static_cast<float>(key - query);
    return key >= low && key <= query ? exp_fast(all - statistics.largest) * statistics.inverse : 0.0f;
}

template <class T>
SGPT_DEVICE void attention_queries(const AttentionGradient<T>& a) {
    float* staged = shared<float>();
    float* exchanged = staged + 2 * DEPTH * PITCH;
    const Tokens tile = these_tokens(a, a.heads);
    const int columns = a.headDim;
    const long long stride = a.qkvStride;
    const int kvHead = tile.head / (a.heads / a.kvHeads);
    const T* queries = a.qkv + tile.first * stride + tile.head * columns;
    const T* dOut = a.dOut + static_cast<long long>(tile.first) * a.outStride + tile.head * columns;
    const T* keys = a.qkv + (a.heads + kvHead) * columns;
    const T* values = keys + a.kvHeads * columns;
    const int firstColumn = static_cast<int>(blockIdx.y) * GRADIENT_COLUMNS;
    const int x = static_cast<int>(threadIdx.x) % 16;
    const int y = static_cast<int>(threadIdx.x) / 16;
    const float slope = a.slopes == nullptr ? 0.0f : a.slopes[tile.head];
    const int end = tile.first + tile.count;
    int low[4];
    QueryStatistics statistics[4];
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const int query = tile.first + 4 * y + i;
        low[i] = query < end ? lowest_key(a, query) : end;
        statistics[i] = query < end ? load_statistics(a, tile.head, query) : QueryStatistics{0.0f, 0.0f, 0.0f};
    }
    float results[4][4] = {};
    for (int at = tile.firstKey; at < end; at += KEYS) {
        const int size = end - at < KEYS ? end - at : KEYS;
        const long long row = at * stride;
        float scores[4][4] = {};
        float gradients[4][4] = {};
        multiply_rows(queries, stride, tile.count, keys + row, stride, size, columns, staged, scores);
        multiply_rows(dOut, a.outStride, tile.count, values + row, stride, size, columns, staged, gradients);
#pragma unroll
        for (int i = 0; i < 4; i++) {
#pragma unroll
            for (int j = 0; j < 4; j++) {
                const float p =
                    probability(a, scores[i][j], slope, tile.first + 4 * y + i, at + 4 * x + j, low[i], statistics[i]);
                scores[i][j] = p * (gradients[i][j] - statistics[i].product);
            }
        }
        exchange(exchanged, scores);
        stage_columns(staged, keys + row + firstColumn, stride, size, columns - firstColumn);
        __syncthreads();
        multiply_exchanged(exchanged, staged, results);
        __syncthreads();
    }
    T* to = a.dQkv + tile.first * stride + tile.head * columns + firstColumn;
    store_results(to, stride, tile.count, columns - firstColumn, results, a.scale);
}

template <class T>
SGPT_DEVICE void attention_keys(const AttentionGradient<T>& a) {
    float* staged = shared<float>();
    float* exchanged = staged + 2 * DEPTH * PITCH;
    const Tokens tile = these_tokens(a, a.kvHeads);
    const int columns = a.headDim;
    const long long stride = a.qkvStride;
    const int group = a.heads / a.kvHeads;
    const long long keyColumn = static_cast<long long>(a.heads + tile.head) * columns;
    const long long valueColumn = keyColumn + static_cast<long long>(a.kvHeads) * columns;
    const T* keys = a.qkv + tile.first * stride + keyColumn;
    const T* values = a.qkv + tile.first * stride + valueColumn;
    const int firstColumn = static_cast<int>(blockIdx.y) * GRADIENT_COLUMNS;
    const int x = static_cast<int>(threadIdx.x) % 16;
    const int y = static_cast<int>(threadIdx.x) / 16;
    const int end = tile.first + tile.count;
    float dKeys[4][4] = {};
    float dValues[4][4] = {};
    for (int head = tile.head * group; head < (tile.head + 1) * group; head++) {
        const float slope = a.slopes == nullptr ? 0.0f : a.slopes[head];
        // Sequences lie one after another: from the first one that begins behind these keys on, no query sees them.
        for (int at = tile.first; at < a.tokens && a.starts[at] < end && (a.window == 0 || at - end < a.window - 1);
             at += TILE) {
            const int size = a.tokens - at < TILE ? a.tokens - at : TILE;
            const T* queries = a.qkv + at * stride + head * columns;
            const T* dOut = a.dOut + static_cast<long long>(at) * a.outStride + head * columns;
            float scores[4][4] = {};
            float gradients[4][4] = {};
            multiply_rows(keys, stride, tile.count, queries, stride, size, columns, staged, scores);
            multiply_rows(values, stride, tile.count, dOut, a.outStride, size, columns, staged, gradients);
#pragma unroll
            for (int j = 0; j < 4; j++) {
                const int query = at + 4 * x + j;
                const bool inside = query < a.tokens;
                const int low = inside ? lowest_key(a, query) : 0;
                const QueryStatistics statistics =
                    inside ? load_statistics(a, head, query) : QueryStatistics{0.0f, 0.0f, 0.0f};
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    const int key = tile.first + 4 * y + i;
                    const float p = inside && key < end
                                        ? probability(a, scores[i][j], slope, query, key, low, statistics)
                                        : 0.0f;
                    scores[i][j] = p;
                    gradients[i][j] = p * (gradients[i][j] - statistics.product);
                }
            }
            exchange(exchanged, scores);
            stage_columns(staged, dOut + firstColumn, a.outStride, size, columns - firstColumn);
            __syncthreads();
            multiply_exchanged(exchanged, staged, dValues);
            __syncthreads();
            exchange(exchanged, gradients);
            stage_columns(staged, queries + firstColumn, stride, size, columns - firstColumn);
            __syncthreads();
            multiply_exchanged(exchanged, staged, dKeys);
            __syncthreads();
        }
    }
    T* to = a.dQkv + tile.first * stride + firstColumn;
    store_results(to + keyColumn, stride, tile.count, columns - firstColumn, dKeys, a.scale);
    store_results(to + valueColumn, stride, tile.count, columns - firstColumn, dValues, 1.0f);
}

}  // namespace sgpt

#define SGPT_ATTENTION_GRADIENT(PART, T)                                                                              \
    SGPT_ENTRY_BLOCKS(sgpt_attention_gradient_##PART##_##T, 256, 2,                                                   \
                      (const sgpt::T* qkv, const sgpt::T* out, const sgpt::T* dOut, const int* starts,                \
                       const int* tiles, const float* slopes, float* statistics, sgpt::T* dQkv, int tokens,           \
                       int heads, int kvHeads, int headDim, int qkvStride, int outStride, int window, float scale)) { \
        sgpt::attention_##PART(sgpt::AttentionGradient<sgpt::T>{qkv, out, dOut, starts, tiles, slopes, statistics,    \
                                                                dQkv, tokens, heads, kvHeads, headDim, qkvStride,     \
                                                                outStride, window, scale});                           \
    }

SGPT_ATTENTION_GRADIENT(statistics, f32)
SGPT_ATTENTION_GRADIENT(statistics, bf16)
SGPT_ATTENTION_GRADIENT(queries, f32)
SGPT_ATTENTION_GRADIENT(queries, bf16)
SGPT_ATTENTION_GRADIENT(keys, f32)
SGPT_ATTENTION_GRADIENT(keys, bf16)
