package io.github.sgpt4j.training.optimizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AdamWTest {
    private static List<Parameter> parameters() {
        return List.of(
                new Parameter("a.weight", new double[] {1, -2, 3}, 0.01),
                new Parameter("a.bias", new double[] {0.25, 0.5}, 0));
    }

    private static List<double[]> gradients(Random random) {
        return List.of(
                random.doubles(3, -1, 1).toArray(), random.doubles(2, -1, 1).toArray());
    }

    @ParameterizedTest
    @EnumSource
    void aRestoredOptimizerContinuesToTheSameBits(AdamW.Form form) {
        Random random = new Random(7);
        AdamW whole = new AdamW(form, parameters());
        AdamW resumed = new AdamW(form, parameters());
        for (int step = 0; step < 5; step++) {
            whole.step(1e-3, 0.7, gradients(random));
        }
        resumed.restore(copy(whole.state()));
        for (int step = 0; step < 5; step++) {
            List<double[]> gradients = gradients(random);
            whole.step(1e-3, 1, gradients);
            resumed.step(1e-3, 1, gradients);
        }
        assertEquals(10, resumed.steps());
        for (int i = 0; i < 2; i++) {
            assertArrayEquals(
                    whole.parameters().get(i).values(),
                    resumed.parameters().get(i).values());
            assertArrayEquals(
                    whole.state().tensors().get(i).second(),
                    resumed.state().tensors().get(i).second());
        }
    }

    /// As if it had been written to a file and read again.
    private static AdamState copy(AdamState state) {
        List<AdamState.Tensor> tensors = new ArrayList<>();
        for (AdamState.Tensor tensor : state.tensors()) {
            tensors.add(new AdamState.Tensor(
                    tensor.name(),
                    tensor.values().clone(),
                    tensor.first().clone(),
                    tensor.second().clone()));
        }
        return new AdamState(state.steps(), tensors);
    }

    @Test
    void aFactorActsLikeSmallerGradients() {
        AdamW scaled = new AdamW(AdamW.Form.TRANSFORMERS, parameters());
        AdamW small = new AdamW(AdamW.Form.TRANSFORMERS, parameters());
        scaled.step(0.1, 0.5, List.of(new double[] {2, 4, 6}, new double[] {-2, 8}));
        small.step(0.1, 1, List.of(new double[] {1, 2, 3}, new double[] {-1, 4}));
        assertArrayEquals(
                small.parameters().getFirst().values(),
                scaled.parameters().getFirst().values());
    }

    @Test
    void nothingChangesWhenAStepIsRefused() {
        AdamW adam = new AdamW(AdamW.Form.TORCH, parameters());
        double[] before = adam.parameters().getFirst().values().clone();
        List<List<double[]>> wrong = List.of(
                List.of(new double[3]),
                List.of(new double[3], new double[3]),
                List.of(new double[] {1, 1, 1}, new double[] {1, Double.NaN}));
        for (List<double[]> gradients : wrong) {
            assertThrows(IllegalArgumentException.class, () -> adam.step(0.1, 1, gradients));
        }
        assertThrows(
                IllegalArgumentException.class, () -> adam.step(Double.NaN, 1, List.of(new double[3], new double[2])));
        assertThrows(
                IllegalArgumentException.class,
                () -> adam.step(0.1, Double.NaN, List.of(new double[3], new double[2])));
        assertArrayEquals(before, adam.parameters().getFirst().values());
        assertEquals(0, adam.steps());
    }

    @Test
    void theStateOfOtherParametersIsRefused() {
        AdamW adam = new AdamW(AdamW.Form.TORCH, parameters());
        AdamState other = new AdamW(AdamW.Form.TORCH, List.of(new Parameter("a.weight", new double[3], 0))).state();
        assertEquals(
                "expected the state of 2 tensors, got 1",
                assertThrows(IllegalArgumentException.class, () -> adam.restore(other))
                        .getMessage());
        AdamState renamed = new AdamW(
                        AdamW.Form.TORCH,
                        List.of(new Parameter("a.weight", new double[3], 0), new Parameter("b", new double[2], 0)))
                .state();
        assertEquals(
                "expected the state of a.bias with 2 numbers, got that of b with 2",
                assertThrows(IllegalArgumentException.class, () -> adam.restore(renamed))
                        .getMessage());
    }

    @Test
    void aStateMayHaveAnotherOrder() {
        AdamW adam = new AdamW(AdamW.Form.TORCH, parameters());
        adam.step(0.1, 1, List.of(new double[] {1, 2, 3}, new double[] {4, 5}));
        AdamW other = new AdamW(AdamW.Form.TORCH, parameters());
        other.restore(new AdamState(1, adam.state().tensors().reversed()));
        for (int i = 0; i < 2; i++) {
            assertArrayEquals(
                    adam.parameters().get(i).values(), other.parameters().get(i).values());
            assertArrayEquals(
                    adam.state().tensors().get(i).second(),
                    other.state().tensors().get(i).second());
        }
    }

    @Test
    void rulesDecideWhatDecays() {
        assertEquals(0.01, DecayRule.MATRICES.of("h.0.mlp.c_fc.weight", 2, 0.01));
        assertEquals(0, DecayRule.MATRICES.of("h.0.ln_1.weight", 1, 0.01));
        assertEquals(0, DecayRule.MATRICES.of("h.0.ln_1.bias", 1, 0.01));
        assertEquals(0.01, DecayRule.ALL_BUT_BIASES.of("h.0.ln_1.weight", 1, 0.01));
        assertEquals(0, DecayRule.ALL_BUT_BIASES.of("h.0.mlp.c_fc.bias", 1, 0.01));
    }

    @Test
    void aNormIsFiniteOnlyIfAllGradientsAre() {
        assertTrue(GradientNorm.of(List.of(new double[] {1})).isFinite());
        assertFalse(GradientNorm.of(List.of(new double[] {1}, new double[] {Double.NaN}))
                .isFinite());
        assertFalse(GradientNorm.of(List.of(new double[] {Double.POSITIVE_INFINITY}))
                .isFinite());
        assertThrows(IllegalArgumentException.class, () -> new GradientNorm(1).factor(0));
    }

    @Test
    void schedulesHaveNames() {
        assertEquals(Optional.of(Schedule.WARMUP_LINEAR), Schedule.named("WarmupLinear"));
        assertEquals(Optional.empty(), Schedule.named("linear"));
        assertThrows(IllegalArgumentException.class, () -> Schedule.CONSTANT.factor(-1, 0, 1));
    }
}
