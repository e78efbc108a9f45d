package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.cuda.ffi.CublasLt;
import io.github.sgpt4j.backend.cuda.memory.DeviceBuffer;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.tensor.ElementType;
import java.util.OptionalInt;

/// Operations that are matrix products. Shapes have been checked; runs under the engine's lock.
final class Products {
    /// Floats of logits that are held at a time.
    private static final int LOGITS = 1 << 24;

    private static final int LOGIT_ROWS = 4096;
    private static final int LOGIT_COLUMNS = 1024;

    /// Rows of logits begin at multiples of so many, whatever the size of the vocabulary: 256 bytes. The
    /// algorithms that write 16 bytes at a time need 4.
    private static final int LOGIT_ALIGNMENT = 64;

    private final CudaEngine engine;
    private final RowOperations rows;
    private final Epilogues epilogues;
    private final Fp8Products fp8;
    private boolean fullBiases;

    Products(CudaEngine engine, RowOperations rows) {
        this.engine = engine;
        this.rows = rows;
        epilogues = new Epilogues(engine.device(), engine.arithmetic());
        fp8 = new Fp8Products(engine);
    }

    /// From now on, biases are 32-bit floats where results are not, too. cuBLASLt adds biases of the result's type
    /// only.
    void addBiasesInFull() {
        fullBiases = true;
    }

    private boolean isBiasApart(CudaLinear layer, CudaTensor out) {
        return fullBiases && layer.hasBias() && out.type() != ElementType.F32;
    }

    /// `out = activation(x · Wᵀ + b)`: bias and, where that pays, activation in the product's epilogue.
    void linear(CudaTensor x, CudaLinear layer, Activation activation, CudaTensor out) {
        if (fp8.takes(layer) && fp8.linear(x, layer, activation, out)) {
            return;
        }
        if (isBiasApart(layer, out)) {
            addBiasApart(x, layer, activation, out);
            return;
        }
        OptionalInt epilogue = epilogues.of(activation);
        try (CudaTensor input = Conversions.as(engine, x, engine.arithmetic().type())) {
            boolean fused = multiply(input, layer, out, true, epilogue.orElse(CublasLt.EPILOGUE_DEFAULT), false);
            if (fused && epilogue.isPresent()) {
                return;
            }
            long bias = 0;
            if (!fused) {
                require(multiply(input, layer, out, false, CublasLt.EPILOGUE_DEFAULT, false), input, layer);
                bias = layer.bias(ElementType.F32);
            }
            if (bias != 0 || activation != Activation.NONE) {
                rows.activate(out, bias, activation);
            }
        }
    }

    /// The product in 32-bit floats; a kernel adds the bias, in 32 bits, and rounds once.
    private void addBiasApart(CudaTensor x, CudaLinear layer, Activation activation, CudaTensor out) {
        try (CudaTensor input = Conversions.as(engine, x, engine.arithmetic().type());
                CudaTensor product = temporary(out)) {
            require(multiply(input, layer, product, false, CublasLt.EPILOGUE_DEFAULT, false), input, layer);
            rows.activate(product, layer.bias(ElementType.F32), activation, out);
        }
    }

    /// `out += x · Wᵀ + b`.
    void linearAdd(CudaTensor x, CudaLinear layer, CudaTensor out) {
        if (fp8.takes(layer) && fp8.linearAdd(x, layer, out)) {
            return;
        }
        try (CudaTensor input = Conversions.as(engine, x, engine.arithmetic().type())) {
            if (isBiasApart(layer, out) || !multiply(input, layer, out, true, CublasLt.EPILOGUE_DEFAULT, true)) {
                try (CudaTensor product = temporary(out)) {
                    linear(input, layer, Activation.NONE, product);
                    rows.add(product, out);
                }
            }
        }
    }

    private CudaTensor temporary(CudaTensor like) {
        return Conversions.full(engine, like.rows(), like.columns());
    }

    private boolean multiply(
            CudaTensor x, CudaLinear layer, CudaTensor out, boolean biased, int epilogue, boolean add) {
        Matmul.Product product = new Matmul.Product(
                x.rows(),
                layer.in(),
                layer.out(),
                x.type(),
                x.address(),
                layer.weight(),
                out.address(),
                out.type(),
                out.columns(),
                biased ? layer.bias(out.type()) : 0);
        return engine.matmul().run(product, epilogue, add);
    }

    private void require(boolean done, CudaTensor x, CudaLinear layer) {
        if (!done) {
            throw new BackendException("%s: cuBLASLt has no algorithm for a product of %s and [%d, %d] in %s: %s"
                    .formatted(
                            engine.name(),
                            x,
                            layer.out(),
                            layer.in(),
                            engine.arithmetic(),
                            engine.matmul().refusal()));
        }
    }

    /// `out[i] = log softmax(cap(x[i] · Wᵀ + b))[targets[i]]`, over blocks of the vocabulary.
    ///
    /// @param vocabulary first rows of the head that the softmax runs over
    /// @param softcap bound of logits, or 0 for none
    void logProbabilities(CudaTensor x, CudaLinear head, int vocabulary, float softcap, int[] targets, CudaTensor out) {
        try (CudaTensor input = Conversions.as(engine, x, engine.arithmetic().type());
                IndexArrays wanted = IndexArrays.upload(engine, targets)) {
            for (int from = 0; from < targets.length; from += LOGIT_ROWS) {
                int count = Math.min(LOGIT_ROWS, targets.length - from);
                try (CudaTensor some = (CudaTensor) input.slice(from, count)) {
                    score(
                            some,
                            head,
                            vocabulary,
                            softcap,
                            wanted.address(0) + (long) from * Integer.BYTES,
                            out.address() + (long) from * Float.BYTES);
                }
            }
        }
    }

    private void score(CudaTensor x, CudaLinear head, int vocabulary, float softcap, long targets, long out) {
        int count = x.rows();
        int block = Math.min(vocabulary, Math.max(LOGIT_COLUMNS, LOGITS / count / LOGIT_COLUMNS * LOGIT_COLUMNS));
        int stride = logitStride(block);
        int splits = engine.geometry().logitSplits(count, block);
        long bias = head.bias(ElementType.F32);
        long state = Math.multiplyExact((long) count * splits, Float.BYTES);
        try (DeviceBuffer logits = engine.pass().take(ElementType.F32.bytes(count, stride));
                DeviceBuffer maxima = engine.pass().take(state);
                DeviceBuffer sums = engine.pass().take(state);
                DeviceBuffer picked = engine.pass().take((long) count * Float.BYTES)) {
            for (int first = 0; first < vocabulary; first += block) {
                int columns = Math.min(block, vocabulary - first);
                logits(x, head, first, columns, logits.address(), stride);
                engine.launcher()
                        .kernel("sgpt_logprob_update")
                        .pointer(logits.address())
                        .pointer(bias == 0 ? 0 : bias + (long) first * Float.BYTES)
                        .pointer(targets)
                        .pointer(maxima.address())
                        .pointer(sums.address())
                        .pointer(picked.address())
                        .int32(count)
                        .int32(columns)
                        .int32(stride)
                        .int32(first)
                        .int32(splits)
                        .int32(first == 0 ? 1 : 0)
                        .float32(softcap)
                        .run(engine.geometry().logitUpdate(count, splits));
            }
            engine.launcher()
                    .kernel("sgpt_logprob_finish")
                    .pointer(maxima.address())
                    .pointer(sums.address())
                    .pointer(picked.address())
                    .pointer(out)
                    .int32(count)
                    .int32(splits)
                    .run(engine.geometry().logitFinish(count));
        }
    }

    /// Elements between rows of logits.
    static int logitStride(int columns) {
        return Math.ceilDiv(columns, LOGIT_ALIGNMENT) * LOGIT_ALIGNMENT;
    }

    private void logits(CudaTensor x, CudaLinear head, int first, int columns, long logits, int stride) {
        long weight = head.weight() + engine.arithmetic().type().bytes(first, head.in());
        Matmul.Product product = new Matmul.Product(
                x.rows(), head.in(), columns, x.type(), x.address(), weight, logits, ElementType.F32, stride, 0);
        require(engine.matmul().run(product, CublasLt.EPILOGUE_DEFAULT, false), x, head);
    }
}
