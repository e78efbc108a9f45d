package io.github.sgpt4j.training.parameters;

import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.TrainableTensor;
import io.github.sgpt4j.training.optimizer.DecayRule;
import io.github.sgpt4j.training.optimizer.Parameter;
import java.util.ArrayList;
import java.util.List;

/// The trained tensors themselves.
public final class StoredParameters implements TrainedParameters {
    private final TrainableModel model;
    private final List<Parameter> parameters = new ArrayList<>();
    private final List<double[]> gradients = new ArrayList<>();

    /// All trained tensors of a model.
    ///
    /// @param model borrowed
    /// @param weightDecay of the tensors that decay
    public StoredParameters(TrainableModel model, DecayRule rule, double weightDecay) {
        this.model = model;
        for (TrainableTensor tensor : model.tensors()) {
            double[] start = new double[Math.toIntExact(tensor.elements())];
            model.read(tensor.name(), start);
            double decay = rule.of(tensor.name(), tensor.shape().size(), weightDecay);
            parameters.add(new Parameter(tensor.name(), start, decay));
            gradients.add(new double[start.length]);
        }
    }

    @Override
    public List<Parameter> parameters() {
        return parameters;
    }

    @Override
    public List<double[]> gradients() {
        for (int i = 0; i < gradients.size(); i++) {
            model.gradient(parameters.get(i).name(), gradients.get(i));
        }
        return gradients;
    }

    @Override
    public long otherBytes() {
        return 0;
    }

    @Override
    public void apply() {
        for (Parameter parameter : parameters) {
            model.write(parameter.name(), parameter.values());
        }
        model.update();
    }
}
