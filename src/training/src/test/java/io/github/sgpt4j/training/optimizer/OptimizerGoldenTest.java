package io.github.sgpt4j.training.optimizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.training.Goldens;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// The optimizer against PyTorch and transformers in 64 bits.
class OptimizerGoldenTest {
    private static final JsonNode GOLDEN = Goldens.json("optimizer/optimizer.json");
    private static final double TOLERANCE = 1e-12;

    @ParameterizedTest
    @CsvSource({
        "transformers4-decay0, TRANSFORMERS",
        "transformers4-decay0.01, TRANSFORMERS",
        "torch-decay0, TORCH",
        "torch-decay0.01, TORCH"
    })
    void stepsEqualTheReference(String name, AdamW.Form form) {
        JsonNode run = GOLDEN.get("runs").get(name);
        Parameter parameter = new Parameter(
                "p",
                Goldens.numbers(GOLDEN.get("start")),
                run.get("weight_decay").doubleValue());
        AdamW adam = new AdamW(form, List.of(parameter));
        long warmup = GOLDEN.get("warmup_steps").longValue();
        long total = GOLDEN.get("total_steps").longValue();
        JsonNode after = run.get("after_each_step");
        assertEquals(total, after.size());
        for (int step = 0; step < after.size(); step++) {
            double rate = GOLDEN.get("lr").doubleValue() * Schedule.WARMUP_LINEAR.factor(step, warmup, total);
            adam.step(rate, 1, List.of(Goldens.numbers(GOLDEN.get("gradients").get(step))));
            assertArrayEquals(Goldens.numbers(after.get(step)), parameter.values(), TOLERANCE, "step " + step);
        }
        assertEquals(total, adam.steps());
    }

    @Test
    void clippingEqualsTheReference() {
        JsonNode cases = GOLDEN.get("clip");
        assertEquals(2, cases.size());
        for (JsonNode one : cases) {
            List<double[]> gradients = new ArrayList<>();
            one.get("gradients").forEach(gradient -> gradients.add(Goldens.numbers(gradient)));
            GradientNorm norm = GradientNorm.of(gradients);
            assertEquals(one.get("norm").doubleValue(), norm.value(), TOLERANCE);
            assertEquals(
                    one.get("factor").doubleValue(),
                    norm.factor(one.get("max_norm").doubleValue()),
                    TOLERANCE);
        }
    }

    @ParameterizedTest
    @EnumSource
    void schedulesEqualTheReference(Schedule schedule) {
        JsonNode all = GOLDEN.get("schedules");
        assertEquals(Schedule.values().length, all.get("factor_of_step").size());
        JsonNode factors = all.get("factor_of_step").get(schedule.title());
        assertEquals(22, factors.size());
        for (int step = 0; step < factors.size(); step++) {
            double got = schedule.factor(
                    step, all.get("warmup").longValue(), all.get("total").longValue());
            assertEquals(factors.get(step).doubleValue(), got, TOLERANCE, "step " + step);
        }
    }
}
