package io.github.sgpt4j.training.parameters;

import io.github.sgpt4j.training.optimizer.Parameter;
import java.util.List;

/// What the optimizer changes, and how the tensors of a model follow from it.
public sealed interface TrainedParameters permits StoredParameters, LowRankParameters {
    /// The parameters, in a fixed order.
    List<Parameter> parameters();

    /// Reads the gradients of the model's last batch.
    ///
    /// @return one per parameter, in their order; overwritten by the next call
    List<double[]> gradients();

    /// Bytes of the heap that are held beside the parameters and their gradients, and at times.
    long otherBytes();

    /// Gives the model's tensors the values that follow from the parameters.
    void apply();
}
