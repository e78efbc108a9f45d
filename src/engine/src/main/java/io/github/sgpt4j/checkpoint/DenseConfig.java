package io.github.sgpt4j.checkpoint;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.weights.ExpectedTensor;
import io.github.sgpt4j.weights.ExpectedTensor.Use;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The settings in `config.json` of a sentence-transformers `Dense` module.
///
/// @param in components of the input vectors
/// @param out components of the output vectors
/// @param bias whether it has a bias
/// @param activation its activation function
public record DenseConfig(int in, int out, boolean bias, Activation activation) {
    private static final String WEIGHT = "linear.weight";
    private static final String BIAS = "linear.bias";

    /// Reads the file in a module's folder.
    ///
    /// @param columns components of the input vectors
    /// @throws FormatException if the file is broken or does not fit the vectors
    /// @throws UnsupportedModelException if it asks for something that is not implemented
    public static DenseConfig read(Path directory, int columns, JsonFiles json) {
        return read(directory, columns, json, ModuleInput.SENTENCE);
    }

    /// As [#read], for a module before pooling, which changes the state of every token (SGPT's
    /// `linearthenpool`).
    ///
    /// @param columns components of an input state
    public static DenseConfig readTokenLayer(Path directory, int columns, JsonFiles json) {
        return read(directory, columns, json, ModuleInput.TOKENS);
    }

    private static DenseConfig read(Path directory, int columns, JsonFiles json, ModuleInput input) {
        JsonFile config = json.object(directory.resolve("config.json"));
        int in = config.positiveInt("in_features");
        int out = config.positiveInt("out_features");
        if (in != columns) {
            throw new FormatException("%s: key \"in_features\": expected %d, the width of the input vectors, got %d"
                    .formatted(config.path(), columns, in));
        }
        if (config.bool("use_residual", false)) {
            throw new UnsupportedModelException(
                    "%s: key \"use_residual\" = true is not supported".formatted(config.path()));
        }
        ModuleInput.require(input, config);
        return new DenseConfig(in, out, config.bool("bias", true), activation(config));
    }

    private static Activation activation(JsonFile config) {
        String name = config.text("activation_function", "torch.nn.modules.activation.Tanh");
        return switch (name) {
            case "torch.nn.modules.linear.Identity" -> Activation.NONE;
            case "torch.nn.modules.activation.Tanh" -> Activation.TANH;
            case "torch.nn.modules.activation.ReLU" -> Activation.RELU;
            case "torch.nn.modules.activation.Sigmoid" -> Activation.SIGMOID;
            case "torch.nn.modules.activation.SiLU" -> Activation.SILU;
            case "torch.nn.modules.activation.GELU" -> Activation.GELU;
            default ->
                throw new UnsupportedModelException(
                        "%s: activation function %s is not supported".formatted(config.path(), Quoted.of(name)));
        };
    }

    /// The weight `[out, in]` in the module's weight file.
    public WeightTensor weight(Weights file) {
        return file.get(WEIGHT, out, in);
    }

    /// The bias `[out]` in the module's weight file.
    ///
    /// @throws FormatException if a bias is stored but the configuration says that there is none
    public Optional<WeightTensor> bias(Weights file) {
        if (!bias && file.contains(BIAS)) {
            throw new FormatException("%s: key \"bias\": expected true, as %s is stored, got false"
                    .formatted(file.files().getFirst().resolveSibling("config.json"), BIAS));
        }
        return bias ? Optional.of(file.get(BIAS, out)) : Optional.empty();
    }

    /// The tensors that its weight file must have.
    public List<ExpectedTensor> tensors() {
        ExpectedTensor weight = new ExpectedTensor(WEIGHT, Use.MATRIX, out, in);
        return bias ? List.of(weight, new ExpectedTensor(BIAS, Use.VECTOR, out)) : List.of(weight);
    }
}
