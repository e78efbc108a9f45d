// Log-probabilities over vocabulary blocks: each row keeps a running maximum and a running sum of exponentials relative
// to it while blocks of logits arrive, so the logits of the whole vocabulary are never in memory at once.
//
// sgpt_logprob_update
//   logits   f32 [rows, columns], row stride `stride`: tokens firstColumn … firstColumn + columns − 1
//   bias     f32 [columns] of the same tokens, or 0
//   softcap  bound of logits: softcap · tanh(logit / softcap), bias included; 0 for none
//   targets  int [rows]
//   maxima, sums f32 [rows, splits], state; picked f32 [rows], the target's logit
// sgpt_logprob_finish: out f32 [rows] = picked − maximum − log(sum)
//
// Launch: update: block (256), grid (rows, splits), 64 bytes of shared memory; finish: block (128), grid (ceil(rows /
// 128)).
//
// Bound by reading the logits. Splits keep the device busy when there are few rows; each processes its own part of the
// columns and has its own state. Method: Milakov and Gimelshein 2018, arXiv 1805.02867.
#include "common/activation.cuh"
#include "common/types.cuh"

namespace sgpt {

// Running maximum, and the sum of exp(x − largest) over the values so far.
struct Running {
    float largest;
    float sum;
};

SGPT_DEVICE void merge(Running& into, float largest, float sum) {
    const float together = fmaxf(into.largest, largest);
    // If all values so far are −∞, differences would be NaN, while both sums are 0 (or NaN, which stays).
    const float reference = together == -infinity() ? 0.0f : together;
    into.sum = into.sum * exp_fast(into.largest - reference) + sum * exp_fast(largest - reference);
    into.largest = together;
}

SGPT_DEVICE void include(Running& into, const float (&values)[4]) {
    const float largest = fmaxf(fmaxf(values[0], values[1]), fmaxf(values[2], values[3]));
    if (largest > into.largest) {
        into.sum *= exp_fast(into.largest - largest);
        into.largest = largest;
    }
    const float reference = into.largest == -infinity() ? 0.0f : into.largest;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        into.sum += exp_fast(values[i] - reference);
    }
}

SGPT_DEVICE void logprob_update(const float* logits, const float* bias, const int* targets, float* maxima, float* sums,
                                float* picked, int columns, int stride, int firstColumn, int splits, int first,
                                float softcap) {
    const int row = static_cast<int>(blockIdx.x);
    const int split = static_cast<int>(blockIdx.y);
    const float* from = logits + static_cast<long long>(row) * stride;
    // Parts are multiples of four columns, which preserves the alignment of the row.
    const int width = ((columns - 1) / splits + 4) / 4 * 4;
    const long long begin = static_cast<long long>(split) * width;
    const int end = begin + width < columns ? static_cast<int>(begin) + width : columns;
    const bool aligned = is_aligned<4>(logits, stride);
    const bool biasAligned = is_aligned<4>(bias, 0);

    Running running{-infinity(), 0.0f};
    for (long long c = begin + threadIdx.x * 4; c < end; c += blockDim.x * 4) {
        const int column = static_cast<int>(c);
        float values[4];
        if (aligned && end - column >= 4) {
            load_vector(from + column, values);
        } else {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                values[i] = i < end - column ? from[column + i] : -infinity();
            }
        }
        if (bias != nullptr) {
            float biases[4];
            load_part(bias, column, end, biasAligned, biases);
#pragma unroll
            for (int i = 0; i < 4; i++) {
                values[i] += biases[i];
            }
        }
        if (softcap > 0.0f) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                // Past the end there are no logits, but −∞.
                values[i] = i < end - column ? bounded(values[i], softcap) : values[i];
            }
        }
        include(running, values);
    }
    for (int lanes = 16; lanes > 0; lanes /= 2) {
        const float largest = __shfl_xor_sync(FULL_WARP, running.largest, lanes);
        const float sum = __shfl_xor_sync(FULL_WARP, running.sum, lanes);
        merge(running, largest, sum);
    }
    const int warps = static_cast<int>(blockDim.x) / 32;
    float* scratch = shared<float>();
    if (threadIdx.x % 32 == 0) {
        scratch[threadIdx.x / 32] = running.largest;
        scratch[warps + threadIdx.x / 32] = running.sum;
    }
    __syncthreads();
    if (threadIdx.x != 0) {
        return;
    }
    for (int w = 1; w < warps; w++) {
        merge(running, scratch[w], scratch[warps + w]);
    }
    const long long state = static_cast<long long>(row) * splits + split;
    if (first == 0) {
        merge(running, maxima[state], sums[state]);
    }
    maxima[state] = running.largest;
    sums[state] = running.sum;
    const long long target = static_cast<long long>(targets[row]) - firstColumn;
    if (target >= begin && target < end) {
        picked[row] = bounded(from[target] + (bias != nullptr ? bias[target] : 0.0f), softcap);
    }
}

SGPT_DEVICE void logprob_finish(const float* maxima, const float* sums, const float* picked, float* out, int rows,
                                int splits) {
    const int row = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    if (row >= rows) {
        return;
    }
    Running running{-infinity(), 0.0f};
    for (int s = 0; s < splits; s++) {
        const long long state = static_cast<long long>(row) * splits + s;
        merge(running, maxima[state], sums[state]);
    }
    out[row] = picked[row] - running.largest - logf(running.sum);
}

}  // namespace sgpt

SGPT_ENTRY(sgpt_logprob_update, 256,
           (const float* logits, const float* bias, const int* targets, float* maxima, float* sums, float* picked,
            int rows, int columns, int stride, int firstColumn, int splits, int first, float softcap)) {
    if (static_cast<int>(blockIdx.x) < rows) {
        sgpt::logprob_update(logits, bias, targets, maxima, sums, picked, columns, stride, firstColumn, splits, first,
                             softcap);
    }
}

SGPT_ENTRY(sgpt_logprob_finish, 128,
           (const float* maxima, const float* sums, const float* picked, float* out, int rows, int splits)) {
    sgpt::logprob_finish(maxima, sums, picked, out, rows, splits);
}
