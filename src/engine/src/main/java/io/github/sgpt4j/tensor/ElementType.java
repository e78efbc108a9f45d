package io.github.sgpt4j.tensor;

/// Element types of tensors, named as in the safetensors format. Files hold all of them; the engine computes with
/// F32, F16 and BF16.
public enum ElementType {
    BOOL(8),
    F4(4),
    F6_E2M3(6),
    F6_E3M2(6),
    U8(8),
    I8(8),
    F8_E4M3(8),
    F8_E5M2(8),
    F8_E8M0(8),
    F8_E4M3FNUZ(8),
    F8_E5M2FNUZ(8),
    I16(16),
    U16(16),
    F16(16),
    BF16(16),
    I32(32),
    U32(32),
    F32(32),
    C64(64),
    I64(64),
    U64(64),
    F64(64);

    private final int bits;

    ElementType(int bits) {
        this.bits = bits;
    }

    /// Bytes per element.
    ///
    /// @throws IllegalStateException if an element takes no whole bytes: F4 and F6 are packed
    public int bytes() {
        if (bits % Byte.SIZE != 0) {
            throw new IllegalStateException("an element of %s takes %d bits".formatted(this, bits));
        }
        return bits / Byte.SIZE;
    }

    /// Bytes that so many elements take.
    ///
    /// @throws ArithmeticException if these are no whole bytes, or more than a `long` counts
    public long bytes(long elements) {
        if (bits % Byte.SIZE == 0) {
            return Math.multiplyExact(elements, (long) (bits / Byte.SIZE));
        }
        long total = Math.multiplyExact(elements, (long) bits);
        if (total % Byte.SIZE != 0) {
            throw new ArithmeticException("%d elements of %s take no whole bytes".formatted(elements, this));
        }
        return total / Byte.SIZE;
    }

    /// Bytes that a matrix `[rows, columns]` takes.
    ///
    /// @throws ArithmeticException as [#bytes(long)]
    public long bytes(long rows, long columns) {
        return bytes(Math.multiplyExact(rows, columns));
    }

    /// Whether the engine computes with weights of this type: F32, F16, BF16.
    public boolean isWeight() {
        return this == F32 || this == F16 || this == BF16;
    }
}
