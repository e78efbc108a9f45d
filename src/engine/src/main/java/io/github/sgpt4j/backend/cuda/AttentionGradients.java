package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.cuda.device.DeviceTypes;
import io.github.sgpt4j.backend.cuda.memory.DeviceBuffer;
import io.github.sgpt4j.tensor.ElementType;

/// The gradient of attention, in three kernels. Shapes have been checked; runs under the engine's lock.
final class AttentionGradients {
    /// Floats that the kernels exchange about each query and head.
    private static final int STATISTICS = 3;

    private final CudaEngine engine;
    private final AttentionOperations attention;

    AttentionGradients(CudaEngine engine, AttentionOperations attention) {
        this.engine = engine;
        this.attention = attention;
    }

    /// What the kernels read, in one type.
    private record Inputs(CudaTensor qkv, CudaTensor out, CudaTensor dOut) {}

    void attention(
            CudaTensor qkv, CudaBatch batch, AttentionParameters p, CudaTensor out, CudaTensor dOut, CudaTensor dQkv) {
        ElementType type = dQkv.type();
        if (qkv.type() == type && out.type() == type && dOut.type() == type) {
            run(new Inputs(qkv, out, dOut), batch, p, dQkv);
            return;
        }
        try (CudaTensor fullQkv = Conversions.as(engine, qkv, ElementType.F32);
                CudaTensor fullOut = Conversions.as(engine, out, ElementType.F32);
                CudaTensor fullGradient = Conversions.as(engine, dOut, ElementType.F32)) {
            Inputs inputs = new Inputs(fullQkv, fullOut, fullGradient);
            Conversions.intoFull(engine, dQkv, false, to -> run(inputs, batch, p, to));
        }
    }

    private void run(Inputs inputs, CudaBatch batch, AttentionParameters p, CudaTensor dQkv) {
        long bytes = ElementType.F32.bytes((long) dQkv.rows() * p.heads(), STATISTICS);
        long slopes = attention.slopes(p);
        try (DeviceBuffer statistics = engine.pass().take(bytes)) {
            Call call = new Call(inputs, batch, p, slopes, statistics, dQkv);
            launch("sgpt_attention_gradient_statistics", p.heads(), 1, call);
            launch("sgpt_attention_gradient_queries", p.heads(), p.headDim(), call);
            launch("sgpt_attention_gradient_keys", p.kvHeads(), p.headDim(), call);
        }
    }

    /// What the three kernels are given.
    ///
    /// @param statistics of each query and head, for what follows; `[heads, tokens, STATISTICS]`
    private record Call(
            Inputs inputs,
            CudaBatch batch,
            AttentionParameters parameters,
            long slopes,
            DeviceBuffer statistics,
            CudaTensor dQkv) {}

    /// @param columns of a head that are computed
    private void launch(String kernel, int heads, int columns, Call call) {
        BatchIndex index = call.batch.index();
        AttentionParameters p = call.parameters;
        engine.launcher()
                .kernel(DeviceTypes.kernel(kernel, call.dQkv.type()))
                .pointer(call.inputs.qkv.address())
                .pointer(call.inputs.out.address())
                .pointer(call.inputs.dOut.address())
                .pointer(call.batch.address(index.starts()))
                .pointer(call.batch.address(index.tiles()))
                .pointer(call.slopes)
                .pointer(call.statistics.address())
                .pointer(call.dQkv.address())
                .int32(call.dQkv.rows())
                .int32(p.heads())
                .int32(p.kvHeads())
                .int32(p.headDim())
                .int32(call.dQkv.columns())
                .int32(call.inputs.out.columns())
                .int32(p.window())
                .float32(p.scale())
                .run(engine.geometry().attentionGradient(index.tileCount(), heads, columns));
    }
}
