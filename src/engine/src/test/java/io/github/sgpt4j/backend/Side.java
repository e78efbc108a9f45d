package io.github.sgpt4j.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.sgpt4j.backend.reference.ReferenceBackend;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.WeightTensor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/// One of the two backends that run an operation on the same inputs. Closing it closes everything
/// it created.
///
/// Half of the tensors are views of the middle of a larger one. An input is surrounded by NaNs, an
/// output by marks that must be unchanged afterwards; an output itself starts as NaN or as
/// undefined memory.
final class Side implements AutoCloseable {
    private static final int MARGIN = 2;
    private static final float MARK = 123456f;

    private final Backend backend;
    private final TestData layout;
    private final WeightRounding rounding;
    private final Optional<ElementType> inner;
    private final Deque<AutoCloseable> made = new ArrayDeque<>();
    private final List<Tensor> guarded = new ArrayList<>();

    /// Rounds weights as this side's backend should see them.
    interface WeightRounding {
        WeightTensor apply(WeightTensor weight);
    }

    /// @param inner the type that inputs are rounded to, or empty for none
    Side(Backend backend, TestData layout, WeightRounding rounding, Optional<ElementType> inner) {
        this.inner = inner;
        this.backend = backend;
        this.layout = layout;
        this.rounding = rounding;
    }

    Backend backend() {
        return backend;
    }

    /// `[rows, columns]` to be read.
    Tensor in(float[] values, int rows, int columns) {
        float[] rounded = rounded(values);
        return layout.flip() ? inMargins(rounded, rows, columns, Float.NaN) : inner(plain(rounded, rows, columns));
    }

    private float[] rounded(float[] values) {
        if (inner.isEmpty()) {
            return values;
        }
        float[] rounded = values.clone();
        for (int i = 0; i < rounded.length; i++) {
            rounded[i] = TestWeights.round(rounded[i], inner.get());
        }
        return rounded;
    }

    /// The tensor in the type of values between products.
    private Tensor inner(Tensor x) {
        if (inner.isEmpty()) {
            return x;
        }
        Tensor copy = keep(backend.allocateInner(x.rows(), x.columns()));
        backend.copy(x, copy);
        return copy;
    }

    /// `[rows, columns]` to be overwritten.
    Tensor out(int rows, int columns) {
        if (layout.flip()) {
            return keep(backend.allocateInner(rows, columns));
        }
        float[] undefined = new float[Math.multiplyExact(rows, columns)];
        Arrays.fill(undefined, Float.NaN);
        return inOut(undefined, rows, columns);
    }

    /// `[rows, columns]` to be changed.
    Tensor inOut(float[] values, int rows, int columns) {
        return layout.flip() ? inMargins(values, rows, columns, MARK) : plain(values, rows, columns);
    }

    /// As [#inOut], in the type of values between products.
    Tensor innerInOut(float[] values, int rows, int columns) {
        return inner.isEmpty() ? inOut(values, rows, columns) : inner(plain(rounded(values), rows, columns));
    }

    private Tensor plain(float[] values, int rows, int columns) {
        return keep(backend.upload(values, rows, columns));
    }

    private Tensor inMargins(float[] values, int rows, int columns, float margin) {
        float[] all = new float[(rows + 2 * MARGIN) * columns];
        Arrays.fill(all, margin);
        System.arraycopy(values, 0, all, MARGIN * columns, values.length);
        Tensor whole = keep(backend.upload(all, rows + 2 * MARGIN, columns));
        if (margin == MARK) {
            guarded.add(whole);
            return whole.slice(MARGIN, rows);
        }
        return inner(whole).slice(MARGIN, rows);
    }

    Batch batch(PackedBatch packed) {
        Batch batch = backend.upload(packed);
        made.push(batch);
        return batch;
    }

    Linear linear(List<MatrixRows> weight, List<MatrixRows> bias) {
        return backend.linear(weight.stream().map(this::rounded).toList(), bias);
    }

    private MatrixRows rounded(MatrixRows rows) {
        return new MatrixRows(
                rounding.apply(rows.tensor()),
                rows.transposed(),
                rows.first(),
                rows.run(),
                rows.stride(),
                rows.count());
    }

    /// A matrix `[out, in]` stored as F32 without bias.
    Linear linear(WeightTensor weight) {
        return linear(List.of(MatrixRows.all(weight)), List.of());
    }

    /// A tensor's values; checks that nothing was written around any output.
    double[] values(Tensor x) {
        guarded.forEach(this::checkMargins);
        return plainValues(x);
    }

    private double[] plainValues(Tensor x) {
        if (backend instanceof ReferenceBackend reference) {
            return reference.values(x);
        }
        float[] floats = backend.download(x);
        assertEquals(x.rows() * x.columns(), floats.length, "download of [%d, %d]".formatted(x.rows(), x.columns()));
        return Doubles.of(floats);
    }

    private void checkMargins(Tensor whole) {
        double[] margins = new double[MARGIN * whole.columns()];
        Arrays.fill(margins, MARK);
        Tolerance.EXACT.check("rows before the output", margins, plainValues(whole.slice(0, MARGIN)), whole.columns());
        Tensor after = whole.slice(whole.rows() - MARGIN, MARGIN);
        Tolerance.EXACT.check("rows after the output", margins, plainValues(after), whole.columns());
    }

    private Tensor keep(Tensor tensor) {
        made.push(tensor);
        return tensor;
    }

    /// The rounding of weights that a backend keeps in a narrower type.
    static WeightRounding roundingTo(ElementType kept, TestWeights weights) {
        return weight -> {
            float[] values = weights.values(weight);
            for (int i = 0; i < values.length; i++) {
                values[i] = TestWeights.round(values[i], kept);
            }
            long[] dimensions = new long[weight.shape().rank()];
            Arrays.setAll(dimensions, weight.shape()::dimension);
            return weights.tensor(ElementType.F32, values, dimensions);
        };
    }

    @Override
    public void close() {
        while (!made.isEmpty()) {
            try {
                made.pop().close();
            } catch (Exception e) {
                throw new AssertionError("close failed", e);
            }
        }
    }
}
