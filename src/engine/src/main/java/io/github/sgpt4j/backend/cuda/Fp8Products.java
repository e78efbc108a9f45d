package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.cuda.device.Arithmetic;
import io.github.sgpt4j.backend.cuda.device.DeviceTypes;
import io.github.sgpt4j.backend.cuda.ffi.CublasLt;
import io.github.sgpt4j.tensor.ElementType;

/// Products in 8 bits. cuBLASLt multiplies e4m3 as if all scales were 1: its scales for rows and columns exist
/// on compute capability 9.0 only. A kernel then applies the scales, bias and activation, or adds to the
/// residual stream; it costs one pass over the result. Runs under the engine's lock.
final class Fp8Products {
    private final CudaEngine engine;

    Fp8Products(CudaEngine engine) {
        this.engine = engine;
    }

    /// Whether a matrix is multiplied in 8 bits; if only its sizes forbid that, there is a notice.
    boolean takes(CudaLinear layer) {
        if (engine.arithmetic() != Arithmetic.FP8) {
            return false;
        }
        if (Quantised.takes(layer.in()) && Quantised.takes(layer.out())) {
            return true;
        }
        engine.notice("%s: matrices of %d x %d are multiplied in bf16, since fp8 needs multiples of 16"
                .formatted(engine.name(), layer.out(), layer.in()));
        return false;
    }

    /// As [Products#linear], false if the library has no algorithm for it.
    boolean linear(CudaTensor x, CudaLinear layer, Activation activation, CudaTensor out) {
        Quantised weight = layer.quantised();
        long bias = layer.bias(ElementType.F32);
        try (Quantised input = Quantised.of(engine, x)) {
            if (!multiply(input, weight, layer, out)) {
                return false;
            }
            // What follows an activation is another product.
            if (activation != Activation.NONE && Quantised.isWorthwhile(engine, out)) {
                rescaleAndQuantise(out, input, weight, bias, activation);
            } else {
                rescale(out, input, weight, bias, activation, false, out);
            }
            return true;
        }
    }

    /// As [Products#linearAdd], false if the library has no algorithm for it.
    boolean linearAdd(CudaTensor x, CudaLinear layer, CudaTensor out) {
        Quantised weight = layer.quantised();
        long bias = layer.bias(ElementType.F32);
        long bytes = ElementType.BF16.bytes(out.rows(), out.columns());
        try (Quantised input = Quantised.of(engine, x);
                CudaTensor product =
                        new CudaTensor(engine.pass().take(bytes), out.rows(), out.columns(), ElementType.BF16)) {
            if (!multiply(input, weight, layer, product)) {
                return false;
            }
            rescale(product, input, weight, bias, Activation.NONE, true, out);
            return true;
        }
    }

    private boolean multiply(Quantised x, Quantised weight, CudaLinear layer, CudaTensor out) {
        Matmul.Product product = new Matmul.Product(
                out.rows(),
                layer.in(),
                layer.out(),
                ElementType.F8_E4M3,
                x.values().address(),
                weight.values().address(),
                out.address(),
                out.type(),
                out.columns(),
                0);
        if (engine.matmul().run(product, CublasLt.EPILOGUE_DEFAULT, false)) {
            return true;
        }
        engine.notice("%s: cuBLASLt does not multiply matrices of %d x %d in fp8, so they are multiplied in bf16"
                .formatted(engine.name(), layer.out(), layer.in()));
        return false;
    }

    private void rescale(
            CudaTensor product,
            Quantised x,
            Quantised weight,
            long bias,
            Activation activation,
            boolean add,
            CudaTensor out) {
        engine.launcher()
                .kernel(DeviceTypes.kernel("sgpt_rescale", product.type(), out.type()))
                .pointer(product.address())
                .pointer(x.scales().address())
                .pointer(weight.scales().address())
                .pointer(bias)
                .pointer(out.address())
                .int32(out.rows())
                .int32(out.columns())
                .int32(product.columns())
                .int32(out.columns())
                .int32(activation.ordinal())
                .int32(add ? 1 : 0)
                .run(engine.geometry().rows(out.rows(), out.columns(), product.type(), out.type()));
    }

    private void rescaleAndQuantise(CudaTensor out, Quantised x, Quantised weight, long bias, Activation activation) {
        Quantised next = Quantised.beside(engine, out);
        engine.launcher()
                .kernel("sgpt_rescale_quantise")
                .pointer(out.address())
                .pointer(x.scales().address())
                .pointer(weight.scales().address())
                .pointer(bias)
                .pointer(out.address())
                .pointer(next.values().address())
                .pointer(next.scales().address())
                .int32(out.rows())
                .int32(out.columns())
                .int32(out.columns())
                .int32(out.columns())
                .int32(activation.ordinal())
                .run(engine.geometry().norm(out.rows(), out.columns()));
    }
}
