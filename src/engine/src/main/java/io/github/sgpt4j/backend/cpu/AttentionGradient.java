package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.cpu.vector.VectorCode;
import io.github.sgpt4j.batch.PackedBatch;
import org.jspecify.annotations.Nullable;

/// Divides the gradient of causal attention among threads.
///
/// A task is one key head of one sequence, with all query heads of its group: it alone writes the gradients of its keys
/// and values, so the order of all sums depends only on the sequence.
///
/// @param qkv input of attention
/// @param batch whole sequences
/// @param out result of attention
/// @param outGradient gradient of `out`
/// @param gradient receives the gradient of `qkv`
/// @param code the machine code that multiplies; null for the Vector API
record AttentionGradient(
        CpuTensor qkv,
        PackedBatch batch,
        AttentionParameters parameters,
        CpuTensor out,
        CpuTensor outGradient,
        CpuTensor gradient,
        @Nullable VectorCode code) {
    /// Computes `dQkv`; operands are as [io.github.sgpt4j.backend.Backward#attention] says, and of its shapes.
    ///
    /// @param code the machine code that multiplies; null for the Vector API
    static void run(
            Workers workers,
            CpuTensor qkv,
            CpuBatch batch,
            AttentionParameters parameters,
            CpuTensor out,
            CpuTensor dOut,
            CpuTensor dQkv,
            @Nullable VectorCode code) {
        PackedBatch packed = batch.packed();
        AttentionGradient gradient = new AttentionGradient(qkv, packed, parameters, out, dOut, dQkv, code);
        int kvHeads = parameters.kvHeads();
        workers.parallelFor(
                Math.multiplyExact(packed.segments(), kvHeads),
                (task, scratch) -> scratch.attentionGradientTask().run(gradient, task / kvHeads, task % kvHeads));
    }

    /// The first column of a key head in `qkv`.
    int keyColumn(int kvHead) {
        return (parameters.heads() + kvHead) * parameters.headDim();
    }

    /// As [#keyColumn], for values.
    int valueColumn(int kvHead) {
        return keyColumn(kvHead) + parameters.kvHeads() * parameters.headDim();
    }
}
