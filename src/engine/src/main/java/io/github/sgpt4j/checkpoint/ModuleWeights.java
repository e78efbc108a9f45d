package io.github.sgpt4j.checkpoint;

import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.weights.ExpectedTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The weights of a module.
///
/// @param folder the folder of the weight files
/// @param tensors the required tensors
public record ModuleWeights(Path folder, List<ExpectedTensor> tensors) {
    public ModuleWeights {
        tensors = List.copyOf(tensors);
    }

    /// The weights of all modules after the transformer, in order.
    ///
    /// @param width width of the transformer's states
    /// @param json reads the modules' files
    /// @throws io.github.sgpt4j.error.SgptException if a module's file is broken or does not fit its
    ///     input
    public static List<ModuleWeights> of(SentenceModules modules, int width, JsonFiles json) {
        List<ModuleWeights> all = new ArrayList<>();
        int columns = width;
        for (Path folder : modules.tokenLayers()) {
            DenseConfig dense = DenseConfig.readTokenLayer(folder, columns, json);
            all.add(new ModuleWeights(folder, dense.tensors()));
            columns = dense.out();
        }
        modules.positionWeights().ifPresent(p -> all.add(new ModuleWeights(p.directory(), p.tensors())));
        columns = Math.multiplyExact(Math.max(1, modules.modes().size()), columns);
        for (SentenceModules.Step step : modules.steps()) {
            if (step instanceof SentenceModules.Step.Dense(Path folder)) {
                DenseConfig dense = DenseConfig.read(folder, columns, json);
                all.add(new ModuleWeights(folder, dense.tensors()));
                columns = dense.out();
            }
        }
        return all;
    }
}
