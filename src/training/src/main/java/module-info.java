/// Contrastive fine-tuning of text encoders.
module io.github.sgpt4j.training {
    requires transitive io.github.sgpt4j.engine;
    requires static org.jspecify;

    exports io.github.sgpt4j.training.optimizer;
}
