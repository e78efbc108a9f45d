// Packed attention, causal or in both directions, on tensor cores, following FlashAttention-2 (Dao 2023, arXiv
// 2307.08691): a thread block processes 64 queries of one head with all their keys, one block of keys at a time, with
// an online softmax; scores never leave registers.
//
// Arguments, index arrays, kernels by head size: README. qkv and out are f16 or bf16. Intermediate values are f32,
// except the probabilities, which are rounded to the 16-bit type for the second product.
//
// Launch: block (128), grid (tiles * heads), (64 + 2 KEYS) * D * 2 bytes of shared memory.
//   D    KEYS  shared
//   64   64    24576
//   128  64    49152
//   256  32    65536
// D is the head size rounded up; dimensions past the real one are zeros. The BOUNDED kernel is for softcap, which the
// others ignore: in all of them its registers would spill. It has heads of 256 as the models that bound scores do.
//
// Each of the four warps owns 16 queries. Keys and values are loaded alternately with cp.async: the values of a block
// while its scores are computed, the keys of the next block while its values are accumulated. Rows in shared memory
// have D elements; 16-byte chunk c of row r is stored at chunk c ^ (r % 8), so that ldmatrix, cp.async and stores have
// no bank conflicts.
//
// Expected, not measured: with 16 queries per warp, K and V fragments are read once per 16 × 8 × 16 product, so the
// bottleneck is shared memory, not the tensor cores, at about half of their rate on an A100. Attention is 1 to 4 % of
// the operations for the models and lengths of interest.
#include "common/attention.cuh"

namespace sgpt {

constexpr int THREADS = 128;
constexpr int CHUNK = 8;  // elements in 16 bytes

// Address of 16-byte chunk `chunk` of row `row` of a matrix with D columns in shared memory.
template <int D, class T>
SGPT_DEVICE T* chunk_at(T* matrix, int row, int chunk) {
    return matrix + row * D + (chunk ^ (row & 7)) * CHUNK;
}

// Copies ROWS rows of a head to shared memory: row r from `from + r * stride`, with zeros from row `rows` and column
// `columns` on. `vectors`: columns is a multiple of 8 and all rows are 16-byte aligned.
template <int D, int ROWS, class T>
SGPT_DEVICE void fetch(T* matrix, const T* from, long long stride, int rows, int columns, bool vectors) {
    constexpr int CHUNKS = D / CHUNK;
    constexpr int STEP = THREADS / CHUNKS;  // rows at a time
    const int chunk = static_cast<int>(threadIdx.x) % CHUNKS;
    const int firstRow = static_cast<int>(threadIdx.x) / CHUNKS;
    const int column = chunk * CHUNK;
    if (vectors) {
        const T* address = from + firstRow * stride + column;
        const long long step = STEP * stride;
#pragma unroll
        for (int i = 0; i < ROWS / STEP; i++) {
            const int row = firstRow + i * STEP;
            const bool valid = row < rows && column < columns;
            copy_async16(chunk_at<D>(matrix, row, chunk), valid ? address : from, valid);
            address += step;
        }
        return;
    }
#pragma unroll 1
    for (int row = firstRow; row < ROWS; row += STEP) {
        unsigned short bits[CHUNK];
#pragma unroll
        for (int e = 0; e < CHUNK; e++) {
            bits[e] = row < rows && column + e < columns ? from[row * stride + column + e].bits : 0;
        }
        Bytes16 bytes;
#pragma unroll
        for (int w = 0; w < 4; w++) {
            bytes.word[w] = bits[2 * w] | static_cast<unsigned>(bits[2 * w + 1]) << 16;
        }
        store16(chunk_at<D>(matrix, row, chunk), bytes);
    }
}

// The running softmax of a thread's two queries, rows lane / 4 and lane / 4 + 8 of its warp's 16.
struct Softmax {
    float largest[2];
    float sum[2];  // over this thread's keys
};

// scores (in units of log2) → probabilities relative to the new maximum; factor: the rescaling of the older sums.
template <int TILES>
SGPT_DEVICE void update_softmax(Softmax& softmax, float (&scores)[TILES][4], float (&factor)[2]) {
#pragma unroll
    for (int r = 0; r < 2; r++) {
        float largest = softmax.largest[r];
#pragma unroll
        for (int n = 0; n < TILES; n++) {
            largest = fmaxf(largest, fmaxf(scores[n][2 * r], scores[n][2 * r + 1]));
        }
        largest = fmaxf(largest, __shfl_xor_sync(FULL_WARP, largest, 1));
        largest = fmaxf(largest, __shfl_xor_sync(FULL_WARP, largest, 2));
        // A query that has seen no key yet: −∞ − −∞ would be NaN.
        const float reference = largest == -infinity() ? 0.0f : largest;
        factor[r] = exp2_fast(softmax.largest[r] - reference);
        softmax.largest[r] = largest;
        float sum = 0.0f;
#pragma unroll
        for (int n = 0; n < TILES; n++) {
#pragma unroll
            for (int e = 0; e < 2; e++) {
                float& score = scores[n][2 * r + e];
                score = exp2_fast(score - reference);
                sum += score;
            }
        }
        softmax.sum[r] = softmax.sum[r] * factor[r] + sum;
    }
}

// Sets the scores of masked keys to −∞.
template <int TILES>
SGPT_DEVICE void hide(float (&scores)[TILES][4], const Visible (&visible)[2], int firstKey) {
#pragma unroll
    for (int n = 0; n < TILES; n++) {
#pragma unroll
        for (int e = 0; e < 4; e++) {
            const int key = firstKey + n * 8 + e % 2;
            const Visible& mine = visible[e / 2];
            if (key < mine.low || key > mine.high) {
                scores[n][e] = -infinity();
            }
        }
    }
}

// scores += queries · keys, for the warp's 16 queries from `firstRow` on
template <int D, int TILES, class T>
SGPT_DEVICE void multiply_scores(T* queries, int firstRow, T* keys, int lane, float (&scores)[TILES][4]) {
    // Unrolling all 16 steps of wide heads would need more registers than there are.
    [[maybe_unused]] constexpr int STEPS = D / 16 < 8 ? D / 16 : 4;
#pragma unroll STEPS
    for (int k = 0; k < D / 16; k++) {
        unsigned a[4];
        load_matrices(a, chunk_at<D>(queries, firstRow + lane % 16, 2 * k + lane / 16));
#pragma unroll
        for (int n = 0; n < TILES; n += 2) {
            unsigned b[4];
            load_matrices(b, chunk_at<D>(keys, n * 8 + lane / 16 * 8 + lane % 8, 2 * k + lane / 8 % 2));
            multiply(T{}, scores[n], a, b[0], b[1]);
            multiply(T{}, scores[n + 1], a, b[2], b[3]);
        }
    }
}

// scores = bound · tanh(scores)
template <int TILES>
SGPT_DEVICE void cap(float (&scores)[TILES][4], float bound) {
#pragma unroll
    for (int n = 0; n < TILES; n++) {
#pragma unroll
        for (int e = 0; e < 4; e++) {
            scores[n][e] = bound * tanhf(scores[n][e]);
        }
    }
}

// scores += slope · (key − query); `firstKey` is this thread's first key.
template <int TILES>
SGPT_DEVICE void add_slopes(float (&scores)[TILES][4], const Visible (&visible)[2], int firstKey, float slope) {
#pragma unroll
    for (int e = 0; e < 4; e++) {
        const float distance = static_cast<float>(firstKey + e % 2 - visible[e / 2].origin);
#pragma unroll
        for (int n = 0; n < TILES; n++) {
            scores[n][e] += slope * (distance + static_cast<float>(n * 8));
        }
    }
}

// out += probabilities · values
template <int D, int KEYS, class T>
SGPT_DEVICE void multiply_values(const float (&scores)[KEYS / 8][4], T* values, int lane, float (&out)[D / 8][4]) {
#pragma unroll
    for (int k = 0; k < KEYS / 16; k++) {
        // Two tiles of scores already have the layout of the left operand's fragment.
        const float (&left)[4] = scores[2 * k];
        const float (&right)[4] = scores[2 * k + 1];
        const unsigned a[4] = {pack(T{}, left[0], left[1]), pack(T{}, left[2], left[3]), pack(T{}, right[0], right[1]),
                               pack(T{}, right[2], right[3])};
#pragma unroll
        for (int n = 0; n < D / 8; n += 2) {
            unsigned b[4];
            load_matrices_transposed(b, chunk_at<D>(values, k * 16 + lane % 16, n + lane / 16));
            multiply(T{}, out[n], a, b[0], b[1]);
            multiply(T{}, out[n + 1], a, b[2], b[3]);
        }
    }
}

// Divides by the sums and writes the warp's rows in whole chunks, staged in the shared memory of its queries.
template <int D, class T>
SGPT_DEVICE void write_out(const AttentionArguments<T>& arguments, const Tile& tile, const Softmax& softmax,
                           const float (&out)[D / 8][4], T* rows, int firstRow, int lane) {
    __syncwarp();
#pragma unroll
    for (int r = 0; r < 2; r++) {
        float sum = softmax.sum[r];
        sum += __shfl_xor_sync(FULL_WARP, sum, 1);
        sum += __shfl_xor_sync(FULL_WARP, sum, 2);
        // Rows without a query have a sum of 0; NaN stays NaN.
        const float inverse = sum == 0.0f ? 0.0f : 1.0f / sum;
#pragma unroll
        for (int n = 0; n < D / 8; n++) {
            T* chunk = chunk_at<D>(rows, firstRow + lane / 4 + 8 * r, n);
            reinterpret_cast<unsigned*>(chunk)[lane % 4] =
                pack(T{}, out[n][2 * r] * inverse, out[n][2 * r + 1] * inverse);
        }
    }
    __syncwarp();
    const int columns = arguments.headDim;
    const bool vectors = columns % CHUNK == 0 && is_aligned<CHUNK>(arguments.out, arguments.outStride);
    const int count = tile.tokens - firstRow < 16 ? tile.tokens - firstRow : 16;
    const int chunks = (columns + CHUNK - 1) / CHUNK;
    T* target = arguments.out + static_cast<long long>(tile.firstToken) * arguments.outStride + tile.head * columns;
    for (int i = lane; i < count * chunks; i += 32) {
        const int row = firstRow + i / chunks;
        const int chunk = i % chunks;
        const T* from = chunk_at<D>(rows, row, chunk);
        T* to = target + static_cast<long long>(row) * arguments.outStride + chunk * CHUNK;
        if (vectors) {
            store16(to, load16(from));
        } else {
            for (int e = 0; e < CHUNK && chunk * CHUNK + e < columns; e++) {
                to[e] = from[e];
            }
        }
    }
}

template <class T, int D, int KEYS, bool BOUNDED>
SGPT_DEVICE void attention(const AttentionArguments<T>& arguments) {
    T* queries = shared<T>();
    T* keys = queries + TILE * D;
    T* values = keys + KEYS * D;

    const Tile tile = this_tile(arguments);
    const int columns = arguments.headDim;
    const long long stride = arguments.qkvStride;
    const T* queryRows =
        arguments.qkv + (static_cast<long long>(arguments.cached) + tile.firstToken) * stride + tile.head * columns;
    const T* keyRows = arguments.qkv + (arguments.heads + tile.kvHead) * columns;
    const T* valueRows = keyRows + arguments.kvHeads * columns;
    const bool vectors = columns % CHUNK == 0 && is_aligned<CHUNK>(arguments.qkv, stride);

    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int firstRow = static_cast<int>(threadIdx.x) / 32 * 16;  // of this warp
    const int row = firstRow + lane / 4;                           // this thread's first query, the other is row + 8
    const int keyInTile = lane % 4 * 2;

    Keys current = first_keys(arguments, tile);
    fetch<D, TILE>(queries, queryRows, stride, tile.tokens, columns, vectors);
    fetch<D, KEYS>(keys, keyRows + current.at * stride, stride, current.end - current.at, columns, vectors);
    copy_async_commit();

    Visible visible[2] = {visible_keys(arguments, tile, OWN, row), visible_keys(arguments, tile, OWN, row + 8)};
    const float scale = BOUNDED ? arguments.scale / arguments.softcap : arguments.scale * LOG2_E;
    const float slope = arguments.slopes == nullptr ? 0.0f : arguments.slopes[tile.head] * LOG2_E;
    Softmax softmax{{-infinity(), -infinity()}, {0.0f, 0.0f}};
    float out[D / 8][4] = {};
    bool more = true;
    while (more) {
        copy_async_wait();
        __syncthreads();
        // Keys (and at first queries) have arrived; all threads are done with the values of the previous block.
        fetch<D, KEYS>(values, valueRows + (current.base + static_cast<long long>(current.at)) * stride, stride,
                       current.end - current.at, columns, vectors);
        copy_async_commit();

        // A warp skips keys that none of its queries sees: later keys, and those of other texts.
        const int last = current.at + KEYS - 1;
        const bool sees = (visible[0].low <= last && visible[0].high >= current.at) ||
                          (visible[1].low <= last && visible[1].high >= current.at);
        const bool needed = __any_sync(FULL_WARP, sees) != 0;
        float scores[KEYS / 8][4] = {};
        if (needed) {
            multiply_scores<D>(queries, firstRow, keys, lane, scores);
#pragma unroll
            for (int n = 0; n < KEYS / 8; n++) {
#pragma unroll
                for (int e = 0; e < 4; e++) {
                    scores[n][e] *= scale;
                }
            }
            if constexpr (BOUNDED) {
                cap(scores, arguments.softcap * LOG2_E);
            }
            if (arguments.slopes != nullptr) {
                add_slopes(scores, visible, current.at + keyInTile, slope);
            }
            // Most blocks are completely visible to all queries of the warp.
            const bool whole = visible[0].low <= current.at && visible[1].low <= current.at &&
                               visible[0].high >= last && visible[1].high >= last;
            if (!__all_sync(FULL_WARP, whole)) {
                hide(scores, visible, current.at + keyInTile);
            }
            float factor[2];
            update_softmax(softmax, scores, factor);
#pragma unroll
            for (int n = 0; n < D / 8; n++) {
                out[n][0] *= factor[0];
                out[n][1] *= factor[0];
                out[n][2] *= factor[1];
                out[n][3] *= factor[1];
            }
        }

        const int run = current.run;
        more = next_keys(arguments, tile, KEYS, current);
        copy_async_wait();
        __syncthreads();
        // Values have arrived; all threads are done with the keys.
        if (more) {
            fetch<D, KEYS>(keys, keyRows + (current.base + static_cast<long long>(current.at)) * stride, stride,
                           current.end - current.at, columns, vectors);
            copy_async_commit();
            if (current.run != run) {
                visible[0] = visible_keys(arguments, tile, current.run, row);
                visible[1] = visible_keys(arguments, tile, current.run, row + 8);
            }
        }
        if (needed) {
            multiply_values<D, KEYS>(scores, values, lane, out);
        }
    }
    write_out<D>(arguments, tile, softmax, out, queries, firstRow, lane);
}

}  // namespace sgpt

// Blocks per multiprocessor that the registers allow. Turing's 64 KB of shared memory hold at most two.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#define SGPT_BLOCKS(newer) 1
#else
#define SGPT_BLOCKS(newer) newer
#endif

#define SGPT_ATTENTION(NAME, T, D, KEYS, BLOCKS, BOUNDED)                                                              \
    SGPT_ENTRY_BLOCKS(sgpt_attention_##NAME##_##T, 128, SGPT_BLOCKS(BLOCKS),                                           \
                      (const sgpt::T* qkv, const int* positions, const int* starts, const int* ends, const int* tiles, \
                       const int* runs, const float* slopes, sgpt::T* out, int heads, int kvHeads, int headDim,        \
                       int qkvStride, int outStride, int cached, int window, float scale, float softcap)) {            \
        sgpt::attention<sgpt::T, D, KEYS, BOUNDED>(                                                                    \
            sgpt::AttentionArguments<sgpt::T>{qkv, positions, starts, ends, tiles, runs, slopes, out, heads, kvHeads,  \
                                              headDim, qkvStride, outStride, cached, window, scale, softcap});         \
    }

SGPT_ATTENTION(mma64, f16, 64, 64, 4, false)
SGPT_ATTENTION(mma128, f16, 128, 64, 3, false)
SGPT_ATTENTION(mma256, f16, 256, 32, 2, false)
SGPT_ATTENTION(mma_bounded, f16, 256, 32, 2, true)
SGPT_ATTENTION(mma64, bf16, 64, 64, 4, false)
SGPT_ATTENTION(mma128, bf16, 128, 64, 3, false)
SGPT_ATTENTION(mma256, bf16, 256, 32, 2, false)
SGPT_ATTENTION(mma_bounded, bf16, 256, 32, 2, true)
