// Softmax of neighbouring values of a row, in place.
//
// x  T [rows, groups * columns], row stride xStride; each group of `columns` values is replaced by its softmax
//
// Launch: as norm (README), with rows * groups vectors.
//
// Each thread keeps up to 16 values of its group in registers. Groups of more than 16384 values are read from memory
// again for each of the three steps. A NaN or +∞ makes NaN of its group, −∞ gives 0; a group of −∞ alone gives NaN.
#include "common/reduce.cuh"
#include "common/types.cuh"

namespace sgpt {

// The largest of the values inside the group.
SGPT_DEVICE float largest_score(const float (&values)[4], int column, int columns) {
    float most = -infinity();
#pragma unroll
    for (int i = 0; i < 4; i++) {
        most = fmaxf(most, column + i < columns ? values[i] : -infinity());
    }
    return most;
}

// values = exp(values − largest); returns the sum of those inside the group.
SGPT_DEVICE float exponentials(float (&values)[4], float largest, int column, int columns) {
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        values[i] = exp_fast(values[i] - largest);
        sum += column + i < columns ? values[i] : 0.0f;
    }
    return sum;
}

SGPT_DEVICE void scale_all(float (&values)[4], float factor) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
        values[i] *= factor;
    }
}

template <class T>
SGPT_DEVICE void softmax_kept(T* group, bool active, bool aligned, int columns) {
    float* scratch = shared<float>();
    float values[GROUPS][4];
    float largest = -infinity();
#pragma unroll
    for (int g = 0; g < GROUPS; g++) {
        // Groups past the last one are zeros: nothing is read there.
        load_part(static_cast<const T*>(group), first_column(g), active ? columns : 0, aligned, values[g]);
        largest = fmaxf(largest, largest_score(values[g], first_column(g), columns));
    }
    largest = row_max(largest, scratch);
    float sum = 0.0f;
#pragma unroll
    for (int g = 0; g < GROUPS; g++) {
        sum += exponentials(values[g], largest, first_column(g), columns);
    }
    const float factor = 1.0f / row_sum(sum, scratch);
#pragma unroll
    for (int g = 0; g < GROUPS; g++) {
        if (active && first_column(g) < columns) {
            scale_all(values[g], factor);
            store_part(group, first_column(g), columns, aligned, values[g]);
        }
    }
}

// Groups of any length, one per block.
template <class T>
SGPT_DEVICE void softmax_read_again(T* group, bool aligned, int columns) {
    float* scratch = shared<float>();
    const int step = static_cast<int>(blockDim.x) * 4;
    float values[4];
    float largest = -infinity();
    for (int column = first_column(0); column < columns; column += step) {
        load_part(static_cast<const T*>(group), column, columns, aligned, values);
        largest = fmaxf(largest, largest_score(values, column, columns));
    }
    largest = row_max(largest, scratch);
    float sum = 0.0f;
    for (int column = first_column(0); column < columns; column += step) {
        load_part(static_cast<const T*>(group), column, columns, aligned, values);
        sum += exponentials(values, largest, column, columns);
    }
    const float factor = 1.0f / row_sum(sum, scratch);
    for (int column = first_column(0); column < columns; column += step) {
        load_part(static_cast<const T*>(group), column, columns, aligned, values);
        exponentials(values, largest, column, columns);
        scale_all(values, factor);
        store_part(group, column, columns, aligned, values);
    }
}

template <class T>
SGPT_DEVICE void softmax(T* x, int rows, int columns, int groups, int xStride) {
    const long long index =
        static_cast<long long>(blockIdx.x) * static_cast<int>(blockDim.y) + static_cast<int>(threadIdx.y);
    const bool active = index < static_cast<long long>(rows) * groups;
    const long long row = active ? index / groups : 0;
    const long long group = active ? index % groups : 0;
    T* values = x + row * xStride + group * columns;
    const bool aligned = is_aligned<4>(x, xStride) && (groups == 1 || is_aligned<4>(x, columns));
    if (columns <= 4 * GROUPS * static_cast<int>(blockDim.x)) {
        softmax_kept(values, active, aligned, columns);
    } else {
        softmax_read_again(values, aligned, columns);
    }
}

}  // namespace sgpt

#define SGPT_SOFTMAX(T)                                                                                \
    SGPT_ENTRY(sgpt_softmax_##T, 1024, (sgpt::T * x, int rows, int columns, int groups, int xStride)) { \
        sgpt::softmax(x, rows, columns, groups, xStride);                                              \
    }

SGPT_SOFTMAX(f32)
SGPT_SOFTMAX(f16)
SGPT_SOFTMAX(bf16)
