package io.github.sgpt4j;

import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.cpu.CpuOptions;
import io.github.sgpt4j.backend.cuda.CudaBackend;
import io.github.sgpt4j.checkpoint.Checkpoint;
import io.github.sgpt4j.checkpoint.ModuleWeights;
import io.github.sgpt4j.inference.TokenPooling;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.model.DecoderLayout;
import io.github.sgpt4j.model.family.DecoderConfig;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.ExpectedTensor;
import io.github.sgpt4j.weights.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;

/// Adds up what devices allocate for a model.
///
/// On the CPU, matrices are held as [CpuOptions] says, and an output head is held separately from the
/// embedding table even if both are one tensor. Tables are read from the mapped file, in the stored
/// type. Biases, norms and activations are 32-bit floats. (Matrices that are stacked into one share its
/// last tile; they are counted as if each padded its own.) On a GPU, matrices and tables are kept in
/// the chosen type, a tied head is the table itself, and activations are counted as 32-bit floats. With
/// [Dtype#FP8], tables, the head, and matrices whose sizes are not multiples of 16 are in bfloat16, and
/// each output of the others has a scale of 32 bits.
final class MemoryEstimate {
    private static final List<Dtype> CPU_DTYPES = List.of(Dtype.AUTO, Dtype.FP32, Dtype.BF16, Dtype.FP16);
    private static final List<Dtype> GPU_DTYPES = List.of(Dtype.FP32, Dtype.BF16, Dtype.FP16, Dtype.FP8);

    /// Sizes of matrices that are multiplied in 8 bits are multiples of it.
    private static final int EIGHT_BIT_STEP = 16;

    private MemoryEstimate() {}

    static List<MemoryNeed> of(Checkpoint checkpoint, Weights stored, int tokens) {
        DecoderLayout layout = checkpoint.layout(stored.names());
        List<ModuleWeights> moduleWeights =
                ModuleWeights.of(checkpoint.modules(), layout.config().embeddingWidth(), checkpoint.json());
        List<MemoryNeed> needs = new ArrayList<>();
        for (Dtype dtype : CPU_DTYPES) {
            CpuOptions options = CpuOptions.of(Devices.cpuPrecision(dtype));
            long weights = cpuBytes(layout.decoder(), stored, options);
            for (ModuleWeights module : moduleWeights) {
                try (Weights own = Weights.open(module.folder())) {
                    weights = Math.addExact(weights, cpuBytes(module.tensors(), own, options));
                }
            }
            long head = cpuBytes(layout.head(), stored, options);
            needs.add(new MemoryNeed("cpu", dtype, weights, head, activations(checkpoint, tokens, true), tokens));
        }
        for (Dtype dtype : GPU_DTYPES) {
            long weights = gpuBytes(layout.decoder(), dtype);
            for (ModuleWeights module : moduleWeights) {
                weights = Math.addExact(weights, gpuBytes(module.tensors(), dtype));
            }
            long head = layout.headIsTable() ? 0 : gpuBytes(layout.head(), dtype == Dtype.FP8 ? Dtype.BF16 : dtype);
            needs.add(new MemoryNeed("cuda", dtype, weights, head, activations(checkpoint, tokens, false), tokens));
        }
        return needs;
    }

    /// Bytes of weights on one device while a model is trained. On the CPU, matrices are held a second time,
    /// transposed.
    ///
    /// @param stored with the values that change, as 32-bit floats
    static long whileTraining(Checkpoint checkpoint, Weights stored, Backend backend, Dtype dtype) {
        List<ExpectedTensor> tensors = checkpoint.layout(stored.names()).decoder();
        if (backend instanceof CudaBackend cuda) {
            return gpuBytes(tensors, cuda.weightBytes() == Short.BYTES ? Dtype.BF16 : Dtype.FP32);
        }
        CpuOptions options = CpuOptions.of(Devices.cpuPrecision(dtype));
        List<ExpectedTensor> matrices = tensors.stream()
                .filter(tensor -> switch (tensor.use()) {
                    case MATRIX, TRANSPOSED_MATRIX -> true;
                    case VECTOR, TABLE -> false;
                })
                .toList();
        return Math.addExact(cpuBytes(tensors, stored, options), cpuBytes(matrices, stored, options));
    }

    /// @param copied whether the copies of states made for the processor count
    private static long activations(Checkpoint checkpoint, int tokens, boolean copied) {
        DecoderConfig config = checkpoint.decoder();
        long afterDecoder =
                TokenPooling.values(checkpoint.modules(), config.embeddingWidth(), copied, checkpoint.json())
                        + Decoder.latentValues(config);
        return Math.multiplyExact(Decoder.activationValues(config, tokens, afterDecoder), (long) Float.BYTES);
    }

    /// Bytes of tensors on the CPU with weights held as `options` say.
    static long cpuBytes(List<ExpectedTensor> tensors, Weights stored, CpuOptions options) {
        ElementType common = commonType(tensors, stored);
        return sum(tensors, tensor -> switch (tensor.use()) {
            case MATRIX -> matrixBytes(tensor, 0, 1, common, options);
            case TRANSPOSED_MATRIX -> matrixBytes(tensor, 1, 0, common, options);
            case VECTOR -> bytes(tensor, Float.BYTES);
            case TABLE -> bytes(tensor, storedType(tensor, stored).bytes());
        });
    }

    private static long matrixBytes(ExpectedTensor tensor, int out, int in, ElementType stored, CpuOptions options) {
        return options.matrixBytes(
                stored,
                Math.toIntExact(tensor.shape().dimension(in)),
                Math.toIntExact(tensor.shape().dimension(out)));
    }

    /// The type that all matrices are stored in; F32 if they differ, since stacked ones may then be
    /// held as F32.
    private static ElementType commonType(List<ExpectedTensor> tensors, Weights stored) {
        List<ElementType> types = tensors.stream()
                .filter(tensor -> switch (tensor.use()) {
                    case MATRIX, TRANSPOSED_MATRIX -> true;
                    case VECTOR, TABLE -> false;
                })
                .map(tensor -> storedType(tensor, stored))
                .distinct()
                .toList();
        return types.size() == 1 ? types.getFirst() : ElementType.F32;
    }

    private static ElementType storedType(ExpectedTensor tensor, Weights stored) {
        return stored.names().contains(tensor.name())
                ? stored.get(tensor.name()).dtype()
                : ElementType.F32;
    }

    /// Bytes of tensors on a GPU, but for an output head.
    static long gpuBytes(List<ExpectedTensor> tensors, Dtype dtype) {
        return sum(tensors, tensor -> switch (tensor.use()) {
            case VECTOR -> bytes(tensor, Float.BYTES);
            case TABLE -> bytes(tensor, gpuBytes(dtype));
            case MATRIX -> gpuMatrixBytes(tensor, 0, dtype);
            case TRANSPOSED_MATRIX -> gpuMatrixBytes(tensor, 1, dtype);
        });
    }

    private static long gpuMatrixBytes(ExpectedTensor tensor, int out, Dtype dtype) {
        boolean fits = tensor.shape().dimension(0) % EIGHT_BIT_STEP == 0
                && tensor.shape().dimension(1) % EIGHT_BIT_STEP == 0;
        return dtype == Dtype.FP8 && fits
                ? Math.addExact(
                        bytes(tensor, Byte.BYTES),
                        Math.multiplyExact(tensor.shape().dimension(out), (long) Float.BYTES))
                : bytes(tensor, gpuBytes(dtype));
    }

    private static int gpuBytes(Dtype dtype) {
        return switch (dtype) {
            case BF16, FP16, FP8 -> Short.BYTES;
            case AUTO, FP32, TF32 -> Float.BYTES;
        };
    }

    private static long bytes(ExpectedTensor tensor, int elementBytes) {
        return Math.multiplyExact(tensor.shape().elements(), (long) elementBytes);
    }

    private static long sum(List<ExpectedTensor> tensors, ToLongFunction<ExpectedTensor> bytes) {
        long sum = 0;
        for (ExpectedTensor tensor : tensors) {
            sum = Math.addExact(sum, bytes.applyAsLong(tensor));
        }
        return sum;
    }
}
