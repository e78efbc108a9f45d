package io.github.sgpt4j.cli.train;

import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.training.StepCount;
import io.github.sgpt4j.training.TrainingMethod;
import io.github.sgpt4j.training.TrainingOptions;
import io.github.sgpt4j.training.data.DataOptions;
import io.github.sgpt4j.training.objective.DistillationLoss;
import io.github.sgpt4j.training.objective.DistillationOptions;
import io.github.sgpt4j.training.optimizer.AdamW;
import io.github.sgpt4j.training.optimizer.Schedule;
import io.github.sgpt4j.training.parameters.LoraOptions;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.DoubleFunction;
import java.util.function.Function;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// Converts the text of the options of `sgpt train`; a value that training refuses is a usage error.
final class TrainConverters {
    private static final String NUMBER = "-?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?";

    private TrainConverters() {}

    /// One of some that have names.
    private abstract static class Named<T> implements Converters.OfWords<T> {
        private final List<String> words;
        private final Function<String, Optional<T>> byName;

        Named(T[] all, Function<T, String> title, Function<String, Optional<T>> byName) {
            words = Arrays.stream(all).map(title).toList();
            this.byName = byName;
        }

        @Override
        public List<String> words() {
            return words;
        }

        @Override
        public T convert(String value) {
            return byName.apply(value).orElseThrow(() -> Converters.unknown(value, words));
        }
    }

    /// @param check throws if training refuses the number
    private static Double number(String value, DoubleFunction<?> check) {
        if (!value.matches(NUMBER)) {
            throw new TypeConversionException("expected a number, got \"%s\"".formatted(value));
        }
        double number = Double.parseDouble(value);
        Converters.checked(value, text -> check.apply(number));
        return number;
    }

    /// Which tensors are trained.
    static final class Method extends Named<TrainingMethod> {
        Method() {
            super(TrainingMethod.values(), TrainingMethod::title, TrainingMethod::named);
        }
    }

    /// The course of the learning rate.
    static final class ScheduleName extends Named<Schedule> {
        ScheduleName() {
            super(Schedule.values(), Schedule::title, Schedule::named);
        }
    }

    /// The form of AdamW.
    static final class Optimizer extends Named<AdamW.Form> {
        Optimizer() {
            super(AdamW.Form.values(), AdamW.Form::title, AdamW.Form::named);
        }
    }

    /// A number of steps or a share of all.
    static final class Steps implements ITypeConverter<StepCount> {
        @Override
        public StepCount convert(String value) {
            return Converters.checked(value, StepCount::parse);
        }
    }

    /// A learning rate.
    static final class LearningRate implements ITypeConverter<Double> {
        @Override
        public Double convert(String value) {
            return number(value, TrainingOptions.DEFAULT::withLearningRate);
        }
    }

    /// A weight decay.
    static final class WeightDecay implements ITypeConverter<Double> {
        @Override
        public Double convert(String value) {
            return number(value, TrainingOptions.DEFAULT::withWeightDecay);
        }
    }

    /// A norm to clip gradients to.
    static final class Clip implements ITypeConverter<Double> {
        @Override
        public Double convert(String value) {
            return number(value, TrainingOptions.DEFAULT::withClip);
        }
    }

    /// What cosines are multiplied by.
    static final class Scale implements ITypeConverter<Double> {
        @Override
        public Double convert(String value) {
            return number(value, TrainingOptions.DEFAULT::withScale);
        }
    }

    /// A distance of a cross-encoder's scores.
    static final class Margin implements ITypeConverter<Double> {
        @Override
        public Double convert(String value) {
            return number(value, margin -> DataOptions.DEFAULT.withHardNegatives(1, margin));
        }
    }

    /// How a teacher is distilled.
    static final class Distill extends Named<DistillationLoss> {
        Distill() {
            super(DistillationLoss.values(), DistillationLoss::title, DistillationLoss::named);
        }
    }

    /// A weight of the loss of similarities.
    static final class SimilarityWeight implements ITypeConverter<Double> {
        @Override
        public Double convert(String value) {
            return number(value, DistillationOptions.DEFAULT::withSimilarityWeight);
        }
    }

    /// A rank of products.
    static final class LoraRank implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String value) {
            int rank = new Converters.Count().convert(value);
            Converters.checked(value, text -> new LoraOptions(rank, LoraOptions.DEFAULT.alpha(), Set.of()));
            return rank;
        }
    }

    /// What products are scaled by, times the rank.
    static final class LoraAlpha implements ITypeConverter<Double> {
        @Override
        public Double convert(String value) {
            return number(value, alpha -> new LoraOptions(LoraOptions.DEFAULT.rank(), alpha, Set.of()));
        }
    }

    /// A number of negatives.
    static final class Negatives implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String value) {
            if (!value.matches("[0-9]{1,9}")) {
                throw new TypeConversionException("expected a whole number of at least 0, got \"%s\"".formatted(value));
            }
            int count = Integer.parseInt(value);
            Converters.checked(
                    value, text -> new DataOptions(OptionalInt.of(count), 1, DataOptions.DEFAULT.margin(), 0));
            return count;
        }
    }
}
