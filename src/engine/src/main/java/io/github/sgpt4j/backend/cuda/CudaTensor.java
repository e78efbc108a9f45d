package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.backend.cuda.memory.DeviceBuffer;
import io.github.sgpt4j.tensor.ElementType;
import org.jspecify.annotations.Nullable;

/// Row-major values without gaps in device memory. Views share the memory of the tensor they were cut from, and its
/// end.
final class CudaTensor implements Tensor {
    private final DeviceBuffer buffer;
    private final long offset;
    private final int rows;
    private final int columns;
    private final ElementType type;
    private final @Nullable CudaTensor root;
    private boolean closed;
    /// The same rows in 8 bits, if a product has needed them or the kernel that wrote them made both; of whole tensors.
    private @Nullable Quantised quantised;

    CudaTensor(DeviceBuffer buffer, int rows, int columns, ElementType type) {
        this(buffer, 0, rows, columns, type, null);
    }

    private CudaTensor(
            DeviceBuffer buffer, long offset, int rows, int columns, ElementType type, @Nullable CudaTensor root) {
        this.buffer = buffer;
        this.offset = offset;
        this.rows = rows;
        this.columns = columns;
        this.type = type;
        this.root = root;
    }

    /// @throws IllegalStateException if the tensor is closed
    long address() {
        return buffer().address() + offset;
    }

    /// The memory that holds this tensor.
    ///
    /// @throws IllegalStateException if the tensor is closed
    DeviceBuffer buffer() {
        CudaTensor owner = root == null ? this : root;
        if (owner.closed) {
            throw new IllegalStateException("tensor [%d, %d] is closed".formatted(rows, columns));
        }
        return buffer;
    }

    /// The same values, in memory that stays until the result is closed too.
    CudaTensor retained() {
        return new CudaTensor(buffer().retain(), offset, rows, columns, type, null);
    }

    /// Whether this is no view.
    boolean isWhole() {
        return root == null;
    }

    /// The rows in 8 bits, if there are any that belong to what is here now. For the time until this tensor is written
    /// or closed.
    @Nullable
    Quantised quantised() {
        return quantised;
    }

    /// Keeps the rows in 8 bits of what is here, or will be when the work queued so far is done; takes them over.
    void keep(Quantised rows) {
        forgetQuantised();
        quantised = rows;
    }

    /// Before this tensor, or a view of it, is written.
    void forgetQuantised() {
        CudaTensor owner = root == null ? this : root;
        Quantised old = owner.quantised;
        owner.quantised = null;
        if (old != null) {
            old.close();
        }
    }

    ElementType type() {
        return type;
    }

    long bytes() {
        return type.bytes(rows, columns);
    }

    @Override
    public int rows() {
        return rows;
    }

    @Override
    public int columns() {
        return columns;
    }

    @Override
    public Tensor slice(int from, int count) {
        if (from < 0 || count < 1 || count > rows - from) {
            throw new IllegalArgumentException("rows [%d, %d) of %d".formatted(from, (long) from + count, rows));
        }
        return new CudaTensor(
                buffer(), offset + type.bytes(from, columns), count, columns, type, root == null ? this : root);
    }

    @Override
    public void close() {
        if (root == null && !closed) {
            closed = true;
            forgetQuantised();
            buffer.close();
        }
    }

    @Override
    public String toString() {
        return "[%d, %d]".formatted(rows, columns);
    }
}
