/// Makes published checkpoints ready for the engine.
@SuppressWarnings("module") // The command line is compiled after this, so the compiler cannot find it yet.
module io.github.sgpt4j.weightstools {
    requires com.fasterxml.jackson.databind;
    requires transitive io.github.sgpt4j.engine;
    requires java.net.http;
    requires static org.jspecify;

    exports io.github.sgpt4j.weightstools;
    exports io.github.sgpt4j.weightstools.hub;

    // Finds models for the command line, which has an environment and progress bars of its own.
    exports io.github.sgpt4j.weightstools.store to
            io.github.sgpt4j.cli;
}
