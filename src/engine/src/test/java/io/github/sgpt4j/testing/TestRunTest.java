package io.github.sgpt4j.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Here the tests of the CUDA backend run on the CPU, or are skipped.
class TestRunTest {
    private static final String CONTRACT = "io.github.sgpt4j.backend.RotaryContractTest";

    private final StringWriter out = new StringWriter();

    private int run(String name) {
        return TestRun.run(List.of(name), new PrintWriter(out, true));
    }

    @Test
    void listsClassesWithTestsOfTheBackendAndMethodsOfGoldens() {
        Set<String> names = TestRun.list();
        assertTrue(
                names.containsAll(List.of(
                        CONTRACT,
                        "io.github.sgpt4j.backend.cuda.CudaBackendTest",
                        "io.github.sgpt4j.CudaGoldenTest#scoresAgreeIn32Bits(java.lang.String)",
                        "io.github.sgpt4j.TokenModulesTest")),
                names::toString);
        assertFalse(names.contains("io.github.sgpt4j.CudaGoldenTest"));
        assertFalse(names.contains("io.github.sgpt4j.testing.TestRunTest"));
    }

    @Test
    void methodsOfTheListCanBeRun() {
        assertEquals(
                TestRun.SKIPPED,
                run("io.github.sgpt4j.CudaGoldenTest#scoresAgreeIn32Bits(java.lang.String)"),
                out::toString);
    }

    @Test
    void testsThatPassAreCounted() {
        assertEquals(0, run(CONTRACT), out::toString);
        assertTrue(out.toString().matches("(?s).*[1-9]\\d* passed, 0 failed, 0 skipped\\s*"), out::toString);
    }

    @Test
    void testsThatAreAllSkippedAreTold() {
        assertEquals(TestRun.SKIPPED, run("io.github.sgpt4j.CudaThreadsTest"), out::toString);
        assertTrue(out.toString().matches("(?s).*0 passed, 0 failed, [1-9]\\d* skipped\\s*"), out::toString);
    }

    @Test
    void aNameThatIsNotThereFails() {
        assertEquals(1, run("io.github.sgpt4j.NoSuchTest"), out::toString);
    }
}
