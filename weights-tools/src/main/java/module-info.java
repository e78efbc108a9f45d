/// Makes published checkpoints ready for the engine.
module io.github.sgpt4j.weightstools {
    requires com.fasterxml.jackson.databind;
    requires transitive io.github.sgpt4j.engine;
    requires static org.jspecify;

    exports io.github.sgpt4j.weightstools;
}
