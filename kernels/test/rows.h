// Rows of values for row-wise kernels: types, sizes, strides, addresses.
#pragma once

#include <cmath>

#include "launch.h"

namespace test {

inline const std::vector<Type> TYPES = {Type::f32, Type::f16, Type::bf16};
// Sizes around the number of values per thread (four and eight), per warp and per block.
inline const std::vector<int> SIZES = {1,  2,  3,   4,   5,   7,   8,   9,   15,  16,   17,  31,
                                       33, 64, 127, 128, 129, 255, 256, 384, 513, 1024, 1031};

struct Pair {
    Type in;
    Type out;
};
inline const std::vector<Pair> PAIRS = {{Type::f32, Type::f32}, {Type::f32, Type::f16},   {Type::f32, Type::bf16},
                                        {Type::f16, Type::f16}, {Type::bf16, Type::bf16}, {Type::f16, Type::f32},
                                        {Type::bf16, Type::f32}};

inline std::vector<double> round_all(Type type, std::vector<double> values) {
    for (double& value : values) {
        value = rounded(type, value);
    }
    return values;
}

// Rounding to the output type, after arithmetic in 32-bit floats on values around 1.
inline Tolerance tolerance(Type out, double factor = 1) {
    return {1e-5 * factor, out == Type::f32 ? 1e-5 : unit(out) * 1.02};
}

// By the ordinals of Activation.
inline double activated(int activation, double x) {
    switch (activation) {
        case 1:
            return x < 0 ? 0 : x;
        case 2:
            return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
        case 3:
            return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
        case 4:
            return x / (1 + std::exp(-1.702 * x));
        case 5:
            return x / (1 + std::exp(-x));
        case 6:
            return std::tanh(x);
        case 7:
            return 1 / (1 + std::exp(-x));
        default:
            return x;
    }
}

// Rows of `columns` values with `stride`; the gaps are NaN and must not be read or written.
struct Rows {
    int count;
    int columns;
    int stride;

    std::vector<double> spread(const std::vector<double>& dense) const {
        std::vector<double> values(static_cast<std::size_t>(count) * stride, NAN);
        for (int r = 0; r < count; r++) {
            for (int c = 0; c < columns; c++) {
                values[static_cast<std::size_t>(r) * stride + c] = dense[static_cast<std::size_t>(r) * columns + c];
            }
        }
        return values;
    }

    std::vector<double> dense(const std::vector<double>& spread, const std::string& what) const {
        std::vector<double> values;
        for (int r = 0; r < count; r++) {
            for (int c = 0; c < stride; c++) {
                const double value = spread[static_cast<std::size_t>(r) * stride + c];
                if (c < columns) {
                    values.push_back(value);
                } else if (!std::isnan(value)) {
                    fail(format("%s: row %d is written past its end", what.c_str(), r));
                    return values;
                }
            }
        }
        return values;
    }

};

// Strides and offsets: dense, a multiple of 16 bytes, and odd ones that forbid vectors.
struct Layout {
    int pad;
    int offset;
};
inline const std::vector<Layout> LAYOUTS = {{0, 0}, {-1, 0}, {1, 0}, {0, 1}};

inline int stride_of(int columns, Layout layout) {
    return layout.pad < 0 ? static_cast<int>(ceil_div(columns, 8) * 8) : columns + layout.pad;
}

}  // namespace test
