package io.github.sgpt4j.backend.cuda.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.cuda.device.DeviceInfo;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.tensor.ElementType;
import org.junit.jupiter.api.Test;

/// Launches as `kernels/README.md` asks for them, without a device.
class GeometryTest {
    private static final int[] SIZES = {1, 2, 3, 31, 32, 33, 127, 128, 129, 768, 1023, 1024, 4096, 16384, 50257, 250880
    };

    private static DeviceInfo device(int capability) {
        return new DeviceInfo(0, "test", 1L << 33, capability, 108, 1024, Integer.MAX_VALUE, 65535, 65535, 65536);
    }

    private final Geometry geometry = new Geometry(device(90));

    @Test
    void rowsAreCoveredByVectorsOfThreads() {
        for (int columns : SIZES) {
            for (int rows : new int[] {1, 65535, 65536, 1_000_000}) {
                Launch wide = geometry.rows(rows, columns, ElementType.F32, ElementType.BF16);
                Launch narrow = geometry.rows(rows, columns, ElementType.BF16, ElementType.F16);
                assertTrue((long) wide.gridX() * wide.blockX() * 4 >= columns);
                assertTrue((long) (wide.gridX() - 1) * wide.blockX() * 4 < columns);
                assertTrue((long) narrow.gridX() * narrow.blockX() * 8 >= columns);
                assertEquals(Math.min(rows, 65535), wide.gridY());
                assertEquals(0, wide.blockX() % 32);
                assertTrue(wide.blockX() <= 128);
            }
        }
    }

    @Test
    void normsGiveARowUpTo1024Threads() {
        assertEquals(new Launch(3, 1, 32, 4, 0), geometry.norm(12, 512));
        assertEquals(new Launch(6, 1, 64, 2, 16), geometry.norm(12, 768));
        assertEquals(new Launch(12, 1, 256, 1, 32), geometry.norm(12, 4096));
        assertEquals(new Launch(1, 1, 1024, 1, 128), geometry.norm(1, 100_000));
        assertEquals(new Launch(1, 1, 32, 4, 0), geometry.norm(1, 1));
    }

    @Test
    void attentionGoesToTensorCoresWhereTheTypeHasThem() {
        assertEquals("sgpt_attention_mma64_bf16", name(90, ElementType.BF16, 64));
        assertEquals("sgpt_attention_mma128_bf16", name(80, ElementType.BF16, 65));
        assertEquals("sgpt_attention_mma256_f16", name(75, ElementType.F16, 129));
        assertEquals("sgpt_attention_general128_bf16", name(75, ElementType.BF16, 64));
        assertEquals("sgpt_attention_general128_f16", name(90, ElementType.F16, 257));
        assertEquals("sgpt_attention_general64_f32", name(90, ElementType.F32, 64));
        assertEquals("sgpt_attention_general128_f32", name(90, ElementType.F32, 65));
        assertEquals(
                new Launch(24, 1, 128, 1, 65536),
                geometry.attention(ElementType.BF16, 256, false, 6, 4).launch());
        assertEquals(
                new Geometry.Attention("sgpt_attention_mma_bounded_bf16", new Launch(24, 1, 128, 1, 65536)),
                geometry.attention(ElementType.BF16, 64, true, 6, 4));
        assertEquals(
                geometry.attention(ElementType.F32, 64, false, 6, 4),
                geometry.attention(ElementType.F32, 64, true, 6, 4));
        assertEquals(
                new Launch(24, 3, 256, 1, 34816),
                geometry.attention(ElementType.F32, 300, false, 6, 4).launch());
    }

    private static String name(int capability, ElementType type, int headDim) {
        return new Geometry(device(capability))
                .attention(type, headDim, false, 1, 1)
                .name();
    }

    @Test
    void poolingNeedsScratchForSequencesOfSeveralSlices() {
        assertEquals(0, Geometry.poolScratch(64, 1, 64, 768, 2));
        assertEquals((130L / 64 + 2) * 2 * 768, Geometry.poolScratch(130, 2, 65, 768, 2));
        assertEquals(new Launch(2, 2, 256, 1, 512), geometry.pool(2, 65));
        assertEquals(new Launch(2, 6, 128, 1, 0), geometry.poolFinish(2, 768));
    }

    @Test
    void sumsAreDividedIntoAtMostAThousandSlices() {
        assertEquals(256, Geometry.sumSlice(1));
        assertEquals(256, Geometry.sumSlice(256 * 1024));
        assertEquals(257, Geometry.sumSlice(256 * 1024 + 1));
        assertEquals(new Launch(6, 3, 32, 8, 4096), geometry.sums(3, 768));
        assertEquals(new Launch(7, 1, 128, 1, 0), geometry.sumsFinish(769));
    }

    @Test
    void gradientsOfAttentionAreComputed64ColumnsAtATime() {
        assertEquals(new Launch(24, 1, 256, 1, 34816), geometry.attentionGradient(6, 4, 64));
        assertEquals(new Launch(24, 5, 256, 1, 34816), geometry.attentionGradient(6, 4, 257));
        assertEquals(new Launch(2, 6, 128, 1, 64), geometry.poolGradient(2, 768));
        assertEquals(new Launch(2, 1, 256, 1, 0), geometry.statistics(9));
    }

    @Test
    void logitsOfFewRowsAreSplit() {
        assertEquals(1, geometry.logitSplits(4096, 4096));
        assertEquals(25, geometry.logitSplits(1, 50257));
        assertEquals(64, geometry.logitSplits(1, 250880));
        assertEquals(1, geometry.logitSplits(1, 97));
    }

    @Test
    void transposesGoInSquares() {
        assertEquals(new Launch(3, 2, 32, 8, 4224), geometry.transpose(65, 33));
        assertEquals(65535, geometry.transpose(1, Integer.MAX_VALUE).gridY());
    }

    @Test
    void whatADeviceCannotStartIsRefused() {
        DeviceInfo small = new DeviceInfo(1, "small", 1, 75, 1, 256, 1000, 65535, 65535, 49152);
        Geometry limited = new Geometry(small);
        assertThrows(BackendException.class, () -> limited.norm(1, 100_000));
        assertThrows(BackendException.class, () -> limited.rotary(1001));
        assertThrows(BackendException.class, () -> limited.attention(ElementType.F16, 256, false, 1, 1));
    }

    @Test
    void everyKernelHasAFile() {
        assertEquals(KernelFile.ATTENTION, KernelFile.of("sgpt_attention_mma64_bf16"));
        assertEquals(KernelFile.ATTENTION, KernelFile.of("sgpt_attention_mma_bounded_f16"));
        assertEquals(KernelFile.ATTENTION_GENERAL, KernelFile.of("sgpt_attention_general64_f32"));
        assertEquals(KernelFile.SOFTMAX, KernelFile.of("sgpt_softmax_bf16"));
        assertEquals(KernelFile.POOLING, KernelFile.of("sgpt_pool_finish"));
        assertEquals(KernelFile.ATTENTION_GRADIENT, KernelFile.of("sgpt_attention_gradient_keys_bf16"));
        assertEquals(KernelFile.GRADIENTS, KernelFile.of("sgpt_gradient_norm_f32_bf16"));
        assertEquals(KernelFile.SUMS, KernelFile.of("sgpt_sums_finish"));
        assertThrows(IllegalArgumentException.class, () -> KernelFile.of("sgpt_other"));
    }
}
