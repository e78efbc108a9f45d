// Fused final norm and pooling: hidden states are read from memory once, and the output is one vector per sequence.
//
// sgpt_pool
//   x        T [tokens, columns], row stride xStride
//   rows     int [starts[sequences]], row of each token, sequence after sequence; sequences may share rows
//   starts   int [sequences + 1], index in `rows` of each sequence's first token, from 0
//   skip     int [sequences], number of leading tokens to leave out
//   gain, bias f32 [columns] or 0; kind and epsilon as in norm.cu
//   partial  f32 [starts[sequences] / slice + sequences, modeCount, columns], or 0 if no sequence has more than
//            `slice` tokens
//   out      f32 [sequences, modeCount * columns], row stride outStride; written if partial is 0
//   modes    ordinals of PoolMode, four bits each, the first lowest
// sgpt_pool_finish: partial → out
//
// Launch: block (256), grid (sequences, ceil(longest / slice)), 2 * slice floats of shared memory;
// finish: block (128), grid (sequences, min(65535, ceil(columns / 128))).
//
// A thread block processes `slice` tokens of a sequence. First each warp computes the statistics of one row at a time;
// then each thread loops over the rows for four columns at a time, by when the rows are in the L2 cache (64 rows of
// 4096 f32: 1 MiB). The second kernel combines the slices in order, so results do not depend on scheduling.
#include "common/norm.cuh"
#include "common/pooling.cuh"

namespace sgpt {

// Row of `partial` for a sequence's first slice. Each slice has its own row, and there are at most
// starts[sequences] / slice + sequences of them.
SGPT_DEVICE long long first_partial(int start, int slice, int sequence) {
    return static_cast<long long>(start / slice) + sequence;
}

// The reductions of four columns over some tokens.
struct Sums {
    float first[4];
    float largest[4];
    float plain[4];
    float weighted[4];
    float last[4];
};

SGPT_DEVICE void clear(Sums& sums) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
        sums.first[i] = 0.0f;
        sums.largest[i] = -infinity();
        sums.plain[i] = 0.0f;
        sums.weighted[i] = 0.0f;
        sums.last[i] = 0.0f;
    }
}

SGPT_DEVICE float larger(float a, float b) {
    return b > a || b != b ? b : a;
}

SGPT_DEVICE void add(Sums& sums, const float (&values)[4], float weight, bool first, bool last) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
        sums.first[i] = first ? values[i] : sums.first[i];
        sums.largest[i] = larger(sums.largest[i], values[i]);
        sums.plain[i] += values[i];
        sums.weighted[i] += weight * values[i];
        sums.last[i] = last ? values[i] : sums.last[i];
    }
}

SGPT_DEVICE void choose(const Sums& sums, int mode, float factor, float (&values)[4]) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const float chosen = mode == FIRST           ? sums.first[i]
                             : mode == MAX           ? sums.largest[i]
                             : mode == WEIGHTED_MEAN ? sums.weighted[i]
                             : mode == LAST          ? sums.last[i]
                                                     : sums.plain[i];
        values[i] = chosen * factor;
    }
}

template <class T>
SGPT_DEVICE void pool(const T* x, const int* rows, const int* starts, const int* skip, const float* gain,
                      const float* bias, float* partial, float* out, int columns, int xStride, int outStride, int kind,
                      float epsilon, int slice, long long modes, int modeCount) {
    const int sequence = static_cast<int>(blockIdx.x);
    const int start = starts[sequence];
    const int length = starts[sequence + 1] - start;
    const int skipped = skip[sequence] < length ? skip[sequence] : length;
    const long long sliceStart = static_cast<long long>(blockIdx.y) * slice;
    const int from = sliceStart < skipped ? skipped : static_cast<int>(sliceStart);
    const int to = sliceStart + slice < length ? static_cast<int>(sliceStart) + slice : length;
    if (from >= to && (partial != nullptr || blockIdx.y > 0)) {
        return;
    }
    const bool aligned = is_aligned<4>(x, xStride);
    const int* own = rows + start;
    float* means = shared<float>();
    float* scales = means + slice;
    if (kind != IDENTITY) {
        for (int t = from + static_cast<int>(threadIdx.x / 32); t < to; t += static_cast<int>(blockDim.x / 32)) {
            float mean;
            float scale;
            row_statistics(x + static_cast<long long>(own[t]) * xStride, columns, aligned, kind, epsilon, mean, scale);
            if (threadIdx.x % 32 == 0) {
                means[t - from] = mean;
                scales[t - from] = scale;
            }
        }
        __syncthreads();
    }
    float* target = partial == nullptr
                        ? out + static_cast<long long>(sequence) * outStride
                        : partial + (first_partial(start, slice, sequence) + blockIdx.y) * modeCount * columns;
    const bool targetAligned = is_aligned<4>(target, columns);
    const int step = static_cast<int>(blockDim.x) * 4;
    for (int column = static_cast<int>(threadIdx.x) * 4; column < columns; column += step) {
        float gains[4];
        float biases[4];
        load_affine(gain, column, columns, 1.0f, gains);
        load_affine(bias, column, columns, 0.0f, biases);
        Sums sums;
        clear(sums);
#pragma unroll 4
        for (int t = from; t < to; t++) {
            float values[4];
            load_part(x + static_cast<long long>(own[t]) * xStride, column, columns, aligned, values);
            if (kind != IDENTITY) {
                const float mean = means[t - from];
                const float scale = scales[t - from];
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    values[i] = (values[i] - mean) * scale * gains[i] + biases[i];
                }
            }
            add(sums, values, static_cast<float>(t + 1), t == skipped, t + 1 == length);
        }
        for (int m = 0; m < modeCount; m++) {
            float values[4] = {};
            if (from < to) {
                const int mode = mode_of(modes, m);
                choose(sums, mode, partial == nullptr ? 1.0f / divisor(mode, skipped, length) : 1.0f, values);
            }
            store_part(target + static_cast<long long>(m) * columns, column, columns, targetAligned, values);
        }
    }
}

SGPT_DEVICE void pool_finish(const float* partial, const int* starts, const int* skip, float* out, int columns,
                             int outStride, int slice, long long modes, int modeCount) {
    const int sequence = static_cast<int>(blockIdx.x);
    const int start = starts[sequence];
    const int length = starts[sequence + 1] - start;
    const int skipped = skip[sequence];
    const long long row = first_partial(start, slice, sequence);
    const int step = static_cast<int>(gridDim.y) * static_cast<int>(blockDim.x);
    for (int column = static_cast<int>(blockIdx.y) * static_cast<int>(blockDim.x) + static_cast<int>(threadIdx.x);
         column < columns; column += step) {
        for (int m = 0; m < modeCount; m++) {
            const int mode = mode_of(modes, m);
            float value = 0.0f;
            if (skipped < length) {
                value = mode == MAX ? -infinity() : 0.0f;
                for (int s = skipped / slice; s <= (length - 1) / slice; s++) {
                    const float part = partial[((row + s) * modeCount + m) * columns + column];
                    value = mode == MAX ? larger(value, part) : value + part;
                }
                value *= 1.0f / divisor(mode, skipped, length);
            }
            out[static_cast<long long>(sequence) * outStride + static_cast<long long>(m) * columns + column] = value;
        }
    }
}

}  // namespace sgpt

#define SGPT_POOL(T)                                                                                                  \
    SGPT_ENTRY(sgpt_pool_##T, 256,                                                                                    \
               (const sgpt::T* x, const int* rows, const int* starts, const int* skip, const float* gain,             \
                const float* bias, float* partial, float* out, int sequences, int columns, int xStride,               \
                int outStride, int kind, float epsilon, int slice, long long modes, int modeCount)) {                 \
        if (static_cast<int>(blockIdx.x) < sequences) {                                                               \
            sgpt::pool(x, rows, starts, skip, gain, bias, partial, out, columns, xStride, outStride, kind, epsilon,   \
                       slice, modes, modeCount);                                                                      \
        }                                                                                                             \
    }

SGPT_POOL(f32)
SGPT_POOL(f16)
SGPT_POOL(bf16)

SGPT_ENTRY(sgpt_pool_finish, 128,
           (const float* partial, const int* starts, const int* skip, float* out, int sequences, int columns,
            int outStride, int slice, long long modes, int modeCount)) {
    if (static_cast<int>(blockIdx.x) < sequences) {
        sgpt::pool_finish(partial, starts, skip, out, columns, outStride, slice, modes, modeCount);
    }
}
