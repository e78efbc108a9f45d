package io.github.sgpt4j.training;

import io.github.sgpt4j.TrainableTensor;
import io.github.sgpt4j.training.parameters.LoraOptions;
import java.util.Arrays;
import java.util.Optional;

/// Which tensors of a model are trained.
public enum TrainingMethod {
    /// The biases that the model has, a thousandth of its numbers (BitFit: Ben Zaken et al., arXiv:2106.10199; SGPT's
    /// way).
    BITFIT("bitfit") {
        @Override
        public boolean trains(TrainableTensor tensor) {
            return tensor.isBias();
        }
    },

    /// Biases and the table of token embeddings.
    BITFIT_AND_EMBEDDING("bitfit+wte") {
        @Override
        public boolean trains(TrainableTensor tensor) {
            return tensor.isBias() || tensor.use() == TrainableTensor.Use.EMBEDDING;
        }
    },

    /// Everything that embedding uses.
    FULL("full") {
        @Override
        public boolean trains(TrainableTensor tensor) {
            return true;
        }
    },

    /// Products of low rank that are added to matrices ([LoraOptions] says to which).
    LORA("lora") {
        @Override
        public boolean trains(TrainableTensor tensor) {
            return LoraOptions.DEFAULT.trains(tensor);
        }
    };

    private final String title;

    TrainingMethod(String title) {
        this.title = title;
    }

    /// Its name on the command line and in files.
    public String title() {
        return title;
    }

    /// The method of a name; empty if there is none.
    public static Optional<TrainingMethod> named(String name) {
        return Arrays.stream(values())
                .filter(method -> method.title.equals(name))
                .findFirst();
    }

    /// Whether a tensor is trained; with LORA, whether it is by default.
    public abstract boolean trains(TrainableTensor tensor);
}
