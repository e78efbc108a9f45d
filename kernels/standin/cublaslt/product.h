// The arithmetic of one matrix product, on real addresses; nothing is checked here.
#pragma once

#include <cstdint>

namespace standin {

enum ElementType { type_f32 = 0, type_f16 = 2, type_bf16 = 14, type_e4m3 = 28 };
int size_of(int type);

enum Epilogue { epilogue_default = 1, epilogue_relu = 2, epilogue_bias = 4, epilogue_gelu = 32 };

/// Column-major matrix.
struct Matrix {
    const void* data;
    int type;
    int64_t ld;
    bool transposed;
};

/// d[m, n] = epilogue(alpha * op(a)[m, k] * op(b)[k, n] + beta * c[m, n] + bias[m])
struct Product {
    int64_t m, n, k;
    Matrix a, b, c;
    void* d;
    int d_type;
    int64_t d_ld;
    float alpha, beta;
    const void* bias;  // null: none
    int bias_type;
    unsigned epilogue;  // bits of Epilogue
    bool tf32;
    int64_t terms;   // terms of a sum in float, 256 at most; such sums are added up
    bool in_d_type;  // rounds these sums and their sum to the type of d
    int64_t first;   // which of these sums comes first
};

void multiply(const Product& product);

}  // namespace standin
