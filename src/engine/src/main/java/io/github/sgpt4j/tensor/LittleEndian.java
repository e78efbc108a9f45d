package io.github.sgpt4j.tensor;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Layouts of stored numbers: little-endian, without alignment.
public final class LittleEndian {
    /// Two bytes: the bits of an F16, BF16 or 16-bit integer.
    public static final ValueLayout.OfShort I16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// Four bytes: a 32-bit integer or the bits of an F32.
    public static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// Eight bytes: a 64-bit integer or the bits of an F64.
    public static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// Four bytes: an F32.
    public static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// Eight bytes: an F64.
    public static final ValueLayout.OfDouble F64 = ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private LittleEndian() {}
}
