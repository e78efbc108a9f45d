package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.cuda.device.DeviceTypes;
import io.github.sgpt4j.backend.cuda.ffi.Streams;
import io.github.sgpt4j.backend.cuda.memory.DeviceBuffer;
import io.github.sgpt4j.backend.cuda.memory.PinnedBuffer;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.WeightTensor;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Brings weights from their mapped files to the device: a chunk at a time through two pinned buffers, so that one is
/// filled while the other is copied, and converted, stacked and transposed there. Equal requests share memory, such as
/// those of an embedding table that is the output head as well. Weights stay until the backend is closed.
final class WeightStore {
    private static final long CHUNK_BYTES = 16L << 20;
    private static final int CHUNKS = 2;

    /// @param fromOne whether 1 is added to every element
    private record Key(List<MatrixRowsKey> parts, ElementType target, boolean fromOne) {}

    /// Identity of stored rows: tensor and bytes, not the object that describes them. Bytes alone are
    /// not enough: random weights all lie in the same ones, and copies that layers shared would be
    /// faster to read than those of a model.
    private record MatrixRowsKey(
            String name, long address, long bytes, boolean transposed, int first, int run, int stride, int count) {
        static MatrixRowsKey of(MatrixRows rows) {
            MemorySegment data = rows.tensor().data();
            return new MatrixRowsKey(
                    rows.tensor().name(),
                    data.address(),
                    data.byteSize(),
                    rows.transposed(),
                    rows.first(),
                    rows.run(),
                    rows.stride(),
                    rows.count());
        }
    }

    private final CudaEngine engine;
    private final Map<Key, DeviceBuffer> kept = new HashMap<>();
    private final Map<List<MatrixRowsKey>, Quantised> quantised = new HashMap<>();
    /// Bytes of weights that are to come and that have come.
    private long announced;

    private long uploaded;

    WeightStore(CudaEngine engine) {
        this.engine = engine;
    }

    /// Weights that will come to the device when they are first used.
    void announce(long bytes) {
        announced += bytes;
    }

    /// Bytes of the weights that have been announced and are still to come.
    long missing() {
        return Math.max(0, announced - uploaded);
    }

    /// The parts' rows, stacked, `[out, in]`, in a type.
    DeviceBuffer matrix(List<MatrixRows> parts, ElementType target) {
        return matrix(parts, target, false);
    }

    private DeviceBuffer matrix(List<MatrixRows> parts, ElementType target, boolean fromOne) {
        Key key = new Key(parts.stream().map(MatrixRowsKey::of).toList(), target, fromOne);
        DeviceBuffer known = kept.get(key);
        if (known == null) {
            known = upload(parts, target, fromOne);
            kept.put(key, known);
        }
        return known;
    }

    /// All elements of a matrix or vector as stored, in a type.
    DeviceBuffer whole(WeightTensor tensor, ElementType target) {
        return matrix(List.of(MatrixRows.all(tensor)), target);
    }

    /// All elements of a vector, and 1 added to each, as 32-bit floats. Not shared with what [#whole] gives.
    DeviceBuffer fromOne(WeightTensor tensor) {
        return matrix(List.of(MatrixRows.all(tensor)), ElementType.F32, true);
    }

    /// Brings what is on the device of these parts, in 16 and 32 bits, over again; what was called before sees the old
    /// values, what follows the new ones. The memory they are stored in may change again afterwards.
    void reload(List<MatrixRows> parts) {
        List<MatrixRowsKey> stored = parts.stream().map(MatrixRowsKey::of).toList();
        for (ElementType target : ElementType.values()) {
            for (boolean fromOne : new boolean[] {false, true}) {
                DeviceBuffer known = kept.get(new Key(stored, target, fromOne));
                if (known != null) {
                    transfer(parts, target, fromOne, known.address());
                }
            }
        }
    }

    /// As [#reload], of a whole matrix or vector.
    void reload(WeightTensor tensor) {
        reload(List.of(MatrixRows.all(tensor)));
    }

    /// The parts' rows, stacked, `[out, in]`, in 8 bits with a scale for each; all parts are matrices.
    Quantised quantised(List<MatrixRows> parts) {
        List<MatrixRowsKey> key = parts.stream().map(MatrixRowsKey::of).toList();
        Quantised known = quantised.get(key);
        if (known == null) {
            known = uploadQuantised(parts);
            quantised.put(key, known);
        }
        return known;
    }

    /// A row must be whole before its scale is known, so each part comes over in its own type first.
    private Quantised uploadQuantised(List<MatrixRows> parts) {
        long rows = 0;
        for (MatrixRows part : parts) {
            rows += part.count();
        }
        int in = parts.getFirst().in();
        Quantised result = Quantised.allocateExactly(engine, rows, in);
        try {
            fill(result, parts, in);
            return result;
        } catch (RuntimeException | Error e) {
            result.close();
            throw e;
        }
    }

    private void fill(Quantised matrix, List<MatrixRows> parts, int in) {
        long row = 0;
        for (MatrixRows part : parts) {
            ElementType stored = DeviceTypes.of(part.tensor());
            try (DeviceBuffer whole = engine.memory().take(stored.bytes(part.count(), in), engine.compute())) {
                new Transfer(part, stored, in).run(whole.address(), 0);
                Quantised.run(
                        engine,
                        whole.address(),
                        stored,
                        part.count(),
                        in,
                        matrix.values().address() + ElementType.F8_E4M3.bytes(row, in),
                        matrix.scales().address() + row * Float.BYTES);
            }
            row += part.count();
        }
    }

    private DeviceBuffer upload(List<MatrixRows> parts, ElementType target, boolean fromOne) {
        long rows = 0;
        for (MatrixRows part : parts) {
            rows += part.count();
        }
        int in = parts.getFirst().in();
        DeviceBuffer buffer = engine.memory().takeExactly(target.bytes(rows, in), engine.compute());
        try {
            transfer(parts, target, fromOne, buffer.address());
            uploaded += target.bytes(rows, in);
            return buffer;
        } catch (RuntimeException | Error e) {
            buffer.close();
            throw e;
        }
    }

    private void transfer(List<MatrixRows> parts, ElementType target, boolean fromOne, long matrix) {
        long row = 0;
        for (MatrixRows part : parts) {
            new Transfer(part, target, part.in()).run(matrix, row);
            row += part.count();
        }
        if (fromOne) {
            addOne(matrix, Math.multiplyExact(row, parts.getFirst().in()));
        }
    }

    /// Adds 1 to so many 32-bit floats.
    private void addOne(long values, long count) {
        try (DeviceBuffer ones = engine.memory().take(ElementType.F32.bytes(1, count), engine.compute())) {
            Streams.fill(ones.address(), Float.floatToIntBits(1f), count, engine.compute());
            int columns = Math.toIntExact(count);
            engine.launcher()
                    .kernel(DeviceTypes.kernel("sgpt_activation", ElementType.F32, ElementType.F32))
                    .pointer(ones.address())
                    .pointer(0)
                    .pointer(values)
                    .int32(1)
                    .int32(columns)
                    .int32(columns)
                    .int32(columns)
                    .int32(Activation.NONE.ordinal())
                    .int32(1)
                    .run(engine.geometry().rows(1, columns, ElementType.F32, ElementType.F32));
        }
    }

    /// One part on its way to rows `[row, row + part.count)` of a matrix.
    private final class Transfer {
        private final MatrixRows part;
        private final ElementType stored;
        private final ElementType target;
        private final int in;

        Transfer(MatrixRows part, ElementType target, int in) {
            this.part = part;
            this.stored = DeviceTypes.of(part.tensor());
            this.target = target;
            this.in = in;
        }

        void run(long matrix, long row) {
            // Rows that come over at a time: of the result, or of the stored matrix if that is the other way round.
            long rowBytes = stored.bytes(1, part.transposed() ? part.count() : in);
            long rows = part.transposed() ? in : part.count();
            long together = Math.clamp(CHUNK_BYTES / rowBytes, 1, rows);
            for (long from = 0; from < rows; from += together) {
                long count = Math.min(together, rows - from);
                send(matrix, row, from, count, rowBytes * count);
            }
        }

        private void send(long matrix, long row, long from, long count, long bytes) {
            PinnedBuffer staging = engine.pinned().takeOneOf(CHUNKS, Math.max(bytes, CHUNK_BYTES));
            try {
                if (part.transposed()) {
                    gatherColumns(staging.memory(), from, count);
                } else {
                    gatherRows(staging.memory(), from, count);
                }
                WeightTensor.settle();
                if (part.transposed() || stored != target) {
                    convert(staging.memory(), bytes, matrix, row, from, count);
                } else {
                    Streams.copyIn(matrix + target.bytes(row + from, in), staging.memory(), bytes, engine.compute());
                }
            } finally {
                engine.pinned().give(staging, engine.compute());
            }
        }

        private void convert(MemorySegment staging, long bytes, long matrix, long row, long from, long count) {
            try (DeviceBuffer raw = engine.memory().take(bytes, engine.compute())) {
                Streams.copyIn(raw.address(), staging, bytes, engine.compute());
                if (part.transposed()) {
                    transpose(raw.address(), matrix + target.bytes(row, in) + target.bytes(1, from), count);
                } else {
                    Conversions.plain(
                            engine, raw.address(), stored, count * in, matrix + target.bytes(row + from, in), target);
                }
            }
        }

        private void transpose(long raw, long out, long columns) {
            engine.launcher()
                    .kernel(DeviceTypes.kernel("sgpt_transpose", stored, target))
                    .pointer(raw)
                    .pointer(out)
                    .int64(part.count())
                    .int64(columns)
                    .int64(part.count())
                    .int64(in)
                    .int64(0)
                    .int64(part.count())
                    .int64(part.count())
                    .run(engine.geometry().transpose(part.count(), columns));
        }

        /// Logical rows `[from, from + count)` without the gaps between runs.
        private void gatherRows(MemorySegment to, long from, long count) {
            MemorySegment data = part.tensor().data();
            long at = 0;
            long row = from;
            while (row < from + count) {
                long left = part.run() - row % part.run();
                long some = Math.min(left, from + count - row);
                long bytes = stored.bytes(some, in);
                MemorySegment.copy(data, stored.bytes(part.source(Math.toIntExact(row)), in), to, at, bytes);
                at += bytes;
                row += some;
            }
        }

        /// The chosen columns of stored rows `[from, from + count)`.
        private void gatherColumns(MemorySegment to, long from, long count) {
            MemorySegment data = part.tensor().data();
            long width = part.tensor().shape().dimension(1);
            long at = 0;
            for (long k = from; k < from + count; k++) {
                for (int row = 0; row < part.count(); row += part.run()) {
                    long bytes = stored.bytes(1, part.run());
                    MemorySegment.copy(data, stored.bytes(1, k * width + part.source(row)), to, at, bytes);
                    at += bytes;
                }
            }
        }
    }
}
