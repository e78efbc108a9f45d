package io.github.sgpt4j.training.optimizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/// AdamW (Loshchilov and Hutter, arXiv:1711.05101) with betas 0.9 and 0.999, in 64 bits.
///
/// Not safe for use by several threads at once.
public final class AdamW {
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.999;

    /// The two forms in use, which differ in where epsilon and the decay come in.
    public enum Form {
        /// transformers before 5 (`optimization.AdamW`): epsilon 1e-6 is added to the root before the
        /// bias correction, and values decay after the step.
        TRANSFORMERS("adamw", 1e-6),

        /// PyTorch (`torch.optim.AdamW`): epsilon 1e-8 is added to the corrected root, and values decay
        /// before the step.
        TORCH("adamw-torch", 1e-8);

        private final String title;
        private final double epsilon;

        Form(String title, double epsilon) {
            this.title = title;
            this.epsilon = epsilon;
        }

        /// Its name on the command line and in files.
        public String title() {
            return title;
        }

        /// The form of a name; empty if there is none.
        public static Optional<Form> named(String name) {
            return Arrays.stream(values())
                    .filter(form -> form.title.equals(name))
                    .findFirst();
        }
    }

    private final Form form;
    private final List<Parameter> parameters;
    private final List<AdamState.Tensor> tensors = new ArrayList<>();
    private long steps;

    /// An optimizer before its first step.
    ///
    /// @param parameters changed by each step
    public AdamW(Form form, List<Parameter> parameters) {
        this.form = form;
        this.parameters = List.copyOf(parameters);
        for (Parameter parameter : this.parameters) {
            int length = parameter.values().length;
            tensors.add(
                    new AdamState.Tensor(parameter.name(), parameter.values(), new double[length], new double[length]));
        }
    }

    /// The parameters, in the order of gradients.
    public List<Parameter> parameters() {
        return parameters;
    }

    /// Number of steps taken.
    public long steps() {
        return steps;
    }

    /// Changes all parameters. Nothing changes if the call fails.
    ///
    /// @param learningRate of this step
    /// @param factor what gradients are multiplied by first: that of clipping
    /// @param gradients one per parameter, in their order
    /// @throws IllegalArgumentException if a number or a length does not fit
    public void step(double learningRate, double factor, List<double[]> gradients) {
        if (!(learningRate >= 0) || !Double.isFinite(learningRate) || !Double.isFinite(factor)) {
            throw new IllegalArgumentException("expected a finite learning rate of at least 0 and a finite factor,"
                    + " got %s and %s".formatted(learningRate, factor));
        }
        checkLengths(gradients);
        steps++;
        double correction1 = 1 - Math.pow(BETA1, steps);
        double correction2 = Math.sqrt(1 - Math.pow(BETA2, steps));
        for (int i = 0; i < parameters.size(); i++) {
            double decay = learningRate * parameters.get(i).weightDecay();
            switch (form) {
                case TRANSFORMERS -> {
                    double rate = learningRate * correction2 / correction1;
                    move(tensors.get(i), gradients.get(i), factor, rate, 1);
                    decay(tensors.get(i).values(), decay);
                }
                case TORCH -> {
                    decay(tensors.get(i).values(), decay);
                    move(tensors.get(i), gradients.get(i), factor, learningRate / correction1, correction2);
                }
            }
        }
    }

    private void checkLengths(List<double[]> gradients) {
        if (gradients.size() != parameters.size()) {
            throw new IllegalArgumentException(
                    "expected %d gradients, got %d".formatted(parameters.size(), gradients.size()));
        }
        for (int i = 0; i < gradients.size(); i++) {
            Parameter parameter = parameters.get(i);
            if (gradients.get(i).length != parameter.values().length) {
                throw new IllegalArgumentException("%s: expected a gradient of %d numbers, got %d"
                        .formatted(parameter.name(), parameter.values().length, gradients.get(i).length));
            }
            for (double g : gradients.get(i)) {
                if (!Double.isFinite(g)) {
                    throw new IllegalArgumentException(
                            "%s: expected a finite gradient, got %s".formatted(parameter.name(), g));
                }
            }
        }
    }

    private void move(AdamState.Tensor tensor, double[] gradient, double factor, double rate, double correction2) {
        double[] values = tensor.values();
        double[] first = tensor.first();
        double[] second = tensor.second();
        double epsilon = form.epsilon;
        for (int j = 0; j < values.length; j++) {
            double g = gradient[j] * factor;
            first[j] = BETA1 * first[j] + (1 - BETA1) * g;
            second[j] = BETA2 * second[j] + (1 - BETA2) * (g * g);
            values[j] -= rate * first[j] / (Math.sqrt(second[j]) / correction2 + epsilon);
        }
    }

    private static void decay(double[] values, double share) {
        if (share > 0) {
            for (int j = 0; j < values.length; j++) {
                values[j] -= share * values[j];
            }
        }
    }

    /// What to save. The arrays are the optimizer's own: they change with the next step.
    public AdamState state() {
        return new AdamState(steps, tensors);
    }

    /// Continues from a saved state, in any order, which is copied; the parameters get its values.
    ///
    /// @throws IllegalArgumentException if it is of other parameters, or a number cannot be one of an optimizer
    public void restore(AdamState state) {
        List<AdamState.Tensor> saved = state.tensors();
        if (saved.size() != tensors.size()) {
            throw new IllegalArgumentException(
                    "expected the state of %d tensors, got %d".formatted(tensors.size(), saved.size()));
        }
        Map<String, AdamState.Tensor> named = new HashMap<>();
        saved.forEach(tensor -> named.put(tensor.name(), tensor));
        for (int i = 0; i < saved.size(); i++) {
            AdamState.Tensor own = tensors.get(i);
            AdamState.Tensor other = named.getOrDefault(own.name(), saved.get(i));
            if (!own.name().equals(other.name()) || own.values().length != other.values().length) {
                throw new IllegalArgumentException("expected the state of %s with %d numbers, got that of %s with %d"
                        .formatted(own.name(), own.values().length, other.name(), other.values().length));
            }
            requireNumbers(other);
        }
        for (AdamState.Tensor own : tensors) {
            AdamState.Tensor other = Objects.requireNonNull(named.get(own.name()));
            copy(other.values(), own.values());
            copy(other.first(), own.first());
            copy(other.second(), own.second());
        }
        steps = state.steps();
    }

    private static void requireNumbers(AdamState.Tensor tensor) {
        for (int j = 0; j < tensor.values().length; j++) {
            if (!Double.isFinite(tensor.values()[j])
                    || !Double.isFinite(tensor.first()[j])
                    || !(tensor.second()[j] >= 0 && tensor.second()[j] < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        "%s: number %d: expected a finite value and means, the second of at least 0, got %s, %s and %s"
                                .formatted(
                                        tensor.name(),
                                        j + 1,
                                        tensor.values()[j],
                                        tensor.first()[j],
                                        tensor.second()[j]));
            }
        }
    }

    private static void copy(double[] from, double[] to) {
        System.arraycopy(from, 0, to, 0, to.length);
    }
}
