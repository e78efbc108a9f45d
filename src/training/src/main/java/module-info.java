/// Fine-tuning of text encoders: contrastive, or by distillation.
module io.github.sgpt4j.training {
    requires com.fasterxml.jackson.databind;
    requires transitive io.github.sgpt4j.engine;
    requires transitive io.github.sgpt4j.retrieval;
    requires io.github.sgpt4j.weightstools;
    requires jdk.incubator.vector;
    requires static org.jspecify;

    exports io.github.sgpt4j.training.data;
    exports io.github.sgpt4j.training.evaluation;
    exports io.github.sgpt4j.training.loss;
    exports io.github.sgpt4j.training.objective;
    exports io.github.sgpt4j.training.optimizer;
    exports io.github.sgpt4j.training;
    exports io.github.sgpt4j.training.parameters;
    exports io.github.sgpt4j.training.run;
    exports io.github.sgpt4j.training.step;
}
