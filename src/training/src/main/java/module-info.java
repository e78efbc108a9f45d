/// Contrastive fine-tuning of text encoders.
module io.github.sgpt4j.training {
    requires transitive io.github.sgpt4j.engine;
    requires jdk.incubator.vector;
    requires static org.jspecify;

    exports io.github.sgpt4j.training.loss;
    exports io.github.sgpt4j.training.optimizer;
}
