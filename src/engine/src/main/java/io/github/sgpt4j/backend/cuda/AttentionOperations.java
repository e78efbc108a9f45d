package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.RotaryParameters;
import io.github.sgpt4j.backend.cuda.device.DeviceTypes;
import io.github.sgpt4j.backend.cuda.launch.Geometry;
import io.github.sgpt4j.backend.cuda.memory.DeviceBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/// Rotary embedding and attention. Shapes have been checked; runs under the engine's lock.
final class AttentionOperations {
    private static final int MAX_TABLES = 4;

    /// Cosines and sines on the device, `[positions, pairs]` each.
    private record RotaryTables(RotaryParameters parameters, int positions, DeviceBuffer cos, DeviceBuffer sin) {
        void close() {
            cos.close();
            sin.close();
        }
    }

    /// ALiBi slopes, compared by their values.
    private record Slopes(float[] values) {
        @Override
        public boolean equals(Object other) {
            return other instanceof Slopes(float[] others) && Arrays.equals(values, others);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(values);
        }
    }

    private final CudaEngine engine;
    private final RowOperations rows;
    private final ArrayDeque<RotaryTables> rotary = new ArrayDeque<>();
    private final Map<Slopes, DeviceBuffer> slopes = new HashMap<>();

    AttentionOperations(CudaEngine engine, RowOperations rows) {
        this.engine = engine;
        this.rows = rows;
    }

    void rotary(CudaTensor qkv, CudaBatch batch, RotaryParameters parameters) {
        int longest = Arrays.stream(batch.packed().positions()).max().orElse(0) + 1;
        RotaryTables tables = tables(parameters, longest);
        engine.pass().uses(tables.cos);
        engine.pass().uses(tables.sin);
        engine.launcher()
                .kernel(DeviceTypes.kernel("sgpt_rotary", qkv.type()))
                .pointer(qkv.address())
                .pointer(batch.address(batch.index().positions()))
                .pointer(tables.cos.address())
                .pointer(tables.sin.address())
                .int32(qkv.rows())
                .int32(parameters.heads() + parameters.kvHeads())
                .int32(parameters.headDim())
                .int32(parameters.rotaryDim())
                .int32(qkv.columns())
                .int32(parameters.interleaved() ? 1 : 0)
                .run(engine.geometry().rotary(qkv.rows()));
    }

    /// Tables for at least `positions` positions.
    private RotaryTables tables(RotaryParameters parameters, int positions) {
        for (RotaryTables tables : rotary) {
            if (tables.positions >= positions && tables.parameters.sameAngles(parameters)) {
                return tables;
            }
        }
        rotary.removeIf(tables -> {
            boolean shorter = tables.parameters.sameAngles(parameters);
            if (shorter) {
                tables.close();
            }
            return shorter;
        });
        if (rotary.size() == MAX_TABLES) {
            rotary.removeLast().close();
        }
        RotaryTables made =
                compute(parameters, (int) Math.min(Integer.MAX_VALUE, 2L * Integer.highestOneBit(positions)));
        rotary.addFirst(made);
        return made;
    }

    private RotaryTables compute(RotaryParameters parameters, int positions) {
        RotaryParameters.Angles angles = parameters.angles(positions);
        return new RotaryTables(parameters, positions, rows.floats(angles.cos()), rows.floats(angles.sin()));
    }

    /// Address of the ALiBi slopes, or 0 if there are none.
    long slopes(AttentionParameters p) {
        if (p.slopes().length == 0) {
            return 0;
        }
        return slopes.computeIfAbsent(new Slopes(p.slopes()), s -> rows.floats(s.values()))
                .address();
    }

    void attention(CudaTensor qkv, CudaBatch batch, AttentionParameters p, CudaTensor out) {
        BatchIndex index = batch.index();
        long alibi = slopes(p);
        Geometry.Attention kernel =
                engine.geometry().attention(qkv.type(), p.headDim(), p.softcap() > 0, index.tileCount(), p.heads());
        engine.launcher()
                .kernel(kernel.name())
                .pointer(qkv.address())
                .pointer(batch.address(index.positions()))
                .pointer(batch.address(index.starts()))
                .pointer(p.bidirectional() ? batch.address(index.ends()) : 0)
                .pointer(batch.address(index.tiles()))
                .pointer(batch.address(index.runs()))
                .pointer(alibi)
                .pointer(out.address())
                .int32(p.heads())
                .int32(p.kvHeads())
                .int32(p.headDim())
                .int32(qkv.columns())
                .int32(out.columns())
                .int32(batch.packed().cachedTokens())
                .int32(p.window())
                .float32(p.scale())
                .float32(p.softcap())
                .run(kernel.launch());
    }
}
