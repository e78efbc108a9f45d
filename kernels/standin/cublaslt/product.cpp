// Blocked product: panels of 16 rows of op(a) and 6 columns of op(b), widened to float; sums of some terms in float,
// accumulated in float or rounded. Compiled for several instruction sets, of which the loader selects the best.
#include "product.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "../emulation.h"

namespace standin {

namespace {

constexpr int64_t rows = 16;
constexpr int64_t columns = 6;

#if defined(__x86_64__)
#define SGPT_CLONES __attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default")))
#else
#define SGPT_CLONES
#endif

const float* e4m3_values() {
    struct Values {
        float of[256];
        Values() {
            for (int i = 0; i < 256; i++) {
                of[i] = e4m3_to_float(static_cast<uint8_t>(i));
            }
        }
    };
    static const Values values;
    return values.of;
}

float load(const void* data, int type, int64_t index) {
    switch (type) {
        case type_f32:
            return static_cast<const float*>(data)[index];
        case type_f16:
            return half_to_float(static_cast<const uint16_t*>(data)[index]);
        case type_e4m3:
            return e4m3_values()[static_cast<const uint8_t*>(data)[index]];
        default:
            return bfloat16_to_float(static_cast<const uint16_t*>(data)[index]);
    }
}

void store(void* data, int type, int64_t index, float value) {
    switch (type) {
        case type_f32:
            static_cast<float*>(data)[index] = value;
            break;
        case type_f16:
            static_cast<uint16_t*>(data)[index] = float_to_half(value);
            break;
        default:
            static_cast<uint16_t*>(data)[index] = float_to_bfloat16(value);
            break;
    }
}

/// panel[l * width + i] = element (first + i, l0 + l) of the matrix whose rows run along the panel's width, zero beyond
/// its edges. `along`: neighbours in l are neighbours in memory.
void pack(float* panel, int64_t width, const Matrix& matrix, bool along, int64_t first, int64_t count, int64_t l0,
          int64_t terms, bool tf32) {
    for (int64_t i = 0; i < width; i++) {
        for (int64_t l = 0; l < terms; l++) {
            int64_t index = along ? (first + i) * matrix.ld + l0 + l : (l0 + l) * matrix.ld + first + i;
            float value = i < count ? load(matrix.data, matrix.type, index) : 0.0f;
            panel[l * width + i] = tf32 ? float_to_tf32(value) : value;
        }
    }
}

/// sums[columns][rows] += a[terms][rows] * b[terms][columns]
SGPT_CLONES void tile(float* sums, const float* a, const float* b, int64_t terms) {
    typedef float Vector __attribute__((vector_size(64)));
    Vector s0 = {}, s1 = {}, s2 = {}, s3 = {}, s4 = {}, s5 = {};
    for (int64_t l = 0; l < terms; l++) {
        Vector v;
        memcpy(&v, a + l * rows, sizeof v);
        const float* w = b + l * columns;
        s0 += v * w[0];
        s1 += v * w[1];
        s2 += v * w[2];
        s3 += v * w[3];
        s4 += v * w[4];
        s5 += v * w[5];
    }
    const Vector all[columns] = {s0, s1, s2, s3, s4, s5};
    for (int64_t j = 0; j < columns; j++) {
        Vector old;
        memcpy(&old, sums + j * rows, sizeof old);
        old += all[j];
        memcpy(sums + j * rows, &old, sizeof old);
    }
}

float rounded(int type, float value) {
    switch (type) {
        case type_f32:
            return value;
        case type_f16:
            return half_to_float(float_to_half(value));
        default:
            return bfloat16_to_float(float_to_bfloat16(value));
    }
}

/// totals = round(totals + round(sums)), and clears sums.
void reduce(float* totals, float* sums, int type) {
    for (int64_t i = 0; i < columns * rows; i++) {
        totals[i] = rounded(type, totals[i] + rounded(type, sums[i]));
        sums[i] = 0.0f;
    }
}

float finished(const Product& p, float sum, int64_t i, int64_t j) {
    float value = p.alpha * sum;
    if (p.beta != 0.0f) {
        value += p.beta * load(p.c.data, p.c.type, j * p.c.ld + i);
    }
    if (p.bias != nullptr) {
        value += load(p.bias, p.bias_type, i);
    }
    if ((p.epilogue & epilogue_relu) != 0) {
        value = value > 0.0f ? value : 0.0f;
    }
    if ((p.epilogue & epilogue_gelu) != 0) {
        float inner = 0.7978845608f * (value + 0.044715f * value * value * value);
        value = 0.5f * value * (1.0f + tanhf(inner));
    }
    return value;
}

}  // namespace

int size_of(int type) { return type == type_f32 ? 4 : type == type_e4m3 ? 1 : 2; }

void multiply(const Product& p) {
    const int64_t depth = p.terms;
    int64_t column_panels = (p.n + columns - 1) / columns;
    int64_t depths = (p.k + depth - 1) / depth;
    std::vector<float> b(static_cast<size_t>(column_panels * columns * p.k));
    for (int64_t jp = 0; jp < column_panels; jp++) {
        int64_t j = jp * columns;
        for (int64_t l0 = 0; l0 < p.k; l0 += depth) {
            pack(&b[static_cast<size_t>((jp * p.k + l0) * columns)], columns, p.b, !p.b.transposed, j,
                 std::min(columns, p.n - j), l0, std::min(depth, p.k - l0), p.tf32);
        }
    }
    std::vector<float> a(static_cast<size_t>(rows * p.k));
    for (int64_t i = 0; i < p.m; i += rows) {
        int64_t height = std::min(rows, p.m - i);
        pack(a.data(), rows, p.a, p.a.transposed, i, height, 0, p.k, p.tf32);
        for (int64_t jp = 0; jp < column_panels; jp++) {
            float sums[columns * rows] = {};
            float totals[columns * rows] = {};
            for (int64_t part = 0; part < depths; part++) {
                int64_t l = (p.first + part) % depths;
                tile(sums, &a[static_cast<size_t>(l * depth * rows)],
                     &b[static_cast<size_t>((jp * p.k + l * depth) * columns)], std::min(depth, p.k - l * depth));
                if (p.in_d_type) {
                    reduce(totals, sums, p.d_type);
                }
            }
            for (int64_t j = jp * columns; j < std::min(p.n, (jp + 1) * columns); j++) {
                for (int64_t r = 0; r < height; r++) {
                    float value = finished(p, (p.in_d_type ? totals : sums)[(j - jp * columns) * rows + r], i + r, j);
                    store(p.d, p.d_type, j * p.d_ld + i + r, value);
                }
            }
        }
    }
}

}  // namespace standin
