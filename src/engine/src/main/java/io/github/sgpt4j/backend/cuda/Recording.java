package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.backend.Download;
import io.github.sgpt4j.backend.cuda.ffi.Graphs;
import io.github.sgpt4j.backend.cuda.ffi.Streams;
import io.github.sgpt4j.backend.cuda.memory.DeviceBuffer;
import io.github.sgpt4j.backend.cuda.memory.PinnedBuffer;
import io.github.sgpt4j.backend.cuda.memory.RecordedMemory;
import io.github.sgpt4j.batch.PackedBatch;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A pass in memory of its own, which can be repeated as a CUDA graph. Batches differ in their ids only: these are
/// copied to their place before each launch, and the result is copied from its place behind it, all on the compute
/// stream. Closing gives the memory back; what is queued still runs. Runs under the engine's lock.
final class Recording implements PassContext, AutoCloseable {
    /// Index arrays, which stay where they are. All but the batch's are the same each time.
    private record Kept(int[] data, DeviceBuffer buffer) implements IndexArrays.Memory {
        @Override
        public long address() {
            return buffer.address();
        }

        @Override
        public void close() {}
    }

    private final CudaEngine engine;
    private final PackedBatch packed;
    private final BatchIndex index;
    private final RecordedMemory memory;
    /// The batch's index arrays first.
    private final List<Kept> kept = new ArrayList<>();
    private final List<DeviceBuffer> used = new ArrayList<>();
    private @Nullable CudaTensor result;
    private int uploads;
    /// The stream that records now, or 0.
    private long recorder;
    /// The executable graph, 0 until there is one.
    private long graph;

    /// @param packed one of the batches
    Recording(CudaEngine engine, PackedBatch packed) {
        this.engine = engine;
        this.packed = packed;
        index = BatchIndex.of(packed, engine.device().multiprocessors());
        memory = new RecordedMemory(engine.memory(), engine.compute(), this::stream);
    }

    /// Computes the pass for the batch that this was made with: what kernels and products need the first time is made
    /// ready outside of the graph.
    Download compute(Function<Batch, Download> pass) {
        return engine.within(this, () -> pass.apply(new CudaBatch(packed, index, upload(index.data()))));
    }

    boolean isRecorded() {
        return graph != 0;
    }

    /// Records the same pass.
    ///
    /// @param stream that nothing else uses
    void record(long stream, Function<Batch, Download> pass) {
        forgetResult();
        recorder = stream;
        try {
            graph = Graphs.record(
                    stream,
                    () -> engine.within(this, () -> pass.apply(new CudaBatch(packed, index, upload(index.data())))));
        } finally {
            recorder = 0;
        }
    }

    /// Computes the pass for a batch with other ids.
    Download launch(int[] ids) {
        send(ids, kept.getFirst().address() + (long) index.ids() * Integer.BYTES);
        Graphs.launch(graph, engine.compute());
        return download();
    }

    @Override
    public long stream() {
        return isRecording() ? recorder : engine.compute();
    }

    @Override
    public DeviceBuffer take(long bytes) {
        return memory.take(bytes);
    }

    @Override
    public IndexArrays.Memory upload(int[] data) {
        if (!isRecording()) {
            // Not what the pass has given back: it takes that again when it is recorded.
            Kept made = new Kept(data, engine.memory().take((long) data.length * Integer.BYTES, engine.compute()));
            kept.add(made);
            send(data, made.address());
            return made;
        }
        if (uploads == kept.size() || !Arrays.equals(kept.get(uploads).data, data)) {
            throw new IllegalStateException("a recorded pass has other index arrays than it had before");
        }
        return kept.get(uploads++);
    }

    private void send(int[] data, long target) {
        long bytes = (long) data.length * Integer.BYTES;
        PinnedBuffer host = engine.pinned().take(bytes);
        MemorySegment.copy(data, 0, host.memory(), ValueLayout.JAVA_INT, 0, data.length);
        try {
            Streams.copyIn(target, host.memory(), bytes, engine.compute());
        } finally {
            engine.pinned().give(host, engine.compute());
        }
    }

    @Override
    public Download startDownload(CudaTensor x) {
        forgetResult();
        result = x.retained();
        return isRecording() ? Download.of(new float[0]) : download();
    }

    private Download download() {
        CudaTensor values = result;
        if (values == null) {
            throw new IllegalStateException("a recorded pass gives no result");
        }
        return CudaDownload.inOrder(engine, values);
    }

    private void forgetResult() {
        if (result != null) {
            result.close();
            result = null;
        }
    }

    @Override
    public void uses(DeviceBuffer buffer) {
        if (isRecording()) {
            used.add(buffer.retain());
        }
    }

    @Override
    public boolean isRecording() {
        return recorder != 0;
    }

    @Override
    public void close() {
        if (graph != 0) {
            Graphs.destroy(graph);
            graph = 0;
        }
        used.forEach(DeviceBuffer::close);
        used.clear();
        kept.forEach(each -> each.buffer.close());
        kept.clear();
        memory.close();
    }
}
