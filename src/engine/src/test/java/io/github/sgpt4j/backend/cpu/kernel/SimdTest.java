package io.github.sgpt4j.backend.cpu.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.HotSpotDiagnosticMXBean;
import io.github.sgpt4j.testing.OtherJvm;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import jdk.incubator.vector.VectorShape;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;

@Tag("vector")
class SimdTest {
    @Test
    void anUnknownWidthIsAProblemAndNotAFailure() {
        for (String request : new String[] {"", "64", "1024", "wide", "-128"}) {
            Simd.Choice choice = Simd.Choice.of(request);
            assertTrue(choice.problem().orElseThrow().contains("expected 128, 256 or 512, got " + request));
            assertEquals(Simd.Choice.of(null).shape(), choice.shape());
        }
    }

    @Test
    void theSmallestWidthIsAlwaysAvailable() {
        Simd.Choice choice = Simd.Choice.of("128");
        assertTrue(choice.problem().isEmpty());
        assertEquals(128, choice.shape().vectorBitSize());
    }

    @Test
    void theForcedWidthIsUsed() {
        String forced = System.getProperty(Simd.WIDTH_PROPERTY);
        if (forced != null && Simd.problem().isEmpty()) {
            assertEquals(Integer.parseInt(forced), Simd.F.vectorBitSize());
        }
        assertEquals(Simd.LANES, Simd.S.length());
        assertEquals(Simd.LANES, Simd.I.length());
    }

    @Test
    void multiplyAddIsClaimedOnlyWhereItIsAnInstruction() {
        HotSpotDiagnosticMXBean bean = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
        boolean there = Boolean.parseBoolean(bean.getVMOption("UseFMA").getValue());
        assertTrue(there || !Simd.FMA);
        assertTrue(Simd.FMA || !there || VectorShape.preferredShape().vectorBitSize() < 256);
    }

    /// Simulates a machine with wide vectors but without the instruction.
    @Test
    @DisabledOnOs(architectures = "aarch64", disabledReason = "every 64-bit Arm has multiply-add")
    void multiplyAddMayBeMissingWhateverTheWidth() throws IOException {
        String description = OtherJvm.run(PrintSimd.class, "-XX:-UseFMA");
        assertTrue(description.contains("no fma"), description);
    }

    /// Prints what a separate virtual machine has.
    static final class PrintSimd {
        private PrintSimd() {}

        public static void main(String[] arguments) {
            System.out.println(Simd.description());
        }
    }
}
