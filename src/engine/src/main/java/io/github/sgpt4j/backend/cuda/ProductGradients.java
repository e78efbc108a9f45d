package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.cuda.ffi.CublasLt;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.tensor.ElementType;

/// Gradients that are matrix products, of operands in the type of the weights, as in [Products]. Shapes have been
/// checked; runs under the engine's lock.
final class ProductGradients {
    private final CudaEngine engine;
    private final RowOperations rows;

    ProductGradients(CudaEngine engine, RowOperations rows) {
        this.engine = engine;
        this.rows = rows;
    }

    /// `dX = dOut · W`, or added to it; with the weights as they are.
    void linear(CudaTensor dOut, CudaLinear layer, boolean add, CudaTensor dX) {
        try (CudaTensor gradient = operand(dOut)) {
            multiply(
                    Formula.INPUT_GRADIENT,
                    new Operands(dOut.rows(), layer.in(), layer.out(), gradient.address(), layer.weight()),
                    add,
                    dX);
        }
    }

    /// `out += dOutᵀ · x`.
    void weightSums(CudaTensor x, CudaTensor dOut, CudaTensor out) {
        try (CudaTensor input = operand(x);
                CudaTensor gradient = operand(dOut)) {
            multiply(
                    Formula.WEIGHT_GRADIENT,
                    new Operands(x.rows(), x.columns(), dOut.columns(), gradient.address(), input.address()),
                    true,
                    out);
        }
    }

    private CudaTensor operand(CudaTensor x) {
        return Conversions.as(engine, x, engine.arithmetic().type());
    }

    /// As [Formula] names them.
    private record Operands(int rows, int in, int out, long input, long weight) {}

    private void multiply(Formula formula, Operands operands, boolean add, CudaTensor result) {
        if (run(formula, operands, add, result)) {
            return;
        }
        if (add) {
            try (CudaTensor product = Conversions.full(engine, result.rows(), result.columns())) {
                if (run(formula, operands, false, product)) {
                    rows.add(product, result);
                    return;
                }
            }
        }
        throw new BackendException("%s: cuBLASLt has no algorithm for a product, %s of %d rows and [%d, %d] in %s: %s"
                .formatted(
                        engine.name(),
                        formula,
                        operands.rows,
                        operands.out,
                        operands.in,
                        engine.arithmetic(),
                        engine.matmul().refusal()));
    }

    private boolean run(Formula formula, Operands operands, boolean add, CudaTensor result) {
        ElementType type = engine.arithmetic().type();
        Matmul.Product product = new Matmul.Product(
                formula,
                operands.rows,
                operands.in,
                operands.out,
                type,
                operands.input,
                operands.weight,
                result.address(),
                result.type(),
                result.columns(),
                0);
        return engine.matmul().run(product, CublasLt.EPILOGUE_DEFAULT, add);
    }
}
