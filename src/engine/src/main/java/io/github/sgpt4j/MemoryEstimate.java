package io.github.sgpt4j;

import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.model.DecoderLayout;
import io.github.sgpt4j.weights.ExpectedTensor;
import io.github.sgpt4j.weights.Weights;
import java.util.ArrayList;
import java.util.List;

/// Adds up what devices allocate for a model.
///
/// On the CPU matrices are packed in the chosen type, an output head apart from the embedding table even where both
/// are one tensor; tables are read where they are mapped, in the stored type; biases, norms and activations are 32-bit
/// floats. (A matrix unit takes three bytes where four are counted.) On a GPU matrices and tables are kept in the
/// chosen type, a tied head is the table itself, and
/// activations are counted as 32-bit floats.
final class MemoryEstimate {
    private static final List<Dtype> DTYPES = List.of(Dtype.FP32, Dtype.BF16, Dtype.FP16);

    private MemoryEstimate() {}

    static List<MemoryNeed> of(DecoderLayout layout, Weights stored, int tokens) {
        long activations = Math.multiplyExact(Decoder.activationValues(layout.config(), tokens), (long) Float.BYTES);
        List<MemoryNeed> needs = new ArrayList<>();
        for (Dtype dtype : DTYPES) {
            long weights = cpuBytes(layout.decoder(), stored, dtype);
            long head = cpuBytes(layout.head(), stored, dtype);
            needs.add(new MemoryNeed("cpu", dtype, weights, head, activations, tokens));
        }
        for (Dtype dtype : DTYPES) {
            long weights = gpuBytes(layout.decoder(), dtype);
            long head = layout.config().tiedHead() ? 0 : gpuBytes(layout.head(), dtype);
            needs.add(new MemoryNeed("cuda", dtype, weights, head, activations, tokens));
        }
        return needs;
    }

    private static long cpuBytes(List<ExpectedTensor> tensors, Weights stored, Dtype dtype) {
        return sum(tensors, tensor -> switch (tensor.use()) {
            case MATRIX -> bytes(dtype);
            case VECTOR -> Float.BYTES;
            case TABLE ->
                stored.contains(tensor.name())
                        ? stored.get(tensor.name()).dtype().bytes()
                        : Float.BYTES;
        });
    }

    private static long gpuBytes(List<ExpectedTensor> tensors, Dtype dtype) {
        return sum(tensors, tensor -> tensor.use() == ExpectedTensor.Use.VECTOR ? Float.BYTES : bytes(dtype));
    }

    @FunctionalInterface
    private interface ElementBytes {
        int of(ExpectedTensor tensor);
    }

    private static long sum(List<ExpectedTensor> tensors, ElementBytes bytes) {
        long sum = 0;
        for (ExpectedTensor tensor : tensors) {
            long size = Math.multiplyExact(tensor.shape().elements(), (long) bytes.of(tensor));
            sum = Math.addExact(sum, size);
        }
        return sum;
    }

    private static int bytes(Dtype dtype) {
        return switch (dtype) {
            case BF16, FP16 -> Short.BYTES;
            case AUTO, FP32, TF32 -> Float.BYTES;
        };
    }
}
