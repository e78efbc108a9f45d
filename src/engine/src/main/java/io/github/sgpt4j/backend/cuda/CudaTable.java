package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.Table;
import io.github.sgpt4j.backend.cuda.device.DeviceTypes;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.WeightTensor;

/// A lookup table, in the type it is stored in; it goes to the device when it is first used.
final class CudaTable implements Table {
    private final CudaEngine engine;
    private final WeightTensor weight;
    private final ElementType type;
    private final int rows;
    private final int columns;
    /// 0 until it is needed; under the engine's lock.
    private long address;

    CudaTable(CudaEngine engine, WeightTensor weight) {
        this.engine = engine;
        this.weight = weight;
        type = DeviceTypes.of(weight);
        Table.requireMatrix(weight);
        rows = Math.toIntExact(weight.shape().dimension(0));
        columns = Math.toIntExact(weight.shape().dimension(1));
        engine.weights().announce(type.bytes(rows, columns));
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
    public WeightTensor stored() {
        return weight;
    }

    /// Reads the table again from where it is stored.
    void reload() {
        engine.weights().reload(weight);
    }

    ElementType type() {
        return type;
    }

    /// Address of `[rows, columns]`.
    long address() {
        if (address == 0) {
            address = engine.weights().whole(weight, type).address();
        }
        return address;
    }
}
