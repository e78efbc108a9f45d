package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.cuda.device.DeviceTypes;
import io.github.sgpt4j.backend.cuda.ffi.CublasLt;

/// What a product of a linear layer computes, for `rows` tokens, `in` and `out` features, and weights `[out, in]`. Each
/// reads its operands as they lie.
enum Formula {
    /// `[rows, out] = x · Wᵀ`, `x [rows, in]`
    OUTPUT,
    /// `[rows, in] = d · W`, `d [rows, out]` the gradient of the output
    INPUT_GRADIENT,
    /// `[out, in] = dᵀ · x`: in place of the weights `x [rows, in]`, in place of the input `d [rows, out]`
    WEIGHT_GRADIENT;

    /// Whether cuBLASLt transposes its first operand, the weights.
    boolean transposesWeight() {
        return this == OUTPUT;
    }

    /// Whether it transposes its second operand, the input.
    boolean transposesInput() {
        return this == WEIGHT_GRADIENT;
    }

    /// Columns of the input.
    int inputColumns(int in, int out) {
        return this == OUTPUT ? in : out;
    }

    /// The caller destroys them. Row-major `[r, c]` is column-major `[c, r]`: the weights come first.
    CublasLt.Layouts layouts(ProductShape s) {
        int type = DeviceTypes.cublasType(s.type());
        int columns = inputColumns(s.in(), s.out());
        long weight = CublasLt.createLayout(type, s.in(), this == WEIGHT_GRADIENT ? s.rows() : s.out(), s.in());
        long input = CublasLt.createLayout(type, columns, s.rows(), columns);
        long result = CublasLt.createLayout(
                DeviceTypes.cublasType(s.result()),
                this == OUTPUT ? s.out() : s.in(),
                this == WEIGHT_GRADIENT ? s.out() : s.rows(),
                s.stride());
        return new CublasLt.Layouts(weight, input, result);
    }
}
