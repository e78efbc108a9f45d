package io.github.sgpt4j.training.optimizer;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// How the learning rate changes during training, as sentence-transformers names the schedules and
/// transformers' `optimization.py` computes them.
public enum Schedule {
    /// The full rate from the first step on; no warm-up.
    CONSTANT("constantlr") {
        @Override
        double afterWarmup(double progress) {
            return 1;
        }
    },

    /// The full rate after the warm-up.
    WARMUP_CONSTANT("warmupconstant") {
        @Override
        double afterWarmup(double progress) {
            return 1;
        }
    },

    /// A straight line from the full rate to 0 at the last step.
    WARMUP_LINEAR("warmuplinear") {
        @Override
        double afterWarmup(double progress) {
            return Math.max(0, 1 - progress);
        }
    },

    /// Half a period of a cosine, from the full rate to 0. It rises again after the last step.
    WARMUP_COSINE("warmupcosine") {
        @Override
        double afterWarmup(double progress) {
            return Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
        }
    },

    /// As the cosine with its default of one cycle, and 0 after the last step.
    WARMUP_COSINE_WITH_HARD_RESTARTS("warmupcosinewithhardrestarts") {
        @Override
        double afterWarmup(double progress) {
            return progress >= 1 ? 0 : Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
        }
    };

    private final String title;

    Schedule(String title) {
        this.title = title;
    }

    /// The name in lower case, such as `warmuplinear`.
    public String title() {
        return title;
    }

    /// The schedule of a name, in any case; empty if there is none.
    public static Optional<Schedule> named(String name) {
        String wanted = name.toLowerCase(Locale.ROOT);
        return Arrays.stream(values())
                .filter(schedule -> schedule.title.equals(wanted))
                .findFirst();
    }

    /// What the learning rate is multiplied by at a step. The first step of a warm-up has 0.
    ///
    /// @param step the step's 0-based number
    /// @param warmup number of steps over which the rate rises from 0
    /// @param total number of steps of the training
    public final double factor(long step, long warmup, long total) {
        if (step < 0 || warmup < 0 || total < 1) {
            throw new IllegalArgumentException(
                    "expected a step and a warm-up of at least 0 and a total of at least 1, got %d, %d and %d"
                            .formatted(step, warmup, total));
        }
        if (this != CONSTANT && step < warmup) {
            return (double) step / warmup;
        }
        return afterWarmup((double) (step - warmup) / Math.max(1, total - warmup));
    }

    /// @param progress 0 at the end of the warm-up, 1 at the last step
    abstract double afterWarmup(double progress);
}
