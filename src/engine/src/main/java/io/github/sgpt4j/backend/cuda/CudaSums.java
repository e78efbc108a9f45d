package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.Download;
import io.github.sgpt4j.backend.OperandChecks;
import io.github.sgpt4j.backend.Sums;
import io.github.sgpt4j.backend.cuda.ffi.Streams;

/// Sums of 32-bit floats on the device. Rows are read in groups, and a group is kept until sums change.
final class CudaSums implements Sums {
    /// Floats that are read at a time, unless a row has more.
    private static final int READ = 1 << 20;

    private final CudaEngine engine;
    private final CudaTensor values;
    /// The rows from `firstRead` on that were read last.
    private float[] read = new float[0];

    private int firstRead;

    /// Zero. Runs under the engine's lock.
    CudaSums(CudaEngine engine, int rows, int columns) {
        this.engine = engine;
        values = Conversions.full(engine, rows, columns);
        fill();
    }

    private void fill() {
        Streams.fill(values.address(), 0, (long) rows() * columns(), engine.pass().stream());
    }

    /// The sums, to be added to.
    ///
    /// @throws IllegalStateException if they are closed
    CudaTensor changing() {
        values.address();
        read = new float[0];
        return values;
    }

    @Override
    public int rows() {
        return values.rows();
    }

    @Override
    public int columns() {
        return values.columns();
    }

    @Override
    public void read(int row, double[] target) {
        OperandChecks.readSums(this, row, target);
        values.address();
        if (engine.isClosed()) {
            throw new IllegalStateException(engine.name() + " backend is closed");
        }
        if (row < firstRead || row >= firstRead + read.length / columns()) {
            int together = Math.max(1, READ / columns());
            int first = row / together * together;
            read = download(first, Math.min(together, rows() - first));
            firstRead = first;
        }
        int from = (row - firstRead) * columns();
        for (int c = 0; c < target.length; c++) {
            target[c] = read[from + c];
        }
    }

    private float[] download(int first, int count) {
        CudaTensor some = (CudaTensor) values.slice(first, count);
        try (Download download = engine.call(() -> CudaDownload.beside(engine, some))) {
            return download.get();
        }
    }

    @Override
    public void clear() {
        changing();
        engine.run(this::fill);
    }

    @Override
    public void close() {
        values.close();
    }
}
